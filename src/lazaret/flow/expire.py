"""Removes what has been kept long enough, a little at a time, so that no message waits for it."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from lazaret.flow.needs import Retention, SenderLists

log = logging.getLogger("lazaret.expire")

BATCH = 200
"""Messages per transaction: about a tenth of a second."""
PAUSE_S = 0.05
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Expiry:
    """How long things are kept, in days."""

    keep_days: float
    keep_killed_days: float
    history_days: float

    async def run(
        self, retention: Retention, lists: SenderLists, clock: Callable[[], float] = time.time
    ) -> int:
        """Removes all that is due, and gives the space back; how many messages went."""
        now = clock()
        await lists.expire(now)
        removed = 0
        while True:
            batch = await retention.purge(
                before=now - self.keep_days * DAY_S,
                killed_before=now - self.keep_killed_days * DAY_S,
                history_before=now - self.history_days * DAY_S,
                batch=BATCH,
            )
            if not batch:
                break
            removed += batch
            await asyncio.sleep(PAUSE_S)
        await retention.reclaim()
        if removed:
            log.info("removed %d messages that were kept long enough", removed)
        return removed
