"""Bringing the tables of a database up to date: the numbered files of `schema/`, each applied once."""

import re
import time
from pathlib import Path
from sqlite3 import Connection
from string import Template

from lazaret.model.errors import UserError
from lazaret.store import dialect
from lazaret.store.database import EX_NOINPUT, transaction

_FOLDER = Path(__file__).parent / "schema"
_STATEMENT_END = re.compile(r";\s*\n")

AMAVIS = 1
"""The migration that makes the eight tables of amavisd-new."""


def available() -> dict[int, Path]:
    """Number of each migration -> its file, in order."""
    return {int(file.name[:4]): file for file in sorted(_FOLDER.glob("[0-9][0-9][0-9][0-9]_*.sql"))}


def applied(connection: Connection) -> set[int]:
    """Numbers of the migrations that the database has had."""
    if "lz_migrations" not in _tables(connection):
        return set()
    return {number for (number,) in connection.execute("SELECT number FROM lz_migrations")}


def is_foreign(connection: Connection) -> bool:
    """Whether another program made the tables `msgs` and so on, and rows without our own may be in them."""
    found = connection.execute("SELECT origin FROM lz_migrations WHERE number = :n", {"n": AMAVIS}).fetchone()
    return found is not None and found[0] != "lazaret"


def migrate(connection: Connection) -> list[int]:
    """Applies what is missing, in one transaction; the numbers applied. Of processes at once, one does it.

    Tables of amavisd-new that are there already stay as they are: only our own are put beside them.
    """
    done = []
    with transaction(connection):
        have = applied(connection)
        foreign = AMAVIS not in have and "msgs" in _tables(connection)
        for number, file in available().items():
            if number in have:
                continue
            if not (foreign and number == AMAVIS):
                _run(connection, file)
            _record(connection, number, "other" if foreign else "lazaret")
            done.append(number)
    return done


def require_current(connection: Connection, path: Path) -> None:
    """UserError when tables are missing, or were made by a later version of Lazaret."""
    have, know = applied(connection), set(available())
    if not have:
        raise UserError(f"{path} has no tables of Lazaret; `lazaret db init` adds them", EX_NOINPUT)
    if know - have:
        raise UserError(
            f"the tables in {path} are of an older version; run `lazaret db upgrade BACKUP-FILE`", EX_NOINPUT
        )
    if have - know:
        raise UserError(f"the tables in {path} are of a later version of Lazaret than this", EX_NOINPUT)


def _tables(connection: Connection) -> set[str]:
    return {name for (name,) in connection.execute(dialect.TABLES)}


def _run(connection: Connection, file: Path) -> None:
    text = Template(file.read_text("utf-8")).substitute(dialect.SCHEMA_WORDS)
    for statement in _STATEMENT_END.split(text):
        if statement.strip():
            connection.execute(statement)


def _record(connection: Connection, number: int, origin: str) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS lz_migrations"
        " (number integer NOT NULL PRIMARY KEY, time_num integer NOT NULL, origin varchar(16) NOT NULL)"
    )
    connection.execute(
        "INSERT INTO lz_migrations (number, time_num, origin) VALUES (:number, :time, :origin)",
        {"number": number, "time": int(time.time()), "origin": origin},
    )
