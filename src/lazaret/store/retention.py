"""What keeps the database from growing for ever (the Protocol `flow.needs.Retention`).

What is to go is looked up by a reader; the writer only removes, so that mail never waits for a search.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TypeVar

from lazaret.model.keeping import DAY_S, Due, Keeping
from lazaret.store import digests, due, walk, weeks
from lazaret.store.connection import Connection
from lazaret.store.database import Database
from lazaret.store.dialect import sql
from lazaret.store.inserting import marks, padded, portions
from lazaret.store.keys import Key
from lazaret.store.partial import PARTIAL_DAYS
from lazaret.store.reader import Reader
from lazaret.store.removal import AT_ONCE, remove_messages, remove_orphans, remove_texts
from lazaret.store.sqlite import MERGE_WORDS, SqliteDatabase
from lazaret.store.walk import Path, Walk
from lazaret.store.writer import Writer

RECLAIMED_PAGES = 500
"""Pages given back at a time: other writers wait for it."""
_INCREMENTAL = 2
"""PRAGMA auto_vacuum of a database that Lazaret made."""
ADDRESSES = 20
"""Addresses removed for each message of a batch: that is quick."""
TRANSACTION_S = 0.1
"""Mail waits for what is being removed no longer than about this."""
FEWEST = 10
"""Removed in a transaction, whatever it takes."""

Remove = Callable[..., object]
T = TypeVar("T")

_REMOVE_ADDRESSES = sql("DELETE FROM maddr WHERE", walk.UNUSED, "AND id IN (")
_REMOVE_LAPSED = (
    "DELETE FROM lz_campaign_marks WHERE time_num < :history_before",
    "DELETE FROM lz_partial WHERE time_num < :partial_before",
    "DELETE FROM lz_audit WHERE time_num < :history_before",
    "DELETE FROM lz_digest_items WHERE digest IN (SELECT id FROM lz_digests WHERE due < :digest_before)",
    "DELETE FROM lz_digests WHERE due < :digest_before",
)


class Pace:
    """How many to remove in the next transaction: disks, and what else they have to do, differ widely."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = min(most, FEWEST)

    def took(self, seconds: float) -> None:
        """So long took the last one, the wait for its turn included."""
        fitting = int(self.size * TRANSACTION_S / max(seconds, 0.001))
        self.size = min(self._most, max(FEWEST, min(fitting, 2 * self.size)))


class SqlRetention:
    """Removes by age, in batches of which each is one short transaction."""

    def __init__(self, reader: Reader, writer: Writer, database: Database) -> None:
        self._reader = reader
        self._writer = writer
        self._database = database

    async def purge(
        self, keeping: Keeping, *, now: float, batch: int, orphans: bool = True
    ) -> AsyncIterator[int]:
        """Removes what is due at `now`, and gives the number of each batch; who takes them makes pauses.

        Texts first, then history without a text, then what other programs' deletions and ours left behind:
        to look for `orphans` reads the keys of everything once.
        """
        limit = due.moments(keeping, now)
        before = int(now) - max(keeping.all_days()) * DAY_S
        whole = await self._reader.run(partial(weeks.to_clear, before=before, now=now))
        async for count in self._removed(
            walk.texts(limit.limit, limit.values), partial(remove_texts, cleared=whole), batch
        ):
            yield count
        for tag in sorted(whole):
            await self._reader.run(partial(self._clear, tag=tag))
        history_before = int(now) - keeping.history_days * DAY_S
        async for count in self._removed(walk.history(history_before), remove_messages, batch):
            yield count
        for path in walk.orphans(self._database.dialect) if orphans else ():
            async for count in self._removed(path, remove_orphans, batch):
                yield count
        async for count in self._without_message(batch * ADDRESSES):
            yield count
        await self._writer.run(partial(_remove_lapsed, history_before=history_before))

    async def due(self, keeping: Keeping, *, now: float) -> Due:
        """What that would remove."""
        return await self._reader.run(lambda _: due.due(self._database, keeping, now))

    def _clear(self, _: Connection, tag: int) -> None:
        weeks.clear(self._database, tag)

    async def _removed(self, path: Path, remove: Remove, batch: int) -> AsyncIterator[int]:
        """Removes the messages on a path, so many to a transaction."""
        steps, pace = Walk(path), Pace(batch)
        while not steps.ended:
            found = await self._reader.run(steps.messages)
            while found:
                some, found = found[: pace.size], found[pace.size :]
                await self._in_time(pace, partial(remove, messages=some))
                yield len(some)

    async def _without_message(self, batch: int) -> AsyncIterator[int]:
        """Addresses that no message has."""
        steps, pace = Walk(walk.ADDRESSES), Pace(batch)
        while not steps.ended:
            found = [number for number, _ in await self._reader.run(steps.look)]
            while found:
                some, found = found[: pace.size], found[pace.size :]
                yield await self._in_time(pace, partial(_remove_unused, numbers=some))

    async def _in_time(self, pace: Pace, work: Callable[[Connection], T]) -> T:
        began = time.monotonic()
        done = await self._writer.run(work)
        pace.took(time.monotonic() - began)
        return done

    async def remove(self, mail_id: str, partition_tag: int) -> None:
        """Removes every trace of one message."""
        await self._writer.run(partial(remove_messages, messages=[Key(mail_id, partition_tag)]))

    async def reclaim(self) -> None:
        """Gives free pages of a file back to its system, a few at a time; servers see to it themselves."""
        if isinstance(self._database, SqliteDatabase):
            while await self._reader.run(partial(_reclaim_some, database=self._database)):
                pass


def _reclaim_some(_: Connection, database: SqliteDatabase) -> bool:
    """Whether there is more to give back."""
    connection = database.connect(writing=True)
    try:
        # Only a script runs this statement to its end: it gives back a page a step, and no rows.
        connection.executescript(f"PRAGMA incremental_vacuum({RECLAIMED_PAGES})")
        (left,) = connection.execute("PRAGMA freelist_count").fetchone()
        (mode,) = connection.execute("PRAGMA auto_vacuum").fetchone()
        if left > 0 and mode == _INCREMENTAL:
            return True
        connection.execute(MERGE_WORDS)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return False
    finally:
        connection.close()


def _remove_unused(connection: Connection, numbers: Sequence[int]) -> int:
    """Addresses that nothing has come to use since they were found unused; how many went."""
    removed = 0
    for some in portions(numbers, AT_ONCE):
        statement = sql(_REMOVE_ADDRESSES, marks(len(padded(some))), ")")
        removed += connection.execute(statement, padded(some)).rowcount
    return removed


def _remove_lapsed(connection: Connection, history_before: int) -> None:
    now = int(time.time())
    lapsed = {
        "partial_before": now - PARTIAL_DAYS * 86_400,
        "history_before": history_before,
        "digest_before": now - digests.KEEP_DAYS * 86_400,
    }
    for statement in _REMOVE_LAPSED:
        connection.execute(statement, lapsed)
