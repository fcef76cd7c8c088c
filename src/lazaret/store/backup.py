"""One-file backup of a database in service, and the way back; both proven against a manifest."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from lazaret.model.errors import UserError
from lazaret.store import manifest, migrations
from lazaret.store.check import check_database
from lazaret.store.connection import Connection, DatabaseError, snapshot, transaction
from lazaret.store.copying import copy_rows, index_words
from lazaret.store.database import EX_NOINPUT, Database
from lazaret.store.dialect import sql
from lazaret.store.manifest import Contents
from lazaret.store.sqlite import SqliteConnection, SqliteDatabase

# A backup of a server has the words alone.
_IS_SEARCHABLE = "SELECT 1 FROM lz_text_docsize LIMIT 1"
EX_CANTCREAT = 73
EX_DATAERR = 65


def backup(database: Database, target: Path) -> dict[str, Contents]:
    """Writes the state of this moment into a new file (0600) while the database stays in service.

    The file is an SQLite database, with a manifest in the table `lz_manifest`; the manifest is returned.
    UserError when the file is there already or cannot be made.
    """
    database.require()
    part = _begin(target)
    copy = SqliteDatabase(part)
    with _whole_or_not(part), copy.trouble(), closing(copy.connect()) as made:
        made.execute("PRAGMA query_only = 0")
        with database.trouble(), closing(database.connect(patient=True)) as source:
            if isinstance(source, SqliteConnection):
                source.backup(made)
            else:
                _write_out(source, made)
        made.execute("PRAGMA journal_mode = DELETE").fetchall()
        with transaction(made):
            manifest.drop(made)
            contents = manifest.take(made)
            manifest.write(made, contents)
    _finish(part, target)
    return contents


def restore(file: Path, database: Database) -> dict[str, Contents]:
    """Makes a new database out of a backup that was checked first; what it holds, which is proven again.

    UserError when the place is taken, or when the backup is not whole: its text says what is wrong.
    """
    source = SqliteDatabase(file)
    if not source.exists:
        raise UserError(f"there is no backup {file}", EX_NOINPUT)
    if isinstance(database, SqliteDatabase) and database.exists:
        raise UserError(f"{database.name} is there already; restore to an empty place", EX_CANTCREAT)
    if faults := check_database(source):
        raise UserError(f"{file} is not whole: {'; '.join(faults[:3])}", EX_DATAERR)
    if isinstance(database, SqliteDatabase):
        return _restore_file(source, database)
    return _restore_rows(source, database)


def _write_out(source: Connection, made: SqliteConnection) -> None:
    """The rows of a server into a file that nobody else sees yet, and nobody searches."""
    made.execute("PRAGMA journal_mode = OFF").fetchall()
    made.execute("PRAGMA synchronous = OFF")
    migrations.migrate(made, only=migrations.applied(source))
    with snapshot(source):
        copy_rows(source, made, searchable=False)


def _restore_file(source: SqliteDatabase, database: SqliteDatabase) -> dict[str, Contents]:
    database.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = _begin(database.path)
    copy = SqliteDatabase(part)
    with _whole_or_not(part), copy.trouble(), closing(copy.connect()) as made:
        made.execute("PRAGMA query_only = 0")
        with source.trouble(), closing(source.connect()) as origin:
            contents = manifest.read(origin)
            origin.backup(made)
            if made.execute(_IS_SEARCHABLE).fetchone() is None:
                made.execute("PRAGMA journal_mode = OFF").fetchall()
                made.execute("PRAGMA synchronous = OFF")
                index_words(origin, made)
                made.execute("PRAGMA journal_mode = DELETE").fetchall()
        with transaction(made):
            manifest.drop(made)
    _finish(part, database.path)
    return contents


def _restore_rows(source: SqliteDatabase, database: Database) -> dict[str, Contents]:
    """To a server: until all is there and proven, the database says that it is not whole.

    What fails leaves nothing behind; only where the server or this process dies meanwhile that word stays.
    """
    with database.trouble(), closing(database.connect(writing=True, patient=True)) as target:
        if taken := migrations.tables(target) & set(manifest.TABLES):
            raise UserError(
                f"{database.name} has a table {min(taken)} already; restore to an empty place", EX_CANTCREAT
            )
        before = migrations.tables(target)
        with _all_tables_or_none(target, before):
            migrations.migrate(target)
            migrations.mark_unfinished(target)
            # The last transaction waits for the disk, and with that for all before it.
            database.make_durable(target, False)
            with source.trouble(), closing(source.connect()) as origin, snapshot(origin):
                contents = manifest.read(origin)
                copy_rows(origin, target)
            database.make_durable(target, True)
            with transaction(target):
                migrations.mark_finished(target)
                if faults := list(manifest.differences(contents, manifest.take(target))):
                    text = f"{database.name} is not what {source.name} holds: {'; '.join(faults)}"
                    raise UserError(text, EX_DATAERR)
        return contents


@contextmanager
def _all_tables_or_none(target: Connection, before: set[str]) -> Iterator[None]:
    """Takes the tables away that were made within, when that fails."""
    try:
        yield
    except BaseException:
        with suppress(DatabaseError):
            for table in sorted(migrations.tables(target) - before):
                target.execute(sql("DROP TABLE IF EXISTS", table))
        raise


@contextmanager
def _whole_or_not(part: Path) -> Iterator[None]:
    """Takes a file away that was not made to its end."""
    try:
        yield
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def upgrade(database: Database, file: Path) -> list[int]:
    """Brings older tables up to date after a backup into `file`; the migrations applied, none if current."""
    database.require()
    with database.trouble(), closing(database.connect(writing=True)) as connection:
        if not migrations.available(database.dialect.kind).keys() - migrations.applied(connection):
            return []
        backup(database, file)
        return migrations.migrate(connection)


def _begin(target: Path) -> Path:
    """The file under which it is made, so that a half one never bears the name of a whole one."""
    if target.exists():
        raise UserError(f"{target} is there already; choose another name", EX_CANTCREAT)
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise UserError(f"{target}: {error.strerror}", EX_CANTCREAT) from error
    return part


def _finish(part: Path, target: Path) -> None:
    with open(part, "rb") as file:
        os.fsync(file.fileno())
    part.rename(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
