"""Stands before the filter of a worker: what was under way when a worker died is handled alone.

Only a message that fails alone as well, three times, is a poison: it goes into the quarantine unread, as
unchecked. It is never skipped, never tried for ever, and whatever was under way beside it has passed alone
meanwhile.
"""

import asyncio
import logging
import select
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from lazaret.daemon.alone import Asked, Counter, Failed, Given, NotNow, Scored
from lazaret.daemon.smtp import Handle
from lazaret.daemon.suspects import Suspects, fingerprint
from lazaret.flow.content_check import ContentChecks, closed
from lazaret.flow.spamd import SpamdRequests
from lazaret.flow.unread import Unread
from lazaret.model.envelope import Envelope, Session
from lazaret.model.errors import Reply
from lazaret.wire.ampdp import Request
from lazaret.wire.spamd import SpamdRequest, Status, refusal

log = logging.getLogger("lazaret.guard")

_Answer = TypeVar("_Answer")

TRIES = 3
"""A process that was ended from outside, by hand or for want of memory, says nothing of its message."""
APART_S = 2.0
"""Between two tries: memory that was short may be there again."""
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
        many = len(envelope.recipients) if reply_each else 1
        return await self._guarded(
            octets,
            lambda: self.handle_together(session, envelope, octets, reply_each=reply_each),
            lambda: self.counter.handle(Given(session, envelope, octets, reply_each)),
            lambda: self.unread.take(session, envelope, octets, reply_each=reply_each),
            (TRY_LATER,) * many,
            lambda replies: any(reply.transient for reply in replies),
        )

    async def check(self, checks: ContentChecks, request: Request, octets: bytes) -> bytes:
        """The reply to a content check over AM.PDP."""
        later = closed("", TRY_LATER)
        return await self._guarded(
            octets,
            lambda: checks.check(request, octets),
            lambda: self.counter.ask(Asked(request, octets)),
            lambda: checks.unread(request, octets),
            later,
            lambda reply: reply == later,
        )

    async def score(self, requests: SpamdRequests, request: SpamdRequest) -> bytes:
        """The answer to a question over spamd's protocol. Of a poison nothing can be said, or kept."""
        later = refusal(Status.EX_TEMPFAIL, "Error in processing, try again later")

        async def say_nothing() -> bytes:
            log.error("(!!)POISON: %d octets that spamd's client keeps", len(request.octets))
            return refusal(Status.EX_SOFTWARE, "the message cannot be examined")

        return await self._guarded(
            request.octets,
            lambda: requests.answer(request),
            lambda: self.counter.ask(Scored(request)),
            say_nothing,
            later,
            lambda reply: reply == later,
        )

    async def _guarded(
        self,
        octets: bytes,
        together: Callable[[], Awaitable[_Answer]],
        alone: Callable[[], Awaitable[_Answer]],
        keep_unread: Callable[[], Awaitable[_Answer]],
        later: _Answer,
        is_later: Callable[[_Answer], bool],
    ) -> _Answer:
        """The answer of this worker, or for a suspect that of a process of its own."""
        mark = fingerprint(octets)
        if mark not in self.suspects:
            with self.suspects.under_way(mark):
                return await together()
        answer = await self._alone(alone, keep_unread, later)
        if not is_later(answer):
            self.suspects.acquit(mark)
        return answer

    async def _alone(
        self,
        handle: Callable[[], Awaitable[_Answer]],
        keep_unread: Callable[[], Awaitable[_Answer]],
        later: _Answer,
    ) -> _Answer:
        """The answer of the message's own process, or that to a poison; `later` when nothing can be said."""
        log.warning("a message that was under way when a worker died is handled alone")
        try:
            for tried in range(TRIES):
                if tried:
                    await asyncio.sleep(APART_S)
                try:
                    return await handle()
                except Failed as e:
                    if self.ending():
                        raise NotNow("this worker ends") from e
        except NotNow as e:
            log.warning("no process for it: %s; the mail stays with the client", e)
            return later
        return await keep_unread()


def has_ended(descriptor: int) -> bool:
    """Whether the other end of a pipe that nobody writes to is closed."""
    return bool(select.select([descriptor], [], [], 0)[0])
