"""Reading for people: a few threads with a connection each, and a limit on how long a search may run."""

import threading
from asyncio import gather, get_running_loop
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

from lazaret.model.errors import UserError
from lazaret.store.connection import Connection, Fault
from lazaret.store.database import Database

SEARCH_S = 2.0
EX_TEMPFAIL = 75
THREADS = 2

T = TypeVar("T")
U = TypeVar("U")


class SearchStopped(UserError):
    """A search ran out of its time."""

    def __init__(self, limit: float) -> None:
        super().__init__(
            f"the search took longer than {limit:g} s and was stopped; narrow it down, as with since:7d",
            EX_TEMPFAIL,
        )


class Reader:
    """Runs reading work in its threads."""

    def __init__(self, database: Database, search_s: float = SEARCH_S) -> None:
        self._database = database
        self._search_s = search_s
        self._own = threading.local()
        self._opened: list[Connection] = []
        self._pool: ThreadPoolExecutor | None = None

    async def run(self, work: Callable[[Connection], T], *, limited: bool = False) -> T:
        """The result of the work; `limited`: SearchStopped when it takes more than the time of a search.

        The work is begun again when the server has ended the connection since it was last used.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="store-reader")
        return await get_running_loop().run_in_executor(self._pool, self._run, work, limited)

    async def both(self, first: Coroutine[None, None, T], second: Coroutine[None, None, U]) -> tuple[T, U]:
        """The results of two, which a server works out side by side.

        In this process they would only be in each other's way: SQLite took a tenth longer for both.
        """
        if not self._database.is_local:
            return await gather(first, second)
        with closing(second):  # never begun, where the first failed
            return await first, await second

    def close(self) -> None:
        """Waits for what is running and closes the connections."""
        if self._pool is not None:
            self._pool.shutdown()
        for connection in self._opened:
            connection.close()

    def _run(self, work: Callable[[Connection], T], limited: bool) -> T:
        known = self._known()
        with self._database.trouble():
            if known is None:
                return self._try(work, self._open(), limited)
            try:
                return self._try(work, known, limited)
            except self._database.errors as error:
                if self._database.is_local or self._database.fault(error) != Fault.DOWN:
                    raise
            return self._try(work, self._open(), limited)

    def _try(self, work: Callable[[Connection], T], connection: Connection, limited: bool) -> T:
        try:
            if not limited:
                return work(connection)
            with self._database.limited(connection, self._search_s):
                return work(connection)
        except self._database.errors as error:
            fault = self._database.fault(error)
            if fault == Fault.STOPPED:
                raise SearchStopped(self._search_s) from error
            if fault == Fault.DOWN:
                self._forget(connection)
            raise

    def _known(self) -> Connection | None:
        found: Connection | None = getattr(self._own, "connection", None)
        return found

    def _open(self) -> Connection:
        connection = self._database.connect()
        self._own.connection = connection
        self._opened.append(connection)
        return connection

    def _forget(self, connection: Connection) -> None:
        """A connection that failed is closed; the next who reads opens another."""
        self._own.connection = None
        self._opened.remove(connection)
        connection.close()
