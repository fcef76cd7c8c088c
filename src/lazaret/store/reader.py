"""Reading for people: a few threads with a connection each, and a limit on how long a search may run."""

import sqlite3
import threading
import time
from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from sqlite3 import Connection
from typing import TypeVar

from lazaret.model.errors import UserError
from lazaret.store.database import Database

SEARCH_S = 2.0
EX_TEMPFAIL = 75
THREADS = 2
_STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock; less than a millisecond."""

T = TypeVar("T")


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
        """The result of the work; `limited`: SearchStopped when it takes more than the time of a search."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="store-reader")
        return await get_running_loop().run_in_executor(self._pool, self._run, work, limited)

    def close(self) -> None:
        """Waits for what is running and closes the connections."""
        if self._pool is not None:
            self._pool.shutdown()
        for connection in self._opened:
            connection.close()

    def _run(self, work: Callable[[Connection], T], limited: bool) -> T:
        connection = self._connection()
        with self._database.trouble():
            if not limited:
                return work(connection)
            return self._run_limited(work, connection)

    def _run_limited(self, work: Callable[[Connection], T], connection: Connection) -> T:
        end = time.monotonic() + self._search_s
        connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        try:
            return work(connection)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise SearchStopped(self._search_s) from error
            raise
        finally:
            connection.set_progress_handler(None, 0)

    def _connection(self) -> Connection:
        found: Connection | None = getattr(self._own, "connection", None)
        if found is None:
            found = self._database.connect()
            self._own.connection = found
            self._opened.append(found)
        return found
