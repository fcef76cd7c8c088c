-- Digests: who is told when, and of what he was told.

CREATE TABLE lz_digests (
  id            $SERIAL,
  email         $EMAIL NOT NULL,           -- the recipient, as in maddr
  due           integer NOT NULL,                -- the moment of the schedule that it is for
  time_num      integer NOT NULL,                -- of the last attempt
  state         varchar(8) NOT NULL,             -- claimed, sent, deferred, refused
  owner         varchar(255) NOT NULL,           -- the process that claimed it
  response      $TEXT NOT NULL,
  message_id    varchar(255) NOT NULL,
  digest        $BLOB,                           -- SHA-256 of what was sent, below its Message-ID
  passed_again  char(1) NOT NULL DEFAULT 'N',    -- Y: it came through the filter
  UNIQUE (email, due)
);
CREATE INDEX lz_digests_idx_due ON lz_digests (due);
CREATE INDEX lz_digests_idx_message_id ON lz_digests (message_id);

CREATE TABLE lz_digest_items (
  mail_id       $MAIL_ID NOT NULL,
  partition_tag integer NOT NULL,
  digest        bigint NOT NULL,
  PRIMARY KEY (mail_id, partition_tag, digest)
) $CLUSTERED;
CREATE INDEX lz_digest_items_idx_digest ON lz_digest_items (digest);

CREATE TABLE lz_digest_wishes (
  email         $EMAIL NOT NULL,
  days          varchar(16) NOT NULL,            -- daily, workdays, weekly, never
  hours         varchar(96) NOT NULL,            -- numbers, these and the next with blanks between
  time_zone     varchar(64) NOT NULL,
  language      varchar(8) NOT NULL,
  categories    varchar(96) NOT NULL,            -- words
  PRIMARY KEY (email)
) $CLUSTERED;
