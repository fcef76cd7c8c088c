"""Takes the examinations that are asked for in the same turn of the event loop through each step together.

Among everything else that a worker does, a step finds nothing of what it needs in the processor's caches;
right after the same step of another message it finds nearly all of it (docs/decisions/0011-lockstep.md).
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from lazaret.model.steps import END, Meanwhile

MOST = 16
"""Messages in one batch."""
OCTETS = 262_144
"""Of all messages in one batch; a larger message is a batch of its own."""
SLOW_S = 0.05
"""Who took so long at a stretch waits until the others of the batch are answered."""

_BEGIN = -1
"""Where everybody is before the first step."""


class Lockstep:
    """Of one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[_Work] = deque()
        self._arranged = False

    async def finish(self, steps: Iterator[int], octets: int, meanwhile: Meanwhile) -> None:
        """Returns when all steps are done; what they raise comes out here, and meets no other.

        `steps` yields, before each step but the first, its number among those of all checks; `meanwhile` says
        which it need not, and is told what others take between them. Nobody is waited for: whoever is there
        at the end of this turn of the loop, and of the next, comes along.
        """
        work = _Work(steps, octets, meanwhile, asyncio.get_running_loop().create_future())
        self._waiting.append(work)
        if not self._arranged:
            self._arrange()
        await work.done

    def _arrange(self) -> None:
        self._arranged = True
        loop = asyncio.get_running_loop()
        # Between two turns the loop looks once more, without waiting, who has brought the rest of a message.
        loop.call_soon(loop.call_soon, self._advance)

    def _advance(self) -> None:
        self._arranged = False
        self._waiting.extend(_advance(self._batch()))
        if self._waiting:
            self._arrange()

    def _batch(self) -> "list[_Work]":
        """Those that have waited longest, as many as may go together."""
        batch: list[_Work] = []
        octets = 0
        while self._waiting and len(batch) < MOST:
            if self._waiting[0].done.cancelled():
                self._waiting.popleft()  # nobody waits for it any more
                continue
            octets += self._waiting[0].octets
            if batch and octets > OCTETS:
                break
            batch.append(self._waiting.popleft())
        return batch


class _Work:
    """The steps of one message that are left."""

    __slots__ = ("_steps", "done", "meanwhile", "next", "octets", "stopped")

    def __init__(
        self, steps: Iterator[int], octets: int, meanwhile: Meanwhile, done: "asyncio.Future[None]"
    ) -> None:
        self._steps = steps
        self.octets = octets
        self.meanwhile = meanwhile
        self.stopped = 0.0
        """When the last step ended; 0 before the first."""
        self.done = done
        self.next = _BEGIN

    def advance(self, now: float, until: int) -> bool:
        """Takes the next step, and all up to the one at which the others are; whether more are left."""
        meanwhile = self.meanwhile
        meanwhile.until = until - meanwhile.first
        if self.stopped:
            meanwhile.seconds += now - self.stopped
        try:
            for step in self._steps:
                self.next = step
                return True
        except Exception as e:
            self.done.set_exception(e)
        else:
            self.done.set_result(None)
        return False


def _advance(batch: list[_Work]) -> list[_Work]:
    """Always the one that is furthest behind, until another is; gives those that are slow, and not done.

    Of several that are at the same step the last one goes on to the next: so each takes a step while it is
    still in the caches, and two of them change places only half as often as they take steps.
    """
    waiting = [(work.next, place, work) for place, work in enumerate(batch)]
    heapify(waiting)
    slow: list[_Work] = []
    now = time.perf_counter()
    while waiting:
        _, place, work = heappop(waiting)
        began = now
        goes_on = work.advance(began, waiting[0][0] if waiting else END)
        now = work.stopped = time.perf_counter()
        if not goes_on:
            continue
        if now - began <= SLOW_S:
            heappush(waiting, (work.next, place, work))
        else:
            slow.append(work)
    return slow
