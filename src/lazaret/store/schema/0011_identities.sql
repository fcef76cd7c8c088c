-- People as an OpenID provider knows them.

CREATE TABLE lz_identities (
  digest        $DIGEST NOT NULL,                -- SHA-256 of issuer and subject
  user_id       bigint NOT NULL,
  issuer        varchar(255) NOT NULL,
  subject       varchar(255) NOT NULL,
  created       integer NOT NULL,
  PRIMARY KEY (digest)
) $CLUSTERED;
CREATE INDEX lz_identities_idx_user ON lz_identities (user_id);
