-- Passkeys (WebAuthn), and their challenges that were answered.

CREATE TABLE lz_passkeys (
  digest        $DIGEST NOT NULL,                -- SHA-256 of the id of the credential
  user_id       bigint NOT NULL,
  credential    $BLOB NOT NULL,                  -- its id, as the authenticator gave it
  public_key    $BLOB NOT NULL,                  -- COSE
  sign_count    bigint NOT NULL,                 -- of the last use; 0 for one that does not count
  label         varchar(64) NOT NULL,
  created       integer NOT NULL,
  used          integer NOT NULL DEFAULT 0,
  PRIMARY KEY (digest)
) $CLUSTERED;
CREATE INDEX lz_passkeys_idx_user ON lz_passkeys (user_id);

CREATE TABLE lz_used_challenges (
  digest        $DIGEST NOT NULL,                -- SHA-256 of the challenge: each is good once
  expires       integer NOT NULL,
  PRIMARY KEY (digest)
) $CLUSTERED;
