"""What a site has learned, and what it makes of a message: two learners of opposite kinds for each zone.

One counts in how much spam and ham a feature stood (empirical Bayes); it is right early and forgives
wrong lessons. One fits weights step by step (logistic regression with the step sizes of AdaGrad); it is
better once it has seen much. What the counts find even is let say little to the other learner too: most
of it is there by chance. Each zone is judged for itself, squashed so that no zone drowns the others,
and the zones vote: text that was padded with harmless words leaves sender, links and form as they were.

The settings below are one set for all mail. They were chosen by looking at online runs over mail of
several years; docs/learning.md says which.
"""

import math
from array import array
from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lazaret.learn import kernel
from lazaret.learn.features import Features, zone_bounds
from lazaret.learn.zones import Zone

Floats: TypeAlias = NDArray[np.float32]
PerZone: TypeAlias = Sequence[float]

RATE = 10.0
"""The first step of a weight, for a zone of one feature."""
OWN_SHARE = 0.6
"""A zone learns from its own error by this share, from that of all zones together by the rest."""
GAIN = 2.84
"""The zones' mean is multiplied by it: they agree more often than chance would have them."""
SHARE = [0.5 if zone == Zone.LINKS else 1.0 for zone in Zone]
"""How much each zone's vote counts: mail that is wanted leads to where advertising leads."""
MOST = 6.0
"""What one zone can say for spam at most."""
LEAST = [4.0 if zone in (Zone.TEXT, Zone.TEXT_GRAMS, Zone.WORDS) else 6.0 for zone in Zone]
"""What each zone can say for ham at most: text is what a spammer pads with harmless words."""
ENOUGH = 0.01
"""An error smaller than this teaches nothing."""
FEW = 10
"""So many features are added to those of a zone, so that a zone of three words does not shout."""
SOFT = 0.2
"""How loud the weight of a feature is that stands in spam as often as in ham; 1: it stands in one of them."""
FRESH = 0.5
"""And of a feature that was not counted yet."""
DOUBT = 4.0
"""A lesson against a judgement as sure as this counts half, and less against a surer one: of those that
contradict all that is known, many are mistakes."""

COUNTS_SHARE = 0.5
"""The counts' vote beside the weights' one."""
COUNTS_THICK = 3.5
"""A message that the counts judge right by more than this is not counted: what is known stays light."""
PRIOR_MAIL = 30.0
"""A feature is taken to have stood in so many messages of each class, at its rate in all mail."""
PRIOR_FEATURE = 0.3
"""And to have stood so often in mail of no class."""
CLEAR = 2.0
"""What stood in one class so many times as often as in the other counts; what is nearly even drowns it."""
FEW_COUNTED = 20

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

    def refresh(self) -> bool:
        """Goes over to a model that has taken the place of this one; whether it did."""


class Counter:
    """Positions in `Memory.counters`."""

    SPAM_COUNTED, HAM_COUNTED = 0, 1
    """Messages that went into the counts of the features."""
    SPAM_SEEN, HAM_SEEN = 2, 3
    """Messages that were taught; one with less weight than 1 counts by its weight."""
    FACTOR, EVEN = 4, 5
    """What its points were fitted to (`points.Scale`); 0, 0: they were not."""
    STALE = 6
    """1: a lesson in it was taken back, so that it is to be made anew."""
    SIZE = 8


_COUNTED = (Counter.SPAM_COUNTED, Counter.HAM_COUNTED)
_SEEN = (Counter.SPAM_SEEN, Counter.HAM_SEEN)
"""For `item`, which gives numbers of Python: arithmetic with those of numpy takes several times as long."""


class Private:
    """A memory that ends with the process."""

    def __init__(self, bits: int = TABLE_BITS) -> None:
        self.table: Floats = np.zeros((1 << bits, COLUMNS), np.float32)
        self.counters = np.zeros(Counter.SIZE)

    def refresh(self) -> bool:
        """Nothing ever takes its place."""
        return False


class Judgement(NamedTuple):
    """What the model makes of a message: log-odds, above 0 spam."""

    score: float
    weights: float
    counts: float
    """What the two kinds of learners say, without the ramp."""
    zones: PerZone
    """What the weights say in each zone, not squashed."""
    loudness: PerZone
    """The squares of how loud the features of each zone are, summed up."""
    votes: PerZone
    """What the counts say in each zone, not squashed."""
    clear: PerZone
    """How many features of each zone are clear."""


class Shares(NamedTuple):
    """What each feature adds to the score; they sum up to it."""

    of_feature: Floats
    score: float


class _Counted(NamedTuple):
    """What the counts say: how loud each feature is, what they say of it and of each zone, and how many
    features of it are clear."""

    loud: Floats
    logits: Floats
    zones: PerZone
    known: PerZone


class Model:
    """Judges and learns on a memory."""

    def __init__(self, memory: Memory) -> None:
        self._table = memory.table
        self._counters = memory.counters

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
        if not kernel.compiled:
            columns, bounds = self._read(features), zone_bounds(features).tolist()
            return self._judged(columns, bounds, self._counted(columns, bounds))
        return Judgement._make(kernel.compiled.judge(self._table, features, self._counters, _SETTINGS))

    def learn(self, features: Features, *, spam: bool, weight: float = 1.0) -> Judgement:
        """Learns one message, by `weight` as much as one that a person has taught; what it thought before."""
        before = self.judge(features)
        self._counters[Counter.SPAM_SEEN if spam else Counter.HAM_SEEN] += weight
        errors = _errors(before, spam=spam)
        # The energy is that of the whole error: AdaGrad would make up for a smaller one.
        steps = _normed([RATE * weight * error for error in errors], before.loudness, FEW)
        counted = 0.0
        if (before.counts if spam else -before.counts) <= COUNTS_THICK:
            counted = weight
        if counted or any(errors):
            self._change(features, [error * error for error in errors], steps, spam=spam, counted=counted)
        self._counters[Counter.SPAM_COUNTED if spam else Counter.HAM_COUNTED] += counted
        return before

    def _change(
        self, features: Features, energies: PerZone, steps: PerZone, *, spam: bool, counted: float
    ) -> None:
        """Adds to the rows of the features what their zones tell them."""
        energy, step = np.array(energies, np.float32), np.array(steps, np.float32)
        if kernel.compiled:
            counts = (counted, 0.0) if spam else (0.0, counted)
            kernel.compiled.learn(self._table, features, self._counters, _SETTINGS, energy, step, *counts)
            return
        lengths = np.diff(zone_bounds(features))
        columns = self._read(features)
        loud = _loud(*self._rates(columns), columns[SPAM] + columns[HAM] > 0)
        columns[ENERGY] += energy.repeat(lengths) * loud * loud
        columns[WEIGHT] += step.repeat(lengths) * loud / np.sqrt(np.maximum(columns[ENERGY], _TINY))
        columns[SPAM if spam else HAM] += np.float32(counted)
        rows = np.ascontiguousarray(columns.T)
        whole_rows, places = self._whole_rows(features)
        whole_rows[places] = rows.view(np.complex128).reshape(-1)

    def shares(self, features: Features, judged: Judgement | None = None) -> Shares:
        """What each feature adds to the score. `judged`: what `judge` says of them, where it was asked."""
        known = judged or self.judge(features)
        if kernel.compiled:
            octets = kernel.compiled.shares(self._table, features, self._counters, _SETTINGS, *known[3:])
            return Shares(np.frombuffer(octets, np.float32), known.score)
        ramp = self._ramp()
        by_weight = [ramp * one for one in _factors(GAIN, known.zones, known.loudness, FEW)]
        by_count = [ramp * one for one in _factors(COUNTS_SHARE, known.votes, known.clear, FEW_COUNTED)]
        columns, bounds = self._read(features), zone_bounds(features).tolist()
        counted, lengths = self._counted(columns, bounds), np.diff(bounds)
        found: Floats = columns[WEIGHT] * counted.loud * _spread(by_weight, lengths)
        found += counted.logits * _spread(by_count, lengths)
        return Shares(found, known.score)

    def _read(self, features: Features) -> Floats:
        whole_rows, places = self._whole_rows(features)
        return np.ascontiguousarray(whole_rows.take(places).view(np.float32).reshape(-1, COLUMNS).T)

    def _whole_rows(self, features: Features) -> tuple[NDArray[np.complex128], NDArray[np.uint32]]:
        """The table with one number a row, and the rows of the features."""
        whole_rows = self._table.view(np.complex128).reshape(-1)
        return whole_rows, features & np.uint32(len(whole_rows) - 1)

    def _ramp(self) -> float:
        fewest = min(map(self._counters.item, _SEEN))
        return math.sqrt((fewest + RAMP_FROM) / (fewest + RAMP_TO))

    def _judged(self, columns: Floats, bounds: list[int], counted: _Counted) -> Judgement:
        loudness = _sums(counted.loud * counted.loud, bounds)
        zones = _normed(_sums(columns[WEIGHT] * counted.loud, bounds), loudness, FEW)
        return self._fused(zones, loudness, counted.zones, counted.known)

    def _fused(self, zones: PerZone, loudness: PerZone, votes: PerZone, clear: PerZone) -> Judgement:
        """The votes of the zones, of both kinds of learners."""
        weights = GAIN * _voted(zones)
        counts = _voted(votes)
        score = float((weights + COUNTS_SHARE * counts) * self._ramp())
        return Judgement(score, weights, counts, zones, loudness, votes, clear)

    def _rates(self, columns: Floats) -> tuple[Floats, Floats]:
        """Empirical Bayes: rates in a class are drawn to the rate in all mail, what is rare to even odds."""
        spam_mail, ham_mail = map(self._counters.item, _COUNTED)
        total = columns[SPAM] + columns[HAM]
        prior = total * np.float32(PRIOR_MAIL / max(spam_mail + ham_mail, 1))
        in_spam = columns[SPAM] + prior
        in_spam *= np.float32(ham_mail + PRIOR_MAIL)
        in_ham = prior
        in_ham += columns[HAM]
        in_ham *= np.float32(spam_mail + PRIOR_MAIL)
        even = in_spam + in_ham
        even *= np.float32(PRIOR_FEATURE / 2)
        even += _TINY
        in_spam *= total
        in_spam += even
        in_ham *= total
        in_ham += even
        return in_spam, in_ham

    def _counted(self, columns: Floats, bounds: list[int]) -> _Counted:
        in_spam, in_ham = self._rates(columns)
        there = columns[SPAM] + columns[HAM] > 0
        loud = _loud(in_spam, in_ham, there)
        in_spam /= in_ham
        clear = (in_spam >= _CLEAR) | (in_spam * _CLEAR <= 1)
        clear &= there
        logits: Floats = np.where(clear, np.log(in_spam), np.float32(0))
        known = _sums(clear.astype(np.float32), bounds)
        return _Counted(loud, logits, _normed(_sums(logits, bounds), known, FEW_COUNTED), known)


_TINY = np.float32(1e-20)
_SHARES = [share / sum(SHARE) for share in SHARE]
_CLEAR = np.float32(CLEAR)
_SETTINGS = array(
    "d",
    [
        PRIOR_MAIL,
        PRIOR_FEATURE,
        CLEAR,
        SOFT,
        FRESH,
        GAIN,
        COUNTS_SHARE,
        FEW,
        FEW_COUNTED,
        RAMP_FROM,
        RAMP_TO,
        MOST,
        *LEAST,
        *_SHARES,
    ],
)
"""What the kernel is to know of these, in its order."""


def _loud(in_spam: Floats, in_ham: Floats, counted: NDArray[np.bool_]) -> Floats:
    """How loud the weights of features are, by how unevenly these stand in spam and ham."""
    uneven = np.abs(in_spam - in_ham)
    uneven *= np.float32(1 - SOFT)
    uneven /= in_spam + in_ham
    uneven += np.float32(SOFT)
    return np.where(counted, uneven, np.float32(FRESH))


def _errors(before: Judgement, *, spam: bool) -> PerZone:
    """By how much each zone was wrong, as chances; 0 where it is not worth a step."""
    errors = []
    wrong = max(-before.score if spam else before.score, 0.0)
    believed = 1 / (1 + (wrong / DOUBT) ** 2)
    for value in before.zones:
        expected = OWN_SHARE * value + (1 - OWN_SHARE) * before.weights
        error = believed * (spam - 1 / (1 + math.exp(-min(max(expected, -30.0), 30.0))))
        errors.append(error if abs(error) >= ENOUGH else 0.0)
    return errors


def _sums(values: Floats, bounds: list[int]) -> PerZone:
    """The sum of each zone; a zone may be empty."""
    filled = [zone for zone in range(ZONES) if bounds[zone] < bounds[zone + 1]]
    sums = [0.0] * ZONES
    if filled:
        found = np.add.reduceat(values, [bounds[zone] for zone in filled])
        for zone, value in zip(filled, found.tolist(), strict=True):
            sums[zone] = value
    return sums


def _normed(values: PerZone, sizes: PerZone, few: int) -> PerZone:
    return [value / math.sqrt(size + few) for value, size in zip(values, sizes, strict=True)]


def _spread(values: PerZone, lengths: NDArray[np.intp]) -> Floats:
    """The value of each zone, for each of its features."""
    return np.repeat(np.array(values, np.float32), lengths)


def _squashed(values: PerZone) -> PerZone:
    """What each zone may say at most is the limit that it nears."""
    tanh = math.tanh
    return [
        MOST * tanh(value / MOST) if value > 0 else least * tanh(value / least)
        for value, least in zip(values, LEAST, strict=True)
    ]


def _voted(values: PerZone) -> float:
    """The mean of the zones, by their shares."""
    return sum([share * value for share, value in zip(_SHARES, _squashed(values), strict=True)])


def _factors(gain: float, votes: PerZone, sizes: PerZone, few: int) -> PerZone:
    """By what a feature of each zone is multiplied, to be its share of what the zone says."""
    return [
        gain * share * (squashed / vote if abs(vote) > 1e-6 else 1.0) / math.sqrt(size + few)
        for share, vote, squashed, size in zip(_SHARES, votes, _squashed(votes), sizes, strict=True)
    ]
