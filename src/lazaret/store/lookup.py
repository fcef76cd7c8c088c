"""Look-ups that stand on every message's road: some rows by their keys.

In a local file that takes some microseconds and waits for no writer, while a change of thread would cost ten
times that: they are done on the spot, in the caller's thread. A server is asked from threads of their own, so
that no message waits for somebody's search.
"""

from collections.abc import Callable
from typing import TypeVar

from lazaret.store.connection import Connection
from lazaret.store.database import Database
from lazaret.store.reader import Reader

T = TypeVar("T")


class Lookup:
    """Reads for the filter."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reader = Reader(database)
        self._connection: Connection | None = None

    async def run(self, work: Callable[[Connection], T]) -> T:
        """The result of the work. StoreUnavailable."""
        if not self._database.is_local:
            return await self._reader.run(work)
        if self._connection is None:
            self._connection = self._database.connect()
        with self._database.trouble():
            return work(self._connection)

    def close(self) -> None:
        """Closes the connections."""
        self._reader.close()
        if self._connection is not None:
            self._connection.close()
