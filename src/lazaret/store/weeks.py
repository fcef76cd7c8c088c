"""The texts divided by week on a server: what was kept long enough goes in one step, and its room with it.

Only `quarantine` is divided, which has nine tenths of the octets and is always asked by partition and id. The
others are listed by time across all weeks, and fifty-odd parts would have to be asked for each page.
"""

from contextlib import closing

from lazaret.model.keeping import DAY_S
from lazaret.model.partition import WEEKS, Partition
from lazaret.store import migrations
from lazaret.store.connection import Connection, transaction
from lazaret.store.database import Database
from lazaret.store.dialect import Division

AT_ONCE = 20_000
"""Chunks of text that are moved without being asked for: mail waits for it some seconds."""

_CHUNKS = "SELECT count(*) FROM (SELECT 1 FROM quarantine LIMIT :most) counted"
_YOUNG = "SELECT 1 FROM msgs WHERE partition_tag = :tag AND time_num >= :before LIMIT 1"
_STORED = "SELECT 1 FROM msgs WHERE partition_tag = :tag AND quar_type = 'Q' LIMIT 1"
_TEXTS = "SELECT 1 FROM quarantine WHERE partition_tag = :tag LIMIT 1"


def divide(database: Database, *, whatever_size: bool = False) -> str:
    """Divides the table of texts by week, unless it is; in a sentence why not, or "".

    Mail that is to be quarantined waits meanwhile (451 after some seconds), so a large table is left as it
    is, unless it is to be done `whatever_size` it has.
    """
    with database.trouble(), closing(database.connect(writing=True, patient=True)) as connection:
        division = connection.dialect.division
        if division is None:
            return "SQLite divides no tables; its file gives the room back all the same"
        if is_divided(connection):
            return ""
        if migrations.is_foreign(connection):
            return "another program made the tables; their texts go message by message"
        (chunks,) = connection.execute(_CHUNKS, {"most": AT_ONCE + 1}).fetchone()
        if chunks > AT_ONCE and not whatever_size:
            return "the table of texts is large; stop the service and run `lazaret db purge --divide`"
        with transaction(connection):
            for statement in division.make:
                connection.execute(statement)
        return ""


def is_divided(connection: Connection) -> bool:
    """Whether a week can be cleared in one step."""
    division = connection.dialect.division
    return division is not None and _is_made(connection, division)


def to_clear(connection: Connection, before: int, now: float) -> set[int]:
    """Weeks with texts of which all are to go: every message in them came in before that moment.

    Not the week of `now` nor its neighbours, into which somebody may be writing at this moment.
    """
    if not is_divided(connection):
        return set()
    weekly = Partition(weekly=True)
    at_work = {weekly.tag(now + days * DAY_S) for days in (-1, 0, 1)}
    weeks = set(range(1, WEEKS + 1)) - at_work
    full = {tag for tag in weeks if connection.execute(_TEXTS, {"tag": tag}).fetchone()}
    values = [{"tag": tag, "before": before} for tag in sorted(full)]
    return {one["tag"] for one in values if connection.execute(_YOUNG, one).fetchone() is None}


def clear(database: Database, tag: int) -> bool:
    """Takes a week's texts away, once no message says that it has one; whether that was so.

    On a connection of its own: MariaDB commits what was begun before such a statement.
    """
    with database.trouble(), closing(database.connect(writing=True)) as connection:
        division = connection.dialect.division
        if division is None or connection.execute(_STORED, {"tag": tag}).fetchone():
            return False
        connection.execute(division.clear(tag))
        return True


def _is_made(connection: Connection, division: Division) -> bool:
    (number,) = connection.execute(division.is_made).fetchone()
    return bool(number)
