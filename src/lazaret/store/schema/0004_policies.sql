-- What amavisd-new's tables of policies and lists have no column for.

-- Beside a row of wblist that Lazaret wrote.
CREATE TABLE lz_lists (
  rid           integer NOT NULL,
  sid           integer NOT NULL,
  wb            varchar(10) NOT NULL,            -- as we wrote it; wblist has another: somebody else wrote that
  networks      $TEXT NOT NULL,                  -- CIDR, blanks between: where the sender's mail comes from
  expires       bigint NOT NULL DEFAULT 0,       -- seconds since 1970; 0: never
  note          varchar(255) NOT NULL DEFAULT '',
  who           varchar(255) NOT NULL,
  time_num      bigint NOT NULL,
  PRIMARY KEY (rid, sid)
) $CLUSTERED;
CREATE INDEX lz_lists_idx_expires ON lz_lists (expires);

-- How often something was changed, so that every process notices.
CREATE TABLE lz_changes (
  name          varchar(32) NOT NULL PRIMARY KEY,
  number        bigint NOT NULL
);
INSERT INTO lz_changes (name, number) VALUES ('policies', 0);
