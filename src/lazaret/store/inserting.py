"""Many rows in one statement.

Each statement lets go of the interpreter lock, and under load a thread waits up to 5 ms to have it
back, with the database locked meanwhile: a batch of history must be ten statements, not a thousand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TypeVar

from lazaret.store.connection import Connection
from lazaret.store.dialect import Dialect

T = TypeVar("T")

_SIZES = (64, 16, 4, 1)
"""Rows a statement: few sizes, so that SQLite keeps them all compiled."""

_LENGTHS = (1, 4, 16, 50, 100)
"""Of an IN."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the columns that are written."""

    name: str
    columns: tuple[str, ...]
    skip_known: bool = False
    """Passes over rows whose unique key is there already."""
    loads: bool = False
    """Many rows are loaded where that costs less; they are small, as they become text on the way."""


def insert(connection: Connection, table: Table, rows: Sequence[Sequence[object]]) -> None:
    """Inserts rows of values in the order of `table.columns`."""
    if table.loads and connection.dialect and len(rows) >= connection.dialect.load_from:
        connection.load(table.name, table.columns, rows)
        return
    start = 0
    for size in _SIZES:
        statement = _statement(table, size, connection.dialect)
        while len(rows) - start >= size:
            values = tuple(chain.from_iterable(rows[start : start + size]))
            connection.execute(statement, values)
            start += size


def one_row(table: str, columns: Sequence[str]) -> str:
    """INSERT of one row; the names are those of a database's own tables."""
    return " ".join(
        ["INSERT INTO", table, "(" + ", ".join(columns) + ") VALUES (" + marks(len(columns)) + ")"]
    )


def select(table: str, columns: Sequence[str]) -> str:
    """All rows; the names are those of a database's own columns."""
    return " ".join(["SELECT", ", ".join(columns), "FROM", table])


def marks(count: int) -> str:
    """`?, ?, ?`: the place-holders of `count` values."""
    return ", ".join("?" * count)


def repeated(piece: str, count: int) -> str:
    """A piece of a statement so many times."""
    return " ".join([piece] * count)


def portions(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """The values, at most `size` at a time, as a statement takes them."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def padded(values: Sequence[T]) -> Sequence[T]:
    """The values of an IN, the last one repeated: few lengths, so that databases keep statements prepared."""
    size = next((size for size in _LENGTHS if len(values) <= size), len(values))
    return [*values, *[values[-1]] * (size - len(values))]


@lru_cache(maxsize=64)
def _statement(table: Table, rows: int, dialect: Dialect | None) -> str:
    verb, end = "INSERT INTO", ""
    if dialect and table.skip_known:
        verb, end = dialect.insert_new, dialect.on_known
    row = "(" + marks(len(table.columns)) + ")"
    pieces = (verb, table.name, "(" + ", ".join(table.columns) + ") VALUES", ", ".join([row] * rows), end)
    return " ".join(pieces).rstrip()
