"""What a site has learned, and what it makes of a message: two learners of opposite kinds for each zone.

One counts in how much spam and ham a feature stood (empirical Bayes); it is right early and forgives
wrong lessons. One fits weights step by step (logistic regression with the step sizes of AdaGrad); it is
better once it has seen much. Each zone is judged for itself, squashed so that no zone drowns the others,
and the zones vote: text that was padded with harmless words leaves sender, links and form as they were.

The settings below are one set for all mail. They were chosen by looking at online runs over mail of
several years; docs/learning.md says which.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lazaret.learn.features import Features, zone_bounds
from lazaret.learn.zones import Zone

Floats: TypeAlias = NDArray[np.float32]
PerZone: TypeAlias = NDArray[np.float64]

RATE = 10.0
"""The first step of a weight, for a zone of one feature."""
OWN_SHARE = 0.5
"""A zone learns from its own error by this share, from that of all zones together by the rest."""
GAIN = 2.0
"""The zones' mean is multiplied by it: they agree more often than chance would have them."""
SQUASH = 6.0
"""What one zone can say at most."""
ENOUGH = 0.01
"""An error smaller than this teaches nothing."""
FEW = 20
"""So many features are added to those of a zone, so that a zone of three words does not shout."""

COUNTS_SHARE = 0.5
"""The counts' vote beside the weights' one."""
COUNTS_THICK = 3.0
"""A message that the counts judge right by more than this is not counted: what is known stays light."""
PRIOR_MAIL = 10.0
"""A feature is taken to have stood in so many messages of each class, at its rate in all mail."""
PRIOR_FEATURE = 0.3
"""And to have stood so often in mail of no class."""
FEW_COUNTED = 5

RAMP_FROM, RAMP_TO = 10.0, 30.0
"""While less than this is known of one class, judgements are mild: sqrt((n + 10) / (n + 30))."""

WEIGHT, ENERGY, SPAM, HAM = range(4)
"""The columns of the table."""
COLUMNS = 4
TABLE_BITS = 22

ZONES = len(Zone)


class Memory(Protocol):
    """Where a model's numbers live: in this process, or in a file that all workers map."""

    table: Floats
    """2**n rows of COLUMNS."""
    counters: NDArray[np.float64]
    """As in `Counter`."""


class Counter:
    """Positions in `Memory.counters`."""

    SPAM_COUNTED, HAM_COUNTED = 0, 1
    """Messages that went into the counts of the features."""
    SPAM_SEEN, HAM_SEEN = 2, 3
    """Messages that were taught."""
    SIZE = 8


class Private:
    """A memory that ends with the process."""

    def __init__(self, bits: int = TABLE_BITS) -> None:
        self.table: Floats = np.zeros((1 << bits, COLUMNS), np.float32)
        self.counters = np.zeros(Counter.SIZE)


class Judgement(NamedTuple):
    """What the model makes of a message: log-odds, above 0 spam."""

    score: float
    weights: float
    counts: float
    """What the two kinds of learners say, without the ramp."""
    zones: PerZone
    """What the weights say in each zone, not squashed."""
    rows: Floats
    """The rows of the features as they were read."""
    bounds: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Shares:
    """What each feature adds to the score; they sum up to it."""

    of_feature: Floats
    score: float


class Model:
    """Judges and learns on a memory."""

    def __init__(self, memory: Memory) -> None:
        self._table = memory.table
        self._whole_rows = memory.table.view(np.complex128).reshape(-1)
        self._counters = memory.counters
        self._mask = np.uint32(len(memory.table) - 1)

    @property
    def spam(self) -> int:
        """Spam messages that were taught."""
        return int(self._counters[Counter.SPAM_SEEN])

    @property
    def ham(self) -> int:
        """Ham messages that were taught."""
        return int(self._counters[Counter.HAM_SEEN])

    def judge(self, features: Features) -> Judgement:
        """Log-odds of spam. A model that has seen nothing says 0."""
        rows = self._read(features)
        bounds = zone_bounds(features)
        zones = _sums(rows[:, WEIGHT], bounds) * _normal(bounds)
        weights = GAIN / ZONES * float(_squashed(zones).sum())
        counts = float(_squashed(self._counted(rows, bounds)[1]).sum()) / ZONES
        score = (weights + COUNTS_SHARE * counts) * self._ramp()
        return Judgement(score, weights, counts, zones, rows, bounds)

    def learn(self, features: Features, *, spam: bool) -> Judgement:
        """Learns one message; what it thought of it before."""
        before = self.judge(features)
        self._counters[Counter.SPAM_SEEN if spam else Counter.HAM_SEEN] += 1
        rows = before.rows
        changed = self._fit(before, rows, spam=spam)
        if (before.counts if spam else -before.counts) <= COUNTS_THICK:
            rows[:, SPAM if spam else HAM] += 1
            self._counters[Counter.SPAM_COUNTED if spam else Counter.HAM_COUNTED] += 1
            changed = True
        if changed:
            self._whole_rows[features & self._mask] = rows.view(np.complex128).reshape(-1)
        return before

    def shares(self, features: Features) -> Shares:
        """What each feature adds to the score."""
        known = self.judge(features)
        lengths = np.diff(known.bounds)
        by_weight = GAIN / ZONES * _normal(known.bounds) * _shrinking(known.zones)
        found: Floats = known.rows[:, WEIGHT] * np.repeat(by_weight.astype(np.float32), lengths)
        logits, counted, normal = self._counted(known.rows, known.bounds)
        by_count = COUNTS_SHARE / ZONES * normal * _shrinking(counted)
        found += logits * np.repeat(by_count.astype(np.float32), lengths)
        found *= np.float32(self._ramp())
        return Shares(found, known.score)

    def _read(self, features: Features) -> Floats:
        rows = self._whole_rows.take(features & self._mask)
        return rows.view(np.float32).reshape(-1, COLUMNS)

    def _ramp(self) -> float:
        fewest = float(min(self._counters[Counter.SPAM_SEEN], self._counters[Counter.HAM_SEEN]))
        return math.sqrt((fewest + RAMP_FROM) / (fewest + RAMP_TO))

    def _fit(self, before: Judgement, rows: Floats, *, spam: bool) -> bool:
        expected = OWN_SHARE * before.zones + (1 - OWN_SHARE) * before.weights
        errors = float(spam) - 1 / (1 + np.exp(-np.clip(expected, -30, 30)))
        errors[np.abs(errors) < ENOUGH] = 0
        if not errors.any():
            return False
        lengths = np.diff(before.bounds)
        energy = rows[:, ENERGY]
        energy += np.repeat((errors * errors).astype(np.float32), lengths)
        steps = np.repeat((RATE * errors * _normal(before.bounds)).astype(np.float32), lengths)
        steps /= np.sqrt(np.maximum(energy, np.float32(1e-8)))
        rows[:, WEIGHT] += steps
        return True

    def _counted(self, rows: Floats, bounds: NDArray[np.intp]) -> tuple[Floats, PerZone, PerZone]:
        """By the counts: log-odds of each feature, those of each zone, and what divides those sums."""
        spam_mail, ham_mail = self._counters[Counter.SPAM_COUNTED], self._counters[Counter.HAM_COUNTED]
        spam, ham = rows[:, SPAM], rows[:, HAM]
        total = spam + ham
        prior = total * np.float32(PRIOR_MAIL / max(spam_mail + ham_mail, 1))
        in_spam = (spam + prior) * np.float32(ham_mail + PRIOR_MAIL)
        in_ham = (ham + prior) * np.float32(spam_mail + PRIOR_MAIL)
        both = in_spam + in_ham
        share = total / np.maximum(both, np.float32(1e-30))
        half = np.float32(PRIOR_FEATURE / 2)
        logits: Floats = np.log((half + share * in_spam) / (half + share * in_ham))
        known = _sums((total > 0).astype(np.float32), bounds)
        normal = 1 / np.sqrt(known + FEW_COUNTED)
        return logits, _sums(logits, bounds) * normal, normal


def _sums(values: Floats, bounds: NDArray[np.intp]) -> PerZone:
    """The sum of each zone; a zone may be empty."""
    running = np.zeros(len(values) + 1)
    np.cumsum(values, dtype=np.float64, out=running[1:])
    sums: PerZone = np.diff(running[bounds])
    return sums


def _normal(bounds: NDArray[np.intp]) -> PerZone:
    return 1 / np.sqrt(np.diff(bounds) + FEW)


def _squashed(values: PerZone) -> PerZone:
    return SQUASH * np.tanh(values / SQUASH)


def _shrinking(values: PerZone) -> PerZone:
    """By which factor each value is squashed."""
    part = np.where(np.abs(values) < 1e-6, 1e-6, values / SQUASH)
    shrunk: PerZone = np.tanh(part) / part
    return shrunk
