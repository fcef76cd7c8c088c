"""Sends digests at their time, in the desk's process, and raises the alarm when one is not sent."""

import asyncio
import logging
import time
from collections.abc import Callable

from lazaret.daemon.board import Cell, Row
from lazaret.flow.digest import Digests, Sent

log = logging.getLogger("lazaret.digest")

QUARTER_S = 900.0
"""Full hours of every time zone begin at a full quarter of an hour UTC."""
RETRY_S = 60.0
"""So often is looked again while something is to be tried again."""


class Postman:
    """Goes his round at each full quarter of an hour, and sooner while something was not taken."""

    def __init__(self, digests: Digests, row: Row, clock: Callable[[], float] = time.time) -> None:
        self._digests = digests
        self._row = row
        self._clock = clock
        self._late: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Until it is cancelled. Whatever fails is logged, and tried again."""
        while True:
            all_taken = False
            try:
                all_taken = await self.round()
            except Exception:
                log.exception("(!)no digests are sent; it is tried again in a minute")
            await asyncio.sleep(self._pause(all_taken))

    async def round(self) -> bool:
        """Sends what is due and counts who waits too long; whether there is nothing to be tried again."""
        sent = await self._digests.run(self._count)
        late = await self._digests.late()
        self._row[Cell.DIGESTS_LATE] = len(late)
        addresses = frozenset(standing.address for standing in late)
        if addresses - self._late:
            some = ", ".join(f"<{address}>" for address in sorted(addresses)[:5])
            log.error("(!)digest not sent for over an hour to %d recipients: %s", len(addresses), some)
        elif self._late and not addresses:
            log.info("no digest is late any more")
        self._late = addresses
        return not late and not any(one.reply.transient for one in sent)

    def _count(self, sent: Sent) -> None:
        if sent.messages or not sent.reply.positive:
            self._row.add(Cell.DIGESTS_SENT if sent.reply.positive else Cell.DIGESTS_FAILED)

    def _pause(self, all_taken: bool) -> float:
        """A second past the quarter: nobody's clock is quite right."""
        quarter = QUARTER_S - self._clock() % QUARTER_S + 1
        return quarter if all_taken else min(quarter, RETRY_S)
