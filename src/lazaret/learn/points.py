"""What is the learner's judgement worth in points?

The log-odds become points by one factor, within limits: the learner alone never quarantines, and what it
takes for ham can lift a wrong verdict of the rules. It has no say before it has seen CLASS_FROM of spam
and of ham, and its full say from CLASS_FULL on.
"""

import math
from collections import deque
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from lazaret.learn.model import Counter, Memory

CLASS_FROM = 25
CLASS_FULL = 200
QUIET = 0.1
"""Fewer points than this are no hit."""

FACTOR, EVEN = 1.5, 0.7
"""Of judgements that are honest log-odds."""
FACTORS, EVENS = (0.75, 2.0), (0.0, 1.5)
"""Between these a fit may move them: people teach mistakes more often than what was right."""
FITTED_EACH = 100
"""Messages of each class, fewer than which fit nothing."""
FITTED_MOST = 4000
"""The latest are looked at."""
PRIOR = 100.0
"""So many messages is it worth that judgements are honest."""
_STEPS = 25


class Scale(NamedTuple):
    """How log-odds become points."""

    factor: float = FACTOR
    even: float = EVEN
    """At these log-odds nothing is added: what is even to the learner is ham more often than not."""
    most: float = 4.5
    """Below the level of the quarantine: somebody else has to have noticed something, too."""
    least: float = -7.0

    @classmethod
    def of(cls, memory: Memory) -> Self:
        """As it was fitted to the feedback that this model got."""
        factor, even = map(memory.counters.item, (Counter.FACTOR, Counter.EVEN))
        return cls(factor, even) if factor else cls()

    @staticmethod
    def say(*, spam: int, ham: int) -> float:
        """From 0 to 1: how much a model counts that was taught so many of each class."""
        return min(max((min(spam, ham) - CLASS_FROM) / (CLASS_FULL - CLASS_FROM), 0.0), 1.0)

    def points(self, score: float, *, spam: int, ham: int) -> float:
        """For a message with these log-odds, by a model that was taught so many of each class."""
        return self.say(spam=spam, ham=ham) * min(
            max(self.factor * (score - self.even), self.least), self.most
        )


class Feedback:
    """What the model thought of messages before it was told what they are."""

    def __init__(self) -> None:
        self._scores: dict[bool, deque[float]] = {
            kind: deque(maxlen=FITTED_MOST // 2) for kind in (True, False)
        }

    def note(self, score: float, *, spam: bool) -> None:
        """One lesson."""
        self._scores[spam].append(score)

    def fit(self, counters: NDArray[np.float64]) -> None:
        """Writes the scale that fits the feedback into a model's counters; none where there is too little."""
        spam, ham = (np.array(self._scores[kind]) for kind in (True, False))
        if min(len(spam), len(ham)) < FITTED_EACH:
            return
        slope, shift = honest(spam, ham)
        factor = min(max(FACTOR * slope, FACTORS[0]), FACTORS[1])
        even = min(max((EVEN - shift) / max(slope, 0.1), EVENS[0]), EVENS[1])
        counters[Counter.EVEN] = even
        counters[Counter.FACTOR] = factor


def honest(spam: NDArray[np.float64], ham: NDArray[np.float64]) -> tuple[float, float]:
    """(a, b) for which a * score + b are the log-odds that these judgements turned out to be worth.

    Both classes count alike; the fit is drawn to (1, 0). Platt's method, by Newton's.
    """
    scores = np.concatenate([spam, ham])
    truth = np.concatenate([np.ones(len(spam)), np.zeros(len(ham))])
    share = np.concatenate([np.full(len(c), len(scores) / (2 * len(c))) for c in (spam, ham)])
    a, b = 1.0, 0.0
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(a * scores + b, -30, 30)))
        error, spread = share * (chance - truth), share * chance * (1 - chance)
        slope_a, slope_b = (error * scores).sum() + PRIOR * (a - 1), error.sum() + PRIOR * b
        aa, ab, bb = (spread * scores * scores).sum() + PRIOR, (spread * scores).sum(), spread.sum() + PRIOR
        whole = aa * bb - ab * ab
        da, db = (bb * slope_a - ab * slope_b) / whole, (aa * slope_b - ab * slope_a) / whole
        a, b = a - da, b - db
        if math.hypot(da, db) < 1e-6:
            break
    return float(a), float(b)
