"""What is the learner's judgement worth in points?

The log-odds become points by one factor, within limits: the learner alone never quarantines, and what it
takes for ham can lift a wrong verdict of the rules. It has no say before it has seen CLASS_FROM of spam
and of ham, and its full say from CLASS_FULL on.
"""

from dataclasses import dataclass

CLASS_FROM = 25
CLASS_FULL = 200
QUIET = 0.1
"""Fewer points than this are no hit."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How log-odds become points."""

    factor: float = 1.5
    even: float = 0.7
    """At these log-odds nothing is added: what is even to the learner is ham more often than not."""
    most: float = 4.5
    """Below the level of the quarantine: somebody else has to have noticed something, too."""
    least: float = -7.0

    def points(self, score: float, *, spam: int, ham: int) -> float:
        """For a message with these log-odds, by a model that was taught so many of each class."""
        say = min(max((min(spam, ham) - CLASS_FROM) / (CLASS_FULL - CLASS_FROM), 0.0), 1.0)
        return say * min(max(self.factor * (score - self.even), self.least), self.most)
