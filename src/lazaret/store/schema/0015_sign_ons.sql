-- Sessions that an OpenID provider has opened: it may end them, and may have said what somebody is in them.

CREATE TABLE lz_sign_ons (
  digest        $DIGEST NOT NULL,                -- as in lz_sessions, or before the code in lz_half_logins
  user_id       bigint NOT NULL,
  identity      $DIGEST NOT NULL,                -- as in lz_identities
  sid           $DIGEST NOT NULL,                -- SHA-256 of issuer and the provider's name of its session
  role          varchar(16) NOT NULL,            -- in this session alone; '' for that of the account
  domains       $TEXT NOT NULL,                  -- of a domain admin, with blanks between them
  PRIMARY KEY (digest)
) $CLUSTERED;
CREATE INDEX lz_sign_ons_idx_user ON lz_sign_ons (user_id);
CREATE INDEX lz_sign_ons_idx_identity ON lz_sign_ons (identity);
CREATE INDEX lz_sign_ons_idx_sid ON lz_sign_ons (sid);
