"""All rows of one database into another, of whichever kinds the two are."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from lazaret.store import fulltext
from lazaret.store.connection import Connection, transaction
from lazaret.store.dialect import sql
from lazaret.store.inserting import select
from lazaret.store.manifest import TABLES, columns_of
from lazaret.store.migrations import tables

_CLEAR_MIGRATIONS = "DELETE FROM lz_migrations WHERE number > 0"
"""Others are marks of a copy in progress."""
BATCH = 5_000
"""Rows to a transaction."""
LARGE_BATCH = 320
"""The same of what may have 16 KB and more; five megabytes."""
LARGE = {"quarantine", "lz_words", "lz_learned"}


def copy_rows(source: Connection, target: Connection, *, searchable: bool = True) -> None:
    """Fills the tables of `target`; what a new database has in them already goes.

    To be called inside a snapshot of the source. A column that one of the two lacks is left out.
    `searchable`: with the full text, which takes as long as all else.
    """
    there = tables(source)
    for table in TABLES:
        if table in there:
            _copy_table(source, target, table)
    if searchable:
        index_words(source, target)
    _count_on(target)


def _copy_table(source: Connection, target: Connection, table: str) -> None:
    there = set(columns_of(source, table))
    columns = [name for name in columns_of(target, table) if name in there]
    target.execute(_CLEAR_MIGRATIONS if table == "lz_migrations" else sql("DELETE FROM", table))
    rows: Iterator[Sequence[Any]] = source.stream(select(table, columns))
    if "time_iso" in columns:
        rows = _with_time_iso(rows, columns.index("time_num"), columns.index("time_iso"))
    for batch in _batches(rows, LARGE_BATCH if table in LARGE else BATCH):
        with transaction(target):
            target.load(table, columns, batch)


def index_words(source: Connection, target: Connection) -> None:
    """The full text, out of the words that lie beside it."""
    index = target.dialect.full_text
    if index.drop_index:
        target.execute(index.drop_index)
    for batch in _batches(source.stream("SELECT msg, packed FROM lz_words"), LARGE_BATCH):
        given = [tuple(index.values(msg, fulltext.unpacked(packed)).values()) for msg, packed in batch]
        with transaction(target):
            target.load("lz_text", index.columns, given)
    if index.make_index:
        target.execute(index.make_index)


def _count_on(target: Connection) -> None:
    """Rows came with their numbers: new ones must get higher ones."""
    if not target.dialect.renumber:
        return
    for table in TABLES:
        if "id" in columns_of(target, table):
            target.execute(sql(target.dialect.renumber, table, "))"), {"table": table}).fetchall()


def _batches(rows: Iterable[Sequence[Any]], size: int) -> Iterator[list[Sequence[Any]]]:
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


def _with_time_iso(rows: Iterable[Sequence[Any]], time_num: int, time_iso: int) -> Iterator[Sequence[Any]]:
    """As amavisd writes it, which is how every database takes it."""
    for row in rows:
        changed = list(row)
        changed[time_iso] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(row[time_num]))
        yield changed
