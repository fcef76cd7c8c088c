"""An online trial: each message is judged first and learned afterwards, as it happens at a site."""

import random
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lazaret.learn import roc, zones
from lazaret.learn.features import Features, Hasher
from lazaret.learn.model import Model
from lazaret.mime.message import Message


class Labelled(NamedTuple):
    """A message, and what it is."""

    spam: bool
    message: Message


@dataclass(slots=True)
class Figures:
    """Scores and costs of a trial."""

    ham: list[float] = field(default_factory=list)
    spam: list[float] = field(default_factory=list)
    classified: int = 0
    learned: int = 0
    features_s: float = 0.0
    """CPU seconds that making features took, of all that were made."""
    judge_s: float = 0.0
    learn_s: float = 0.0

    def note(self, score: float, *, spam: bool) -> None:
        """One message was judged."""
        (self.spam if spam else self.ham).append(score)

    def row(self) -> dict[str, float]:
        """As `lazaret learn eval --json` prints it; costs are for a parsed message, with features."""
        made = max(self.classified, 1)
        per_features = self.features_s / made
        return {
            "messages": len(self.ham) + len(self.spam),
            "ham": len(self.ham),
            "spam": len(self.spam),
            "roca_pct": round(roc.roca_pct(self.ham, self.spam), 4),
            "sm_at_hm_0_1_pct": round(roc.missed_pct(self.ham, self.spam, 0.001), 2),
            "sm_at_hm_0_5_pct": round(roc.missed_pct(self.ham, self.spam, 0.005), 2),
            "ms_classify": round(1000 * (per_features + self.judge_s / made), 3),
            "ms_learn": round(1000 * (per_features + self.learn_s / self.learned), 3)
            if self.learned
            else 0.0,
        }


class Trial:
    """Runs streams of messages past one model."""

    def __init__(
        self, model: Model, hasher: Hasher, *, delay: int = 0, noise: float = 0.0, seed: int = 0
    ) -> None:
        self.model = model
        self.hasher = hasher
        self._delay = delay
        self._noise = noise
        self._random = random.Random(seed)
        self.figures = Figures()

    def run(self, stream: Iterable[Labelled]) -> Iterator[float]:
        """Judges each message and then learns it, or the one that came `delay` messages before."""
        waiting: deque[tuple[Features, bool]] = deque()
        for label, message in stream:
            features = self._features(message)
            score = self._judge(features)
            self.figures.note(score, spam=label)
            wrong = self._noise > 0 and self._random.random() < self._noise
            waiting.append((features, label != wrong))
            if len(waiting) > self._delay:
                self._learn(*waiting.popleft())
            yield score

    def judge_only(self, stream: Iterable[Labelled]) -> Iterator[float]:
        """Judges and learns nothing."""
        for label, message in stream:
            score = self._judge(self._features(message))
            self.figures.note(score, spam=label)
            yield score

    def _features(self, message: Message) -> Features:
        touch(message)
        began = time.process_time()
        features = self.hasher.features(zones.view(message))
        self.figures.features_s += time.process_time() - began
        self.figures.classified += 1
        return features

    def _judge(self, features: Features) -> float:
        began = time.process_time()
        score = self.model.judge(features).score
        self.figures.judge_s += time.process_time() - began
        return score

    def _learn(self, features: Features, spam: bool) -> None:
        began = time.process_time()
        self.model.learn(features, spam=spam)
        self.figures.learn_s += time.process_time() - began
        self.figures.learned += 1


def touch(message: Message) -> Sequence[object]:
    """Makes the views that the rules make as well: a filter has them when it comes to the learner."""
    return message.header, message.rendered, message.uris, message.relays, message.html, message.attachments
