"""The SQLite file: where it lies, how it is set up, and what its errors mean in words."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lazaret.model.errors import StoreUnavailable, UserError
from lazaret.store.connection import Connection, Fault
from lazaret.store.database import BUSY_S, EX_NOINPUT, Database
from lazaret.store.dialect import COLUMNS, NEWEST, Dialect, Warming
from lazaret.store.fulltext import unpacked
from lazaret.store.inserting import one_row

_STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock; less than a millisecond."""

_SHARED_MEMORY = 32_768
"""Octets by which the file for shared memory grows."""

_CAUSES = {
    sqlite3.SQLITE_BUSY: f"another process kept it locked for more than {BUSY_S:.0f} s",
    sqlite3.SQLITE_LOCKED: "a table in it is locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it cannot be written to: file, directory or file system are read-only",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; `lazaret db check` says where, a backup can be restored",
    sqlite3.SQLITE_NOTADB: "the file is not an SQLite database",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: is its directory there, and ours?",
    sqlite3.SQLITE_PERM: "access to the file is denied",
    sqlite3.SQLITE_AUTH: "access to the file is denied",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_TOOBIG: "a value is larger than SQLite can keep",
    sqlite3.SQLITE_SCHEMA: "its tables were changed at this moment",
}


_HAS_MOMENTS = "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = 'msgs_idx_moment'"

MERGE_WORDS = "INSERT INTO lz_text (lz_text, rank) VALUES ('merge', 64)"
_CHANGES = "SELECT total_changes()"
_MERGE = "INSERT INTO lz_text (lz_text, rank) VALUES ('merge', 256)"
"""So many pages at a time: 10 to 30 ms, for which mail waits. FTS5 itself merges as many as are written."""


class Fts5:
    """SQLite's own full-text index.

    Without content of its own it is a third the size; lz_words has what a deletion needs.
    """

    matching = "SELECT rowid AS msg FROM lz_text WHERE lz_text MATCH :match"
    # A sum is in no index: SQLite would look for each of them, a million times a campaign.
    among = among_newest = "l.id + 0 IN ($MATCHING)"
    # One look into the index gives all of the newest. For a single message it takes milliseconds when the
    # index is large, and to read the message's own words some hundredth of one.
    in_row = (
        "CASE WHEN l.id > :floor"
        " THEN l.id IN (SELECT rowid FROM lz_text WHERE lz_text MATCH :match AND rowid > :floor)"
        " ELSE COALESCE((SELECT lz_has(w.packed, :places, :follow)"
        " FROM lz_words w WHERE w.msg = l.id), 0) END"
    )
    in_recent = in_row
    entries = 0.0
    sample = (
        "SELECT (SELECT count(*) FROM lz_text WHERE lz_text MATCH :match AND rowid > $AFTER),"
        " (SELECT count(*) FROM lz_text WHERE lz_text MATCH :every AND rowid > $AFTER)"
    ).replace("$AFTER", "COALESCE((SELECT msg FROM lz_words ORDER BY msg DESC LIMIT 1 OFFSET :some), 0)")
    closer = 0
    row_cost = 300.0
    phrase_cost = 150.0
    columns = ("rowid", *COLUMNS)
    drop_index = make_index = ""
    add = (
        "INSERT INTO lz_text (rowid, subject, sender, recipients, body, attachments)"
        " VALUES (:id, :subject, :sender, :recipients, :body, :attachments)"
    )
    is_removed_by_words = True
    remove = (
        "INSERT INTO lz_text (lz_text, rowid, subject, sender, recipients, body, attachments)"
        " VALUES ('delete', :id, :subject, :sender, :recipients, :body, :attachments)"
    )

    def values(self, msg: int, columns: Sequence[str]) -> dict[str, object]:
        return {"id": msg, **dict(zip(COLUMNS, columns, strict=True))}

    def tend(self, connection: Connection) -> bool:
        before = connection.execute(_CHANGES).fetchone()[0]
        connection.execute(_MERGE)
        # The statement itself counts as one.
        return bool(connection.execute(_CHANGES).fetchone()[0] - before > 1)

    def match(self, columns: Sequence[str], words: Sequence[str], prefix: bool) -> dict[str, object]:
        end = " *" if prefix else ""
        place = f"{{{' '.join(columns)}}} : "
        every = " AND ".join(f'{place}"{word}"' for word in words)
        return {
            "match": f'{place}"{" ".join(words)}"{end}',
            "every": every + end,
            "places": " ".join(str(COLUMNS.index(column)) for column in columns),
            "follow": " " + " ".join(words) + ("" if prefix else " "),
        }


def _has(packed: bytes, places: str, follow: str) -> bool:
    """Whether words follow each other in one of the columns (their numbers) of a message in lz_words."""
    columns = unpacked(packed)
    return any(follow in f" {columns[int(place)]} " for place in places.split())


SQLITE = Dialect(
    kind="sqlite",
    schema_words={
        "SERIAL": "INTEGER PRIMARY KEY",
        "MAIL_ID": "varchar(16)",
        "EMAIL": "varchar(255)",
        "ORDERED": "varchar(255)",
        "BLOB": "blob",
        "TEXT": "text",
        "DIGEST": "blob",
        "KEY": "blob",
        "CLUSTERED": "WITHOUT ROWID",
        # The tokenizer "ascii" takes each of our words as it is: it splits at ASCII punctuation alone.
        "OF_STORED": "WHERE quar_type = 'Q'",
        "FEWER_PAGES": "",
        "LEAVES": "",
        "KEYS": "CREATE INDEX lz_msgs_idx_key ON lz_msgs (id, partition_tag, mail_id);",
        "MOMENTS": (
            "CREATE INDEX msgs_idx_moment ON msgs (mail_id, partition_tag, time_num);\n"
            "DROP INDEX msgs_idx_sid;\n"
            "CREATE INDEX msgs_idx_sid ON msgs (sid, time_num, mail_id, partition_tag);\n"
            "DROP INDEX msgrcpt_idx_rid;\n"
            "CREATE INDEX msgrcpt_idx_rid ON msgrcpt (rid, partition_tag, mail_id);"
        ),
        # By default the insertion that finds 16 pieces of an index on one level merges all of them, however
        # large they are: seconds to minutes after copies and restores. 2,000 pieces in all are its limit.
        "PATIENCE": "INSERT INTO lz_text (lz_text, rank) VALUES ('crisismerge', 1000);",
        "CHAIN_AS_OCTETS": "UPDATE lz_audit_head SET chain = CAST(chain AS BLOB);",
        "WORDS_IN_LOWER_CASE": "",
        "FULLTEXT": (
            "CREATE VIRTUAL TABLE lz_text USING fts5("
            "subject, sender, recipients, body, attachments, content='', tokenize='ascii');"
        ),
    },
    table_options="",
    begin="BEGIN IMMEDIATE",
    begin_snapshot="BEGIN",
    insert_new="INSERT OR IGNORE INTO",
    on_known="",
    lock="",
    share="",
    tables="SELECT name FROM sqlite_master WHERE type = 'table'",
    renumber="",
    columns=("SELECT name FROM pragma_table_info(:table)"),
    full_text=Fts5(),
    # It looks for the name of each parameter among all of them: 5,000 take 40 ms, or 140 for the first time.
    listed="SELECT value FROM json_each(:$NAME)",
    # By itself it reads the whole row of whatever is looked for by a number or a unique key.
    their_keys="INDEXED BY lz_msgs_idx_key",
    their_moments="INDEXED BY msgs_idx_moment",
    walk_cost=0.4,
    # No number is negative. What depends on m alone would be asked of each message before l is looked for.
    after_words="OR l.id < 0",
    warming=Warming(
        ours=(
            "SELECT sum(length(o.mail_id)) FROM lz_msgs o INDEXED BY lz_msgs_idx_key",
            "SELECT sum(length(l.mail_id)) FROM lz_msgs l INDEXED BY sqlite_autoindex_lz_msgs_1",
        ),
        theirs=(
            "SELECT sum(length(r.mail_id)) FROM msgrcpt r INDEXED BY sqlite_autoindex_msgrcpt_1",
            "SELECT sum(m.time_num) FROM msgs m INDEXED BY msgs_idx_moment",
            *NEWEST,
        ),
    ),
)
_OF_ANOTHER_PROGRAM = replace(SQLITE, their_moments="")
"""Where another program made `msgs`, it has no index of ours, which SQLite would call an error."""


class SqliteConnection(sqlite3.Connection):
    """The driver's connection as it is: it speaks the common statements itself."""

    dialect = SQLITE

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.executemany(one_row(table, columns), rows)

    def stream(self, statement: str) -> Iterator[tuple[Any, ...]]:
        return self.execute(statement)


@dataclass(frozen=True, slots=True)
class SqliteDatabase(Database):
    """One SQLite file."""

    path: Path
    dialect = SQLITE
    errors = (sqlite3.Error,)
    is_local = True

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def directory(self) -> Path:
        return self.path.parent

    @property
    def exists(self) -> bool:
        return self.path.is_file()

    def create(self) -> None:
        """Makes the empty file (0600) and its directory (0700); leaves what is there as it is."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StoreUnavailable(f"database {self.path}: {error.strerror}") from error

    def require(self) -> None:
        if not self.exists:
            raise UserError(
                f"there is no database {self.path}; is that the service's store.url, or is --config missing?"
                " `lazaret db init` makes one",
                EX_NOINPUT,
            )

    def place(self) -> tuple[int, int]:
        """Which file lies at the path, by device and inode. StoreUnavailable when none does.

        SQLite does not look: it would go on writing to a deleted file, and say that all went well.
        """
        try:
            found = self.path.stat()
        except OSError as error:
            raise StoreUnavailable(f"database {self.path}: {error.strerror}") from error
        return found.st_dev, found.st_ino

    def connect(self, *, writing: bool = False, patient: bool = False) -> SqliteConnection:
        with self.trouble():
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=BUSY_S,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
                factory=SqliteConnection,
            )
            try:
                _set_up(connection, writing)
            except BaseException:
                connection.close()
                raise
            return connection

    def make_durable(self, connection: Connection, durable: bool) -> None:
        """FULL waits for the disk at each commit; NORMAL may lose the last commits in a power cut."""
        connection.execute("PRAGMA synchronous = FULL" if durable else "PRAGMA synchronous = NORMAL")

    @contextmanager
    def limited(self, connection: Connection, seconds: float) -> Iterator[None]:
        assert isinstance(connection, SqliteConnection)
        end = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        try:
            yield
        finally:
            connection.set_progress_handler(None, 0)

    def fault(self, error: Exception) -> Fault:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            return Fault.STOPPED
        at_work = (
            sqlite3.IntegrityError,
            sqlite3.DataError,
            sqlite3.ProgrammingError,
            sqlite3.InterfaceError,
        )
        return Fault.WORK if isinstance(error, at_work) else Fault.DOWN

    def cause(self, error: Exception) -> str:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_IOERR and self._has_no_space():
            code = sqlite3.SQLITE_FULL
        return _CAUSES.get(code, str(error))

    def _has_no_space(self) -> bool:
        """Its file for shared memory cannot grow on a full disk, which SQLite calls an error of the disk."""
        with suppress(OSError):
            return shutil.disk_usage(self.directory).free < _SHARED_MEMORY
        return False


def _set_up(connection: SqliteConnection, writing: bool) -> None:
    """Settings of one connection; those of the file (vacuum mode, journal) hold from its creation."""
    connection.create_function("lz_has", 3, _has, deterministic=True)
    # Whoever reads a damaged file hears of it by what he asks.
    with suppress(sqlite3.DatabaseError):
        if not connection.execute(_HAS_MOMENTS).fetchone():
            connection.dialect = _OF_ANOTHER_PROGRAM
    if not writing:
        connection.execute("PRAGMA query_only = 1")
        return
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute("PRAGMA cache_size = -8000")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("PRAGMA journal_size_limit = 67108864")
