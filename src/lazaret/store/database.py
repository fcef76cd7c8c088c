"""Opening the SQLite file: where it lies, how it is set up, and what its errors mean in words."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from urllib.parse import unquote, urlsplit

from lazaret.model.errors import StoreUnavailable, UserError

EX_NOINPUT = 66
EX_CONFIG = 78

BUSY_S = 10.0
"""How long a statement waits for another process' lock."""

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


@dataclass(frozen=True, slots=True)
class Database:
    """One SQLite file."""

    path: Path

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
        """UserError with EX_NOINPUT when the file is missing."""
        if not self.exists:
            raise UserError(f"there is no database {self.path}; `lazaret db init` makes one", EX_NOINPUT)

    def place(self) -> tuple[int, int]:
        """Which file lies at the path, by device and inode. StoreUnavailable when none does.

        SQLite does not look: it would go on writing to a deleted file, and say that all went well.
        """
        try:
            found = self.path.stat()
        except OSError as error:
            raise StoreUnavailable(f"database {self.path}: {error.strerror}") from error
        return found.st_dev, found.st_ino

    def connect(self, *, writing: bool = False) -> Connection:
        """A connection in autocommit mode, for use by one thread at a time."""
        with self.trouble():
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=BUSY_S,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
            try:
                _set_up(connection, writing)
            except BaseException:
                connection.close()
                raise
            return connection

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """Turns the errors of SQLite into StoreUnavailable with the cause in words."""
        try:
            yield
        except sqlite3.Error as error:
            raise self.unavailable(error) from error

    def unavailable(self, error: sqlite3.Error) -> StoreUnavailable:
        """What an error of SQLite means, for the operator."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return StoreUnavailable(f"database {self.path}: {_CAUSES.get(code, str(error))}")


def locate(url: str, data_dir: Path) -> Database:
    """The file that `store.url` means; a relative path (`sqlite:///name.db`) lies in `data_dir`."""
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        raise UserError(
            f"store.url: {parts.scheme or url!r} is not supported, only sqlite:///FILE", EX_CONFIG
        )
    if parts.netloc or len(parts.path) < 2:
        raise UserError(f"store.url: {url!r} must be sqlite:///FILE, or sqlite:////ABSOLUTE/FILE", EX_CONFIG)
    return Database(data_dir / unquote(parts.path[1:]))


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """One write transaction, begun at once, so that what is read in it cannot change before the write."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # A full disk or an I/O error has rolled it back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _set_up(connection: Connection, writing: bool) -> None:
    """Settings of one connection; those of the file (vacuum mode, journal) hold from its creation."""
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
