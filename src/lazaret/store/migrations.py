"""Bringing the tables of a database up to date: the numbered files of `schema/`, each applied once."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from string import Template

from lazaret.model.errors import UserError
from lazaret.store.connection import Connection, transaction
from lazaret.store.database import EX_NOINPUT
from lazaret.store.dialect import Dialect, sql

_FOLDER = Path(__file__).parent / "schema"
_COMMENT = re.compile(r"\s*--[^\n]*")
_STATEMENT_END = re.compile(r";\s*(?:\n|$)")

RESTORING = 0
"""Stands among the migrations of a database that a backup is being restored to."""
AMAVIS = 1
"""The migration that makes the eight tables of amavisd-new."""
SCORES, LEAVES, MOMENTS = 13, 17, 22
OF_AMAVIS = {AMAVIS, SCORES, LEAVES, MOMENTS}
"""Those that touch these tables: where another program made them, they stay as they are."""


def available(kind: str) -> dict[int, Path]:
    """Number of each migration -> its file, in order. `0001_name.KIND.sql` is for one kind of database."""
    files = sorted(_FOLDER.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return {int(file.name[:4]): file for file in files if file.name.split(".")[1] in (kind, "sql")}


def applied(connection: Connection) -> set[int]:
    """Numbers of the migrations that the database has had."""
    if "lz_migrations" not in tables(connection):
        return set()
    return {number for (number,) in connection.execute("SELECT number FROM lz_migrations")}


def is_foreign(connection: Connection) -> bool:
    """Whether another program made the tables `msgs` and so on, and rows without our own may be in them."""
    found = connection.execute("SELECT origin FROM lz_migrations WHERE number = :n", {"n": AMAVIS}).fetchone()
    return found is not None and found[0] != "lazaret"


def migrate(connection: Connection, only: set[int] | None = None) -> list[int]:
    """Applies what is missing, in one transaction; the numbers applied. Of processes at once, one does it.

    `only`: those that another database has had, which is to be copied here.
    Tables of amavisd-new that are there already stay as they are: only our own are put beside them.
    """
    done = []
    with transaction(connection):
        have = applied(connection)
        foreign = is_foreign(connection) if AMAVIS in have else "msgs" in tables(connection)
        for number, file in available(connection.dialect.kind).items():
            if number in have or (only is not None and number not in only):
                continue
            if not (foreign and number in OF_AMAVIS):
                for statement in statements(file, connection.dialect):
                    connection.execute(statement)
            _record(connection, number, "other" if foreign else "lazaret")
            done.append(number)
    return done


def mark_unfinished(connection: Connection) -> None:
    """From now on nothing opens the database."""
    _record(connection, RESTORING, "restoring")


def mark_finished(connection: Connection) -> None:
    """It is whole."""
    connection.execute("DELETE FROM lz_migrations WHERE number = :number", {"number": RESTORING})


def require_current(connection: Connection, place: str) -> None:
    """UserError when tables are missing, or were made by a later version of Lazaret."""
    have, know = applied(connection), set(available(connection.dialect.kind))
    if RESTORING in have:
        raise UserError(f"{place} was never restored to its end; empty it and restore it again", EX_NOINPUT)
    if not have:
        raise UserError(f"{place} has no tables of Lazaret; `lazaret db init` adds them", EX_NOINPUT)
    if know - have:
        raise UserError(
            f"the tables in {place} are of an older version; run `lazaret db upgrade BACKUP-FILE`", EX_NOINPUT
        )
    if have - know:
        raise UserError(f"the tables in {place} are of a later version of Lazaret than this", EX_NOINPUT)


def tables(connection: Connection) -> set[str]:
    """The names of all tables, other programs' too."""
    return {name for (name,) in connection.execute(connection.dialect.tables)}


def statements(file: Path, dialect: Dialect) -> Iterator[str]:
    """The statements of a migration as a database wants them."""
    text = Template(_COMMENT.sub("", file.read_text("utf-8"))).substitute(dialect.schema_words)
    for statement in map(str.strip, _STATEMENT_END.split(text)):
        if statement.startswith("CREATE TABLE ") and dialect.table_options:
            yield sql(statement, dialect.table_options)
        elif statement:
            yield statement


def _record(connection: Connection, number: int, origin: str) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS lz_migrations"
        " (number integer NOT NULL PRIMARY KEY, time_num integer NOT NULL, origin varchar(16) NOT NULL)"
    )
    connection.execute(
        "INSERT INTO lz_migrations (number, time_num, origin) VALUES (:number, :time, :origin)",
        {"number": number, "time": int(time.time()), "origin": origin},
    )
