"""Proving that a database, or a backup, is whole: every page, every row, every octet of every message."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from lazaret.store import manifest, migrations
from lazaret.store.connection import Connection, snapshot
from lazaret.store.database import Database
from lazaret.store.dialect import sql
from lazaret.store.keys import Key
from lazaret.store.locating import locate
from lazaret.store.quarantine import stored_text
from lazaret.store.sqlite import SqliteDatabase

MAX_FAULTS = 100
"""Sentences about one kind of fault; a broken disk would give millions."""

_KEY = "o.mail_id = m.mail_id AND o.partition_tag = m.partition_tag"
_LOST = {
    "has recipients, but no row in msgs": ("msgrcpt", ""),
    "has text, but no row in msgs": ("quarantine", "AND m.chunk_ind = 1"),
    "has a row in lz_msgs, but none in msgs": ("lz_msgs", ""),
}
_ADDRESSLESS = {
    "has a sender that is not in maddr": (
        "FROM msgs m WHERE NOT EXISTS (SELECT 1 FROM maddr a WHERE a.id = m.sid)"
    ),
    "has a recipient that is not in maddr": (
        "FROM msgrcpt m WHERE NOT EXISTS (SELECT 1 FROM maddr a WHERE a.id = m.rid)"
    ),
}
_STORED = (
    "SELECT m.time_num, m.mail_id, m.partition_tag, l.digest, l.indexed, l.id FROM msgs m LEFT JOIN lz_msgs l"
    " ON l.mail_id = m.mail_id AND l.partition_tag = m.partition_tag"
    " WHERE m.quar_type = 'Q' AND m.content IS NOT NULL AND m.time_num >= :time AND (m.time_num > :time"
    " OR m.mail_id > :mail_id OR m.mail_id = :mail_id AND m.partition_tag > :tag)"
    " ORDER BY m.time_num, m.mail_id, m.partition_tag LIMIT 1000"
)


def check(place: str | Path, data_dir: Path | None = None) -> list[str]:
    """One sentence for each fault of a database (a URL) or a backup (a path); none when it is whole."""
    if isinstance(place, str) and "://" in place:
        return check_database(locate(place, data_dir or Path()))
    return check_database(SqliteDatabase(Path(place)))


def check_database(database: Database) -> list[str]:
    """The same for an opened place. UserError when there is none, StoreUnavailable when it cannot be read."""
    database.require()
    with database.trouble(), closing(database.connect(patient=True)) as connection:
        if isinstance(database, SqliteDatabase) and (pages := _pages(database, connection)):
            return pages
        migrations.require_current(connection, database.name)
        promised = manifest.read(connection)
        with snapshot(connection):
            faults = [*_rows(connection), *_texts(connection)]
            if promised:
                faults += manifest.differences(promised, manifest.take(connection))
        return faults


def _pages(database: Database, connection: Connection) -> list[str]:
    try:
        found = connection.execute("PRAGMA integrity_check(20)").fetchall()
    except sqlite3.DatabaseError as error:
        return [f"{database.name}: {error}; `lazaret db restore` puts a backup in its place"]
    return [text for (text,) in found if text != "ok"]


def _rows(connection: Connection) -> Iterator[str]:
    for fault, (table, condition) in _LOST.items():
        lost = sql(
            "SELECT m.mail_id, m.partition_tag FROM",
            table,
            "m WHERE NOT EXISTS (SELECT 1 FROM msgs o WHERE",
            sql(_KEY, ")", condition, "LIMIT :most"),
        )
        yield from _named(connection, lost, fault)
    for fault, place in _ADDRESSLESS.items():
        yield from _named(connection, sql("SELECT m.mail_id, m.partition_tag", place, "LIMIT :most"), fault)


def _named(connection: Connection, statement: str, fault: str) -> Iterator[str]:
    for mail_id, _ in connection.execute(statement, {"most": MAX_FAULTS}):
        yield f"{mail_id} {fault}"


def _texts(connection: Connection) -> Iterator[str]:
    for _, mail_id, tag, digest, indexed, msg in _stored(connection):
        message = Key(mail_id, tag)
        numbers = connection.execute(
            "SELECT count(*), min(chunk_ind), max(chunk_ind) FROM quarantine"
            " WHERE mail_id = :mail_id AND partition_tag = :tag",
            message.values,
        ).fetchone()
        if numbers[0] == 0:
            yield f"{mail_id} is in the quarantine, but its text is missing"
        elif numbers[1:] != (1, numbers[0]):
            yield f"{mail_id} lacks a part of its text"
        elif digest and hashlib.sha256(stored_text(connection, message).message).digest() != digest:
            yield f"{mail_id} has a text that is not what came in: its digest differs"
        if indexed == "Y" and not _has_words(connection, msg):
            yield f"{mail_id} is not in the full-text index"


def _stored(connection: Connection) -> Iterator[Any]:
    """Every message in the quarantine, some at a time."""
    after = {"time": 0, "mail_id": "", "tag": 0}
    while rows := connection.execute(_STORED, after).fetchall():
        yield from rows
        after = dict(zip(after, rows[-1], strict=False))


def _has_words(connection: Connection, msg: int) -> bool:
    found = connection.execute("SELECT 1 FROM lz_words WHERE msg = :msg", {"msg": msg}).fetchone()
    return found is not None
