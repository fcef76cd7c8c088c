"""The one thread of a process that writes, many jobs to a transaction (group commit).

While one batch is being written the next gathers, so that a busy process commits rarely and an idle
one at once. History that nobody waits for is written within a second.
"""

import logging
import threading
import time
from asyncio import AbstractEventLoop, Future, get_running_loop
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from lazaret.model.entry import Entry
from lazaret.model.errors import StoreUnavailable
from lazaret.model.frozen import frozen
from lazaret.model.partition import ALWAYS_0, Partition
from lazaret.store.connection import Connection, Fault, transaction
from lazaret.store.database import Database
from lazaret.store.rows import Rows

BATCH = 50
"""Jobs to a transaction, at most: other processes wait for its lock."""
HISTORY_BATCH = 200
"""The same for history rows, which are quick: the more of them together, the fewer pages are written."""
IDLE_S = 1.0
"""A connection to a server that was not used for so long is tried before it is given work."""
HISTORY_S = 0.5
"""How long a history row may wait for company."""
MAX_WAITING = 20_000
"""History rows kept in memory while the database cannot be written; beyond that the oldest are lost."""
CONFLICTS = 5
"""So often a batch is begun again because another process' transaction was in its way."""
RETRY_S = 1.0
"""Pause between attempts to write history after the database refused it."""

T = TypeVar("T")
log = logging.getLogger(__name__)


@frozen
class _Job:
    """Something to do in a transaction. It may be run twice, when a batch fails and is done one by one."""

    work: Callable[[Connection], object] | None
    entry: Entry | None = None
    durable: bool = False
    answer: Callable[[object, Exception | None], None] | None = None


class Writer:
    """Takes jobs from any thread. Its own thread and connection begin with the first job."""

    def __init__(self, database: Database, host: str, partition: Partition = ALWAYS_0) -> None:
        self._database = database
        self._rows = Rows(host, partition)
        self._connection: Connection | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._history: deque[_Job] = deque()
        self._history_due = 0.0
        self._retry_at = 0.0
        self._place: object = None
        self._durable: bool | None = None
        self._used = 0.0
        self._complained = -RETRY_S
        self._closing = False
        self.lost = 0
        """History rows that were given up while the database could not be written."""

    async def run(self, work: Callable[[Connection], T], *, durable: bool = False) -> T:
        """Runs the work in a transaction and returns its result once that is committed.

        `durable`: it survives a power cut. StoreUnavailable when the database cannot take it.
        """
        loop = get_running_loop()
        future: Future[T] = loop.create_future()
        self._put(_Job(work, durable=durable, answer=_answer_to(future, loop)))
        return await future

    async def keep(self, entry: Entry) -> None:
        """Writes an entry durably."""
        loop = get_running_loop()
        future: Future[None] = loop.create_future()
        self._put(_Job(None, entry, durable=True, answer=_answer_to(future, loop)))
        await future

    def note(self, entry: Entry) -> None:
        """Takes a history row; it is written within a second."""
        with self._changed:
            if len(self._history) >= MAX_WAITING:
                self._history.popleft()
                self.lost += 1
            self._history.append(_Job(None, entry))
            now = time.monotonic()
            if len(self._history) == 1:
                self._history_due = max(self._retry_at, now + HISTORY_S)
                self._wake()
            elif len(self._history) == HISTORY_BATCH:
                self._history_due = max(self._retry_at, now)
                self._wake()

    def close(self) -> None:
        """Writes what is waiting and ends the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _put(self, job: _Job) -> None:
        with self._changed:
            if self._closing:
                raise StoreUnavailable(f"database {self._database.name}: it is closed")
            self._jobs.append(job)
            self._wake()

    def _wake(self) -> None:
        """Begins the thread with the first job: a thread does not outlive the fork of its process."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="store-writer", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _write_all(self) -> None:
        while batch := self._next_batch():
            self._write(batch)
        if self._connection is not None:
            self._connection.close()

    def _next_batch(self) -> list[_Job]:
        """Waits for work; an empty list says that the writer is closed and all is written."""
        with self._changed:
            while not (self._jobs or self._closing or self._history_is_due()):
                self._changed.wait(self._history_due - time.monotonic() if self._history else None)
            jobs = _take(self._jobs, BATCH)
            if self._history_is_due() or self._closing:
                jobs += _take(self._history, HISTORY_BATCH - len(jobs))
            return jobs

    def _history_is_due(self) -> bool:
        return len(self._history) > 0 and time.monotonic() >= self._history_due

    def _write(self, batch: list[_Job]) -> None:
        """Commits the batch; when one job spoils it, each is committed by itself."""
        try:
            results = self._commit_at_last(batch)
        except Exception as error:
            self._rows.symbols.forget()
            if len(batch) == 1 or self._is_down(error):
                if not self._database.is_local and self._is_down(error):
                    self._disconnect()
                for job in batch:
                    self._refuse(job, error)
                return
            for job in batch:
                self._write([job])
            return
        for job, result in zip(batch, results, strict=True):
            if job.answer is not None:
                job.answer(result, None)

    def _commit_at_last(self, batch: list[_Job]) -> list[object]:
        """Commits the batch, again and again while others are in its way."""
        for _ in range(CONFLICTS):
            try:
                return self._commit(batch)
            except self._database.errors as error:
                if self._database.fault(error) != Fault.CONFLICT:
                    raise
                self._rows.symbols.forget()
        return self._commit(batch)

    def _commit(self, batch: list[_Job]) -> list[object]:
        connection = self._ready(any(job.durable for job in batch))
        with transaction(connection):
            self._rows.write(connection, [job.entry for job in batch if job.entry is not None])
            return [job.work(connection) if job.work is not None else None for job in batch]

    def _ready(self, durable: bool) -> Connection:
        """A connection that is there, whatever became of the last one, and that commits as is wanted."""
        connection = self._connect()
        try:
            self._prepare(connection, durable)
        except self._database.errors as error:
            if self._database.is_local or self._database.fault(error) != Fault.DOWN:
                raise
            self._disconnect()
            connection = self._connect()
            self._prepare(connection, durable)
        self._used = time.monotonic()
        return connection

    def _prepare(self, connection: Connection, durable: bool) -> None:
        if self._is_idle():
            connection.execute("SELECT 1").fetchall()
        if durable != self._durable:
            self._database.make_durable(connection, durable)
            self._durable = durable

    def _is_idle(self) -> bool:
        """Whether a server may have ended the connection since it was last used."""
        return not self._database.is_local and time.monotonic() > self._used + IDLE_S

    def _connect(self) -> Connection:
        """Opens the database, and anew when another file has come to lie in its place."""
        place = self._database.place()
        if place != self._place:
            self._disconnect()
        if self._connection is None:
            self._connection = self._database.connect(writing=True)
            self._rows.symbols.forget()
            self._durable = None
            self._place = place
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _is_down(self, error: Exception) -> bool:
        """Whether nothing can be written now, as opposed to one job that cannot be done."""
        if isinstance(error, StoreUnavailable):
            return True
        return isinstance(error, self._database.errors) and self._database.fault(error) == Fault.DOWN

    def _refuse(self, job: _Job, error: Exception) -> None:
        reason = self._database.unavailable(error) if isinstance(error, self._database.errors) else error
        if job.answer is not None:
            job.answer(None, reason)
            return
        with self._changed:
            if self._is_down(error) and not self._closing and len(self._history) < MAX_WAITING:
                self._history.append(job)
                self._history_due = self._retry_at = time.monotonic() + RETRY_S
                return
            self.lost += 1
            now = time.monotonic()
            if now < self._complained + RETRY_S:
                return
            self._complained = now
        log.error("history rows lost, %d so far: %s", self.lost, reason)


def _take(queue: deque[_Job], most: int) -> list[_Job]:
    return [queue.popleft() for _ in range(min(most, len(queue)))]


def _answer_to(future: "Future[T]", loop: AbstractEventLoop) -> Callable[[object, Exception | None], None]:
    """What the writer's thread calls to wake the task that waits in `loop`."""

    def settle(result: Any, error: Exception | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def answer(result: object, error: Exception | None) -> None:
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            log.warning("the event loop ended before its job was written")

    return answer
