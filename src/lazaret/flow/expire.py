"""Removes what has been kept long enough, a little at a time, so that no message waits for it."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from lazaret.flow.needs import Lessons, Retention, SenderLists
from lazaret.model.keeping import DAY_S, Due, Keeping

log = logging.getLogger("lazaret.expire")

BATCH = 200
"""Messages per transaction: about a tenth of a second."""
PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Expiry:
    """How long things are kept."""

    keeping: Keeping
    lesson_days: int = 0
    """Of the learner; 0: for ever."""

    async def run(
        self,
        retention: Retention,
        lists: SenderLists,
        clock: Callable[[], float] = time.time,
        *,
        orphans: bool = True,
    ) -> int:
        """Removes all that is due, and gives the space back; how many rows of messages and addresses went.

        `orphans`: also looks for what nothing points to any more.
        """
        now = clock()
        await lists.expire(now)
        removed = 0
        async for count in retention.purge(self.keeping, now=now, batch=BATCH, orphans=orphans):
            removed += count
            await asyncio.sleep(PAUSE_S)
        await retention.reclaim()
        if removed:
            log.info("removed %d messages that were kept long enough", removed)
        return removed

    async def due(self, retention: Retention, clock: Callable[[], float] = time.time) -> Due:
        """What `run` would remove."""
        return await retention.due(self.keeping, now=clock())

    async def forget_old(self, lessons: Lessons, clock: Callable[[], float] = time.time) -> int:
        """Removes lessons that are old enough; how many rows of the journal went."""
        if not self.lesson_days:
            return 0
        before, removed = clock() - self.lesson_days * DAY_S, 0
        while count := await lessons.expire(before, BATCH):
            removed += count
            await asyncio.sleep(PAUSE_S)
        if removed:
            log.info("removed %d lessons that were kept long enough", removed)
        return removed
