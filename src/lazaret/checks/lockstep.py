"""Takes the examinations that are asked for in the same turn of the event loop through each step together.

Among everything else that a worker does, a step finds nothing of what it needs in the processor's caches;
right after the same step of another message it finds nearly all of it (docs/decisions/0011-lockstep.md).
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import TypeAlias

from lazaret.model.steps import Meanwhile

Label: TypeAlias = tuple[int, int]
"""The step that comes next: those with the same label are the same step, and the smallest comes first."""

MOST = 16
"""Messages in one batch."""
OCTETS = 262_144
"""Of all messages in one batch; a larger message is a batch of its own."""
SLOW_S = 0.05
"""After a step that took so long, the message waits until the others of its batch are answered."""

_BEGIN: Label = (-1, 0)


class Lockstep:
    """Of one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[_Work] = deque()
        self._arranged = False

    async def finish(self, steps: Iterator[Label], octets: int, meanwhile: Meanwhile) -> None:
        """Returns when all steps are done; what they raise comes out here, and meets no other.

        `steps` yields, before each step but the first, its label; what others take between them is added to
        `meanwhile`. Nobody is waited for: whoever is there at the end of this turn of the loop, and of the
        next, comes along.
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
        self, steps: Iterator[Label], octets: int, meanwhile: Meanwhile, done: "asyncio.Future[None]"
    ) -> None:
        self._steps = steps
        self.octets = octets
        self.meanwhile = meanwhile
        self.stopped = 0.0
        """When the last step ended; 0 before the first."""
        self.done = done
        self.next = _BEGIN

    def advance(self, now: float, others: bool) -> bool:
        """Takes the next step; whether more are left. `others`: whether anybody waits for its end."""
        self.meanwhile.others = others
        if self.stopped:
            self.meanwhile.seconds += now - self.stopped
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
    """Always those that are furthest behind, one after the other; gives those that are slow, and not done."""
    waiting: defaultdict[Label, list[_Work]] = defaultdict(list)
    for work in batch:
        waiting[work.next].append(work)
    slow: list[_Work] = []
    left = len(batch)
    now = time.perf_counter()
    while waiting:
        for work in waiting.pop(min(waiting)):
            began = now
            goes_on = work.advance(began, left > 1)
            now = work.stopped = time.perf_counter()
            if goes_on and now - began <= SLOW_S:
                waiting[work.next].append(work)
                continue
            left -= 1
            if goes_on:
                slow.append(work)
    return slow
