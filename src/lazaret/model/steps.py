"""Work that is cut into numbered steps, so that several messages can be taken through each step together.

A step that comes right after the same one of another message costs half: what it walks through is still in
the processor's caches.
"""

import sys
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")

Steps: TypeAlias = Generator[int, None, _T]
"""Yields, before each step but the first, its number, in ascending order; returns the result.

A number means the same step for every message. Some may be left out, and one may come twice. Those up to
`Meanwhile.until` need not be yielded.
"""

NUMBERS = 1_000_000_000
"""Of the steps of one check: all are below it."""
END = sys.maxsize
"""After the last step of all checks."""


@dataclass(slots=True)
class Meanwhile:
    """What others do between the steps of one message, and cost: its own budgets are not used up by them."""

    seconds: float = 0.0
    """By the wall. Where a busy machine kept the others waiting, that is given too."""
    until: int = END
    """The step at which the one is that is furthest behind of the others, by the numbers of the check that
    runs: nobody waits for this message before that is done. END when nobody else is there."""
    first: int = 0
    """The number of that check's first step among those of all checks."""

    def pass_check(self) -> None:
        """The next check runs, and numbers its steps anew."""
        self.first += NUMBERS
        self.until -= NUMBERS


def finish(steps: Steps[_T]) -> _T:
    """All steps at once, and their result."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
