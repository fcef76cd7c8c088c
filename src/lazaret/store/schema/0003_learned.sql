-- What was taught: a journal, out of which each host makes its model, and makes it anew.

CREATE TABLE lz_learned (
  id            $SERIAL,
  digest        $DIGEST NOT NULL,                -- of the message, whichever way it came back to us
  label         char(1) NOT NULL,                -- S: spam, H: ham, F: what `undoes` names is forgotten
  who           varchar(255) NOT NULL,           -- cli:NAME, user:ADDRESS, auto:DOMAIN
  time_num      integer NOT NULL,
  weight        double precision NOT NULL,       -- 1: as much as a person's lesson counts
  mail_id       $MAIL_ID NOT NULL,               -- as we know the message; '': as far as is known
  undoes        bigint NOT NULL DEFAULT 0,       -- the lesson that this row takes back
  undone_by     bigint NOT NULL DEFAULT 0,       -- the row that takes this one back; 0: it is in force
  features      $BLOB NOT NULL,                  -- packed (lazaret.learn.packing); empty for F
  UNIQUE (digest, undone_by)
);
CREATE INDEX lz_learned_idx_who ON lz_learned (who, time_num);

-- What all hosts of a site have to know alike, and nobody else.
CREATE TABLE lz_secrets (
  name          varchar(64) NOT NULL PRIMARY KEY,
  secret        $BLOB NOT NULL
);
