-- Lazaret's own tables, beside those of amavisd-new.

CREATE TABLE lz_msgs (
  id            $SERIAL,
  partition_tag integer NOT NULL DEFAULT 0,
  mail_id       $MAIL_ID NOT NULL,
  sender        $BLOB,                           -- as in MAIL FROM, where maddr.email is another form of it
  queue_id      varchar(255) NOT NULL DEFAULT '',
  client_name   varchar(255) NOT NULL DEFAULT '',
  helo          varchar(255) NOT NULL DEFAULT '',
  took_ms       double precision NOT NULL DEFAULT 0,
  hits          $TEXT NOT NULL,                  -- a line per hit: lz_symbols.id, score, detail; blanks between
  unavailable   $TEXT NOT NULL,                  -- a line per check that could not answer: name: reason
  prefix        integer,                         -- octets of the stored text that are ours; NULL: read them from it
  line_ends     char(1) NOT NULL DEFAULT 'L',    -- L: CRLF is stored as LF; W: stored as on the wire
  digest        $BLOB,                           -- SHA-256 of the message as it came in
  indexed       char(1) NOT NULL DEFAULT 'N',    -- Y: its words are in lz_text
  from_sender   char(1) NOT NULL DEFAULT 'N',    -- Y: header From is the envelope sender
  subject_words $TEXT NOT NULL,                  -- of messages that are not in lz_text; a blank at each end
  from_words    $TEXT NOT NULL,                  -- names and local parts in header From
  reply_words   $TEXT NOT NULL,                  -- in Reply-To
  to_words      $TEXT NOT NULL,                  -- in To and Cc
  UNIQUE (mail_id, partition_tag)
);
CREATE INDEX lz_msgs_idx_queue_id ON lz_msgs (queue_id);

CREATE TABLE lz_msgrcpt (
  msg           bigint NOT NULL,
  rseqnum       integer NOT NULL,
  address       $BLOB,                           -- as in RCPT TO, where maddr.email is another form of it
  action        varchar(16) NOT NULL,
  stored        char(1) NOT NULL,                -- Y: this recipient's copy lies in the quarantine
  reason        $TEXT NOT NULL,
  PRIMARY KEY (msg, rseqnum)
) $CLUSTERED;

CREATE TABLE lz_addresses (
  msg           bigint NOT NULL,
  num           integer NOT NULL,
  field         char(1) NOT NULL,                -- F: From, R: Reply-To, T: To and Cc; where not in the envelope
  email         $EMAIL NOT NULL,
  domain        $ORDERED NOT NULL,           -- reversed, as in maddr
  PRIMARY KEY (msg, num)
) $CLUSTERED;
CREATE INDEX lz_addresses_idx_domain ON lz_addresses (domain, email);

CREATE TABLE lz_symbols (
  id            $SERIAL,
  name          varchar(128) NOT NULL UNIQUE,
  description   $TEXT NOT NULL
);

-- For searching alone: what is shown of a message comes from lz_msgs.hits.
CREATE TABLE lz_hits (
  symbol        integer NOT NULL,
  msg           bigint NOT NULL,
  score         double precision NOT NULL,
  PRIMARY KEY (symbol, msg)
) $CLUSTERED;

CREATE TABLE lz_attachments (
  msg           bigint NOT NULL,
  num           integer NOT NULL,
  name          varchar(255) NOT NULL,
  PRIMARY KEY (msg, num)
) $CLUSTERED;

CREATE TABLE lz_releases (
  id            $SERIAL,
  partition_tag integer NOT NULL DEFAULT 0,
  mail_id       $MAIL_ID NOT NULL,
  recipient     $BLOB NOT NULL,                  -- as it goes into RCPT TO
  email         $EMAIL NOT NULL,           -- as in maddr, to compare
  time_num      integer NOT NULL,
  who           varchar(255) NOT NULL,
  state         varchar(8) NOT NULL,             -- claimed, sent, deferred, refused
  owner         varchar(255) NOT NULL,           -- the process that claimed it
  response      $TEXT NOT NULL,
  resent_message_id varchar(255) NOT NULL,
  digest        $BLOB,                           -- SHA-256 of what was sent, below our Resent fields
  passed_again  char(1) NOT NULL DEFAULT 'N',    -- Y: this copy came through the filter again
  UNIQUE (resent_message_id, email)
);
CREATE INDEX lz_releases_idx_mail_id ON lz_releases (mail_id);
CREATE INDEX lz_releases_idx_state ON lz_releases (state);

CREATE TABLE lz_audit (
  id            $SERIAL,
  time_num      integer NOT NULL,
  who           varchar(255) NOT NULL,
  act           varchar(64) NOT NULL,
  mail_id       varchar(16) NOT NULL,
  detail        $TEXT NOT NULL
);
CREATE INDEX lz_audit_idx_mail_id ON lz_audit (mail_id);

CREATE TABLE lz_partial (
  attempt       $DIGEST NOT NULL,                -- SHA-256 of queue id, sender and digest of the message
  recipient     $KEY NOT NULL,
  response      $TEXT NOT NULL,
  time_num      integer NOT NULL,
  PRIMARY KEY (attempt, recipient)
) $CLUSTERED;

CREATE TABLE lz_words (
  msg           bigint NOT NULL PRIMARY KEY,
  packed        $BLOB NOT NULL                   -- what lz_text was given, deflated: needed to take it out again
);

$FULLTEXT
