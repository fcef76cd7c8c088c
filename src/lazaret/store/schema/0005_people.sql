-- People with a login, what they did, and the chain that shows whether the record of it was changed.

CREATE TABLE lz_users (
  id            $SERIAL,
  name          varchar(255) NOT NULL UNIQUE,    -- lower case
  role          varchar(16) NOT NULL,            -- admin, domain-admin, user, auditor
  password      varchar(255) NOT NULL DEFAULT '', -- argon2id; empty: none was chosen yet
  language      varchar(8) NOT NULL DEFAULT '',
  disabled      char(1) NOT NULL DEFAULT 'N',
  created       integer NOT NULL,
  last_login    integer NOT NULL DEFAULT 0
);

CREATE TABLE lz_user_scopes (
  user_id       bigint NOT NULL,
  kind          char(1) NOT NULL,                -- A: an address, D: a domain
  value         $EMAIL NOT NULL,
  PRIMARY KEY (user_id, kind, value)
) $CLUSTERED;

CREATE TABLE lz_sessions (
  digest        $DIGEST NOT NULL,                -- SHA-256 of what the cookie holds
  user_id       bigint NOT NULL,
  created       integer NOT NULL,
  seen          integer NOT NULL,
  remote        varchar(64) NOT NULL,
  PRIMARY KEY (digest)
) $CLUSTERED;

CREATE TABLE lz_invitations (
  digest        $DIGEST NOT NULL,                -- SHA-256 of what the link holds
  user_id       bigint NOT NULL,
  expires       integer NOT NULL,
  PRIMARY KEY (digest)
) $CLUSTERED;

CREATE TABLE lz_api_tokens (
  digest        $DIGEST NOT NULL,                -- SHA-256 of the token
  user_id       bigint NOT NULL,
  label         varchar(64) NOT NULL,
  scopes        varchar(255) NOT NULL,           -- words with blanks between
  created       integer NOT NULL,
  expires       integer NOT NULL,                -- 0: never
  seen          integer NOT NULL DEFAULT 0,
  PRIMARY KEY (digest)
) $CLUSTERED;

CREATE TABLE lz_failed_logins (
  id            $SERIAL,
  subject       varchar(255) NOT NULL,           -- name:NAME or from:ADDRESS
  time_num      integer NOT NULL
);
CREATE INDEX lz_failed_logins_idx_subject ON lz_failed_logins (subject, time_num);

CREATE TABLE lz_answers (
  digest        $DIGEST NOT NULL,                -- SHA-256 of user, act and Idempotency-Key
  request       $DIGEST NOT NULL,                -- SHA-256 of what was asked
  time_num      integer NOT NULL,
  answer        $TEXT NOT NULL,                  -- empty: it is being worked on
  PRIMARY KEY (digest)
) $CLUSTERED;

CREATE TABLE lz_searches (
  id            $SERIAL,
  user_id       bigint NOT NULL,
  name          varchar(64) NOT NULL,
  query         $TEXT NOT NULL,
  everything    char(1) NOT NULL
);
CREATE INDEX lz_searches_idx_user ON lz_searches (user_id);

ALTER TABLE lz_audit ADD COLUMN chain $BLOB;

-- One row, which every writer of lz_audit changes first: so they come one after the other on any database.
CREATE TABLE lz_audit_head (
  id            integer NOT NULL PRIMARY KEY,
  length        bigint NOT NULL,
  chain         $BLOB NOT NULL
);
INSERT INTO lz_audit_head (id, length, chain) VALUES (1, 0, '');
