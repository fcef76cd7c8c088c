-- Links by which people come in without a password.

CREATE TABLE lz_mail_logins (
  digest        $DIGEST NOT NULL,                -- SHA-256 of what the link holds
  email         varchar(255) NOT NULL,           -- to whom it was sent, as in maddr
  expires       integer NOT NULL,
  PRIMARY KEY (digest)
) $CLUSTERED;
