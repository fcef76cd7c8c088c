"""Work that is cut into numbered steps, so that several messages can be taken through each step together.

A step that comes right after the same one of another message costs half: what it walks through is still in
the processor's caches.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")

Steps: TypeAlias = Generator[int, None, _T]
"""Yields, before each step but the first, its number, in ascending order; returns the result.

A number means the same step for every message. Some may be left out, and one may come twice. Where nobody
else takes the same steps (`Meanwhile.others`) none needs to be yielded.
"""


@dataclass(slots=True)
class Meanwhile:
    """What others do between the steps of one message, and cost: its own budgets are not used up by them."""

    seconds: float = 0.0
    """By the wall. Where a busy machine kept the others waiting, that is given too."""
    others: bool = False
    """Whether anybody waits for this message to come to the end of a step."""


def finish(steps: Steps[_T]) -> _T:
    """All steps at once, and their result."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
