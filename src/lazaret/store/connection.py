"""What a connection is to this room, whichever database it leads to, and its transactions.

Statements have named parameters (`:name`) or marks (`?`); what each database wants instead is put in on the
way (`parameters.py`). `mail_id`, `email` and the others of TEXT_NAMES come back as text, other octets as
octets.
A connection is in autocommit mode, and for use by one thread at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any, Protocol

from lazaret.store.dialect import Dialect

Values = Sequence[Any] | Mapping[str, Any]
"""The values of a statement: in the order of its marks, or by the names of its parameters."""

TEXT_NAMES = frozenset(("mail_id", "secret_id", "email", "quar_loc", "value"))
"""Columns of text that are octets on servers, because amavisd-new declares them so."""


class Fault(Enum):
    """What an error of a database means for the work at hand."""

    DOWN = "nothing can be done now"
    CONFLICT = "another transaction was in the way: the same work may be done again at once"
    STOPPED = "the statement ran out of its time"
    WORK = "this work cannot be done, other work can"


class DatabaseError(Exception):
    """An error of a database server, its cause in words."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


class Cursor(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """What all statements of this room are run on."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, statement: str, values: Values = (), /) -> Cursor: ...

    def executemany(self, statement: str, rows: Sequence[Values], /) -> object: ...

    def load(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], /) -> None:
        """Many rows into a table, in the quickest way that the database has."""

    def stream(self, statement: str, /) -> Iterator[tuple[Any, ...]]:
        """Rows of a large result, in a transaction; no other statement may be run before the last one."""

    def close(self) -> None: ...


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """One write transaction. SQLite begins it at once: what it reads cannot change before it writes."""
    connection.execute(connection.dialect.begin)
    with _ending(connection):
        yield


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Statements that read, all in the same moment."""
    connection.execute(connection.dialect.begin_snapshot)
    with _ending(connection):
        yield


@contextmanager
def _ending(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        # A full disk or a lost server has rolled it back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
