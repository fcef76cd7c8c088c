-- The codes of an authenticator app, by which people prove themselves beside their password.

CREATE TABLE lz_second_factors (
  user_id       bigint NOT NULL,
  secret        varchar(64) NOT NULL,            -- of RFC 6238, in Base32
  confirmed     char(1) NOT NULL DEFAULT 'N',    -- a first code has shown that the app has it
  last_step     bigint NOT NULL DEFAULT 0,       -- of the last code that was used: each is good once
  PRIMARY KEY (user_id)
) $CLUSTERED;

CREATE TABLE lz_recovery_codes (
  digest        $DIGEST NOT NULL,                -- SHA-256 of the code
  user_id       bigint NOT NULL,
  PRIMARY KEY (digest)
) $CLUSTERED;

CREATE TABLE lz_half_logins (
  digest        $DIGEST NOT NULL,                -- SHA-256 of what the form holds that asks for a code
  user_id       bigint NOT NULL,
  expires       integer NOT NULL,
  PRIMARY KEY (digest)
) $CLUSTERED;
