"""Stands before the filter of a worker: what was under way when a worker died is handled alone.

Only a message that fails alone as well, twice, is a poison: it goes into the quarantine unread, as unchecked.
It is never skipped, never tried for ever, and whatever was under way beside it has passed alone meanwhile.
"""

import logging
import select
from collections.abc import Callable
from dataclasses import dataclass

from lazaret.daemon.alone import Counter, Failed, Given, NotNow
from lazaret.daemon.smtp import Handle
from lazaret.daemon.suspects import Suspects, fingerprint
from lazaret.flow.unread import Unread
from lazaret.model.envelope import Envelope, Session
from lazaret.model.errors import Reply

log = logging.getLogger("lazaret.guard")

TRIES = 2
"""A process that was ended from outside once, by hand or for want of memory, says nothing of its message."""
TRY_LATER = Reply(451, "4.3.0", "Error in processing, try again later")


@dataclass(frozen=True, slots=True)
class Guard:
    """Handles messages as the filter does, which it calls."""

    handle_together: Handle
    suspects: Suspects
    counter: Counter
    unread: Unread
    ending: Callable[[], bool]
    """This worker has been told to end: what fails now may have been ended with it."""

    async def handle(
        self, session: Session, envelope: Envelope, octets: bytes, *, reply_each: bool
    ) -> tuple[Reply, ...]:
        """The replies to the final dot: one per recipient with `reply_each`, otherwise one."""
        mark = fingerprint(octets)
        if mark in self.suspects:
            return await self._alone(mark, Given(session, envelope, octets, reply_each))
        with self.suspects.under_way(mark):
            return await self.handle_together(session, envelope, octets, reply_each=reply_each)

    async def _alone(self, mark: bytes, given: Given) -> tuple[Reply, ...]:
        log.warning("a message that was under way when a worker died is handled alone")
        try:
            replies = await self._tried(given)
        except NotNow as e:
            log.warning("no process for it: %s; the mail stays with the client", e)
            return (TRY_LATER,) * (len(given.envelope.recipients) if given.reply_each else 1)
        if not any(reply.transient for reply in replies):
            self.suspects.acquit(mark)
        return replies

    async def _tried(self, given: Given) -> tuple[Reply, ...]:
        """The replies of its own process, or those to a poison. NotNow."""
        for _ in range(TRIES):
            try:
                return await self.counter.handle(given)
            except Failed as e:
                if self.ending():
                    raise NotNow("this worker ends") from e
        return await self.unread.take(
            given.session, given.envelope, given.octets, reply_each=given.reply_each
        )


def has_ended(descriptor: int) -> bool:
    """Whether the other end of a pipe that nobody writes to is closed."""
    return bool(select.select([descriptor], [], [], 0)[0])
