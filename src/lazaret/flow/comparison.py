"""Our verdicts beside those of another filter: where they differ, and how often they agree."""

from collections import Counter
from dataclasses import dataclass, field

from lazaret.checks.other_filters import HAM, SPAM
from lazaret.model.quarantine import Detail
from lazaret.model.verdict import Category

QUERY = "rule:OTHER_FILTER_*"
"""Finds the messages of the history that another filter has judged."""
_SPAM = frozenset({Category.SPAM.value, Category.SPAMMY.value})


@dataclass(frozen=True, slots=True)
class Compared:
    """One message that two filters have judged. Spam is what a filter marks, or worse."""

    name: str
    """The id, or the file."""
    score: float
    spam: bool
    """For us."""
    other: str
    """The other filter with its points."""
    other_spam: bool
    symbols: tuple[str, ...] = ()
    """Ours, the most expensive first."""

    @property
    def differs(self) -> bool:
        return self.spam is not self.other_spam


@dataclass(slots=True)
class Summary:
    """How often two filters agree."""

    counts: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    """(spam for us, spam for the other) -> messages."""
    unjudged: int = 0
    """Messages without a verdict of another filter."""

    def add(self, compared: Compared) -> None:
        self.counts[compared.spam, compared.other_spam] += 1

    def facts(self) -> dict[str, int]:
        """For JSON."""
        return {
            "judged_by_both": self.counts.total(),
            "both_spam": self.counts[True, True],
            "both_clean": self.counts[False, False],
            "only_lazaret_spam": self.counts[True, False],
            "only_other_spam": self.counts[False, True],
            "unjudged": self.unjudged,
        }


def of_history(detail: Detail) -> list[Compared]:
    """What was noted of a message when it came by, for each other filter."""
    symbols = tuple(s for s in detail.item.symbols if s not in (SPAM, HAM))
    return [
        Compared(
            detail.item.mail_id,
            detail.item.score,
            detail.item.category in _SPAM,
            hit.detail,
            hit.symbol == SPAM,
            symbols,
        )
        for hit in detail.hits
        if hit.symbol in (SPAM, HAM)
    ]
