"""What the API takes and gives about figures, as types; see `shapes`."""

from typing import Annotated

import msgspec
from msgspec import Meta

from lazaret.web.api.shapes import Time


class Symbol(msgspec.Struct):
    """A rule and how often it hit."""

    name: str
    description: str
    messages: int
    mean_score: float


class Figures(msgspec.Struct):
    """What the filter did in a span of time."""

    messages: int
    octets: int
    mean_ms: float
    categories: dict[str, int]
    actions: dict[str, int]
    days: dict[str, dict[str, int]]
    symbols: list[Symbol]
    scores: dict[str, int]


class Span(msgspec.Struct):
    """A span of time: how many copies had which fate."""

    begins: Time
    actions: dict[str, int]


class Volume(msgspec.Struct):
    """All spans of `step` hours; one without mail is empty."""

    step: int
    spans: list[Span]


class Sender(msgspec.Struct):
    """Whose messages were quarantined, and how many."""

    address: str
    messages: int


class Senders(msgspec.Struct):
    """Those with the most first."""

    senders: list[Sender]


class RuleFigures(msgspec.Struct):
    """A rule: how often it hit, and what became of what it helped to stop."""

    name: str
    description: str
    messages: int
    mean_score: float
    stopped: int
    released: int
    released_share: float


class Rules(msgspec.Struct):
    """The most frequent first."""

    rules: list[RuleFigures]


Points = Annotated[float, Meta(ge=-1000, le=1000)]


class Simulation(msgspec.Struct, forbid_unknown_fields=True):
    """Levels to try on the mail of so many hours; `kill` null: nothing is killed."""

    mark: Points
    quarantine: Points
    kill: Points | None = None
    hours: Annotated[int, Meta(ge=1, le=8784)] = 168


class Fate(msgspec.Struct):
    """Copies with one fate: as it was, as it would be; of these known as ham or as spam since."""

    fate: str
    was: int
    would_be: int
    ham: int
    spam: int


class Simulated(msgspec.Struct):
    """What would have become of the mail."""

    fates: list[Fate]
    changed: int
    unjudged: int
    false_positives: int
    misses: int
