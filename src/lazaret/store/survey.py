"""Whose tables a database holds, how old they are, and what Lazaret would add: looking changes nothing."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from lazaret.store import manifest, migrations
from lazaret.store.connection import Connection
from lazaret.store.database import Database
from lazaret.store.dialect import sql
from lazaret.store.manifest import columns_of

EIGHT = ("policy", "users", "mailaddr", "wblist", "maddr", "msgs", "msgrcpt", "quarantine")
"""The tables of amavisd-new."""
_STORED = (
    "SELECT count(*) FROM msgs m LEFT JOIN lz_msgs l ON l.partition_tag = m.partition_tag"
    " AND l.mail_id = m.mail_id WHERE m.quar_type = 'Q' AND m.content IS NOT NULL"
    " AND COALESCE(l.indexed, 'N') <> 'Y'"
)
_UNFINISHED = "SELECT count(*) FROM msgs WHERE content IS NULL"
_PARTITIONS = "SELECT count(DISTINCT partition_tag), min(partition_tag), max(partition_tag) FROM msgs"
_SPAN = "SELECT min(time_iso), max(time_iso) FROM msgs"


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found."""

    owner: str
    notes: tuple[str, ...]
    rows: dict[str, int]
    """Table -> rows."""


def survey(database: Database) -> Survey:
    """UserError when there is no database; StoreUnavailable when it cannot be read."""
    database.require()
    with database.trouble(), closing(database.connect(patient=True)) as connection:
        there = migrations.tables(connection)
        known = [table for table in (*EIGHT, *manifest.TABLES) if table in there]
        rows = {table: _count(connection, table) for table in dict.fromkeys(known)}
        return Survey(_owner(connection, there), tuple(_notes(connection, there)), rows)


def _owner(connection: Connection, there: set[str]) -> str:
    if "lz_migrations" in there:
        beside = migrations.is_foreign(connection)
        return "amavisd's tables with Lazaret's beside them" if beside else "made by Lazaret"
    if "msgs" in there:
        return f"amavisd's tables, {_version(connection, there)}; `lazaret db init` adds ours"
    if there & set(EIGHT):
        return "amavisd's tables of policies alone; `lazaret db init` adds the others"
    return "no tables of amavisd or Lazaret; `lazaret db init` makes them"


def _version(connection: Connection, there: set[str]) -> str:
    if "partition_tag" not in columns_of(connection, "msgs"):
        return "of a version before 2.6, which Lazaret cannot read: msgs.partition_tag is missing"
    if "policy" in there and "spam_modifies_subj" in columns_of(connection, "policy"):
        return "of a version before 2.7"
    return "of version 2.7 or later"


def _notes(connection: Connection, there: set[str]) -> Iterator[str]:
    missing = [table for table in EIGHT if table not in there]
    if missing and there & set(EIGHT):
        yield f"missing: {', '.join(missing)}"
    if "msgs" not in there or "partition_tag" not in columns_of(connection, "msgs"):
        return
    number, first, last = connection.execute(_PARTITIONS).fetchone()
    if number:
        oldest, newest = connection.execute(_SPAN).fetchone()
        yield f"messages from {oldest} to {newest}"
    if number > 1 or first:
        yield f"partitions: {number}, tags {first} to {last}"
    (unfinished,) = connection.execute(_UNFINISHED).fetchone()
    if unfinished:
        yield f"{unfinished} rows of messages that amavisd has not finished; they are not shown"
    if "lz_msgs" in there:
        (left,) = connection.execute(_STORED).fetchone()
        if left:
            yield f"{left} stored messages are not indexed yet; `lazaret db reindex` does it"


def _count(connection: Connection, table: str) -> int:
    (number,) = connection.execute(sql("SELECT count(*) FROM", table)).fetchone()
    return int(number)
