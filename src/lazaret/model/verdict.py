"""What was found in a message, and what follows from it for one recipient."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from operator import attrgetter

from lazaret.model.frozen import frozen, frozen_with_lazy
from lazaret.model.lazy import lazy

_SCORE = attrgetter("score")


@frozen
class Hit:
    """A fact that a check found. Points are the symbol's score times `weight`."""

    symbol: str
    detail: str = ""
    """What was found, for a person: a host name, a word, a file name. At most a line."""
    weight: float = 1.0


@frozen
class ScoredHit:
    """A hit with its price and the sentence that explains it."""

    symbol: str
    score: float
    description: str
    detail: str = ""


@frozen
class Unavailable:
    """A check that could not answer; it never decides (promise 3)."""

    check: str
    reason: str
    defer: bool = False
    """The check's `on_unavailable` is "defer": the message is to be tried again later."""


@frozen_with_lazy
class Report:
    """All that the checks found in one message."""

    hits: tuple[ScoredHit, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()
    over_budget: bool = False
    """A budget (time, matches, parts) ran out: LAZARET_OVER_BUDGET is among the hits."""
    took_ms: float = 0.0

    @lazy
    def score(self) -> float:
        """Sum of all hits, rounded to 3 decimals as SpamAssassin rounds it."""
        score: float = sum(map(_SCORE, self.hits))
        return round(score, 3) + 0.0


class Category(StrEnum):
    """The contents category, with the letter that amavis writes to `msgs.content`."""

    CLEAN = "C"
    SPAMMY = "Y"
    SPAM = "S"
    VIRUS = "V"
    BANNED = "B"
    UNCHECKED = "U"
    BAD_HEADER = "H"
    OVERSIZED = "O"
    MTA = "T"
    """The next hop refused it."""

    @property
    def word(self) -> str:
        """The word that people see and type: `category:spam`."""
        return self.name.lower().replace("_", "-")


class Action(StrEnum):
    """What happens to one recipient's copy."""

    DELIVER = "deliver"
    MARK = "mark"
    """Delivered with the subject mark and X-Spam-Flag: YES."""
    QUARANTINE = "quarantine"
    """Kept, not delivered; the sender is told nothing."""
    REJECT = "reject"
    """Refused with a 5xx: the sender is told."""
    DISCARD = "discard"
    """Killed after the queue: not delivered, nobody is told, a copy is kept for a while."""
    DEFER = "defer"
    """A check that must answer could not: 4xx, to be tried again."""

    @property
    def delivers(self) -> bool:
        """Whether this recipient gets the message now."""
        return self is Action.DELIVER or self is Action.MARK


@frozen
class Levels:
    """The four levels of one recipient in points; all comparisons are `score >= level`."""

    tag: float = -999.0
    mark: float = 3.0
    quarantine: float = 5.0
    kill: float | None = 8.0
    """None: never kill."""


@frozen
class Policy:
    """What holds for one recipient. `source` says where it was set, for `config explain`."""

    levels: Levels = Levels()
    local: bool = True
    always_deliver: bool = False
    """postmaster@ and the like: marked, never kept from its reader for its score."""
    subject_tag: str = "***SPAM*** "
    kill_action: str = "auto"
    """auto | reject | discard"""
    quarantine_reply: str = "accept"
    """accept | reject"""
    lovers: frozenset[Category] = frozenset()
    """What this recipient wants to have all the same: marked at most."""
    bypasses: frozenset[Category] = frozenset()
    """What is not judged for this recipient."""
    keep: bool = True
    """False: what would be quarantined is discarded, and nothing of it is kept."""
    size_limit: int = 0
    """Octets as on the wire; a larger message is not for this recipient. 0: no limit."""
    strong_level: float | None = None
    """From here on `strong_subject_tag` stands in the place of `subject_tag` (amavis' tag3); None: never."""
    strong_subject_tag: str = ""
    clean_subject_tag: str = ""
    """Before the subject of a message that gets X-Spam fields and is not marked."""
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Name of a setting (`policy.settings`) -> who set it; what the configuration set is missing."""


@frozen
class Verdict:
    """The outcome for one recipient: what, and why in words."""

    recipient: str
    category: Category
    action: Action
    score: float
    policy: Policy
    reason: str
    """One sentence for a person: which level was reached and by how much, or which exception held."""
    keep: bool = False
    """A copy goes into the quarantine: always when quarantined, and for a killed one that is kept."""
    hits: tuple[ScoredHit, ...] = ()
    """What adds to the report's score for this recipient alone."""
    allowed: bool = False
    """The recipient allows the sender, who proved to be himself."""
    blocked: bool = False
    """The recipient blocks the sender."""
    tagged: bool = True
    """A delivered copy gets X-Spam fields."""
    subject_tag: str = ""
    """What stands before the subject of a delivered copy."""
