"""What a digest is: who wants to be told of what, when, and in which language."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lazaret.model.verdict import Category

MESSAGE_ID = "<digest."
"""So begins the Message-ID of a digest; the id of a message is longer than this word."""


class Interval(StrEnum):
    """On which days a digest comes."""

    DAILY = "daily"
    WORKDAYS = "workdays"
    """Monday to Friday."""
    WEEKLY = "weekly"
    """On Monday."""
    NEVER = "never"


_DAYS = {
    Interval.DAILY: range(7),
    Interval.WORKDAYS: range(5),
    Interval.WEEKLY: range(1),
    Interval.NEVER: range(0),
}


class Told(StrEnum):
    """The categories that a digest can tell of."""

    SPAM = "spam"
    VIRUS = "virus"
    BANNED = "banned"
    UNCHECKED = "unchecked"
    BAD_HEADER = "bad-header"
    OVERSIZED = "oversized"

    @property
    def category(self) -> Category:
        return Category[self.name]


@dataclass(frozen=True, slots=True)
class Wish:
    """How one recipient wants to be told."""

    interval: Interval = Interval.DAILY
    hours: tuple[int, ...] = (7,)
    """Full hours of the day, 0 to 23, on the clock of his time zone."""
    time_zone: str = ""
    """A name of the IANA database; empty: the machine's."""
    language: str = "en"
    """A code of `model.language`."""
    categories: tuple[Told, ...] = tuple(told for told in Told if told is not Told.VIRUS)

    @property
    def zone(self) -> tzinfo | None:
        """For datetime; None is the machine's time zone, as for a name that the machine does not know."""
        try:
            return ZoneInfo(self.time_zone) if self.time_zone else None
        except (ZoneInfoNotFoundError, ValueError):
            return None

    def tells_of(self, category: str) -> bool:
        """Whether he wants to know of a category (the letter of `msgrcpt.content`)."""
        return any(told.category == category for told in self.categories)

    def last_due(self, now: float) -> float | None:
        """The last moment of this schedule that is not later than now; None when there is none."""
        if not self.hours or self.interval is Interval.NEVER:
            return None
        today = datetime.fromtimestamp(now, self.zone).replace(minute=0, second=0, microsecond=0)
        for back in range(8):
            day = today - timedelta(days=back)
            if day.weekday() in _DAYS[self.interval]:
                past = [at for h in self.hours if (at := day.replace(hour=h, fold=0).timestamp()) <= now]
                if past:
                    return max(past)
        return None

    def next_due(self, now: float) -> float | None:
        """The first moment of this schedule that is later than now."""
        if not self.hours or self.interval is Interval.NEVER:
            return None
        today = datetime.fromtimestamp(now, self.zone).replace(minute=0, second=0, microsecond=0)
        for ahead in range(9):
            day = today + timedelta(days=ahead)
            if day.weekday() in _DAYS[self.interval]:
                coming = [at for h in self.hours if (at := day.replace(hour=h, fold=0).timestamp()) > now]
                if coming:
                    return min(coming)
        return None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Copies of one recipient that no digest has told of."""

    address: str
    """Normalised."""
    category: str
    action: str
    oldest: float
    """When the first of them came in."""
    number: int


@dataclass(frozen=True, slots=True)
class Untold:
    """One such copy."""

    mail_id: str
    partition_tag: int
    category: str
    action: str
    score: float
    time: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """A digest that was sent, or was to be."""

    address: str
    due: float
    """The moment of the schedule that it was for."""
    time: float
    state: str
    """claimed | sent | deferred | refused"""
    response: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A digest, ready to be sent."""

    recipient: str
    message_id: str
    octets: bytes
    """From its Message-ID on, as on the wire."""
    told: tuple[Untold, ...]
    """All that is told by it, those included that it only counts."""
    text: str
    html: str

    @property
    def below(self) -> bytes:
        """What follows the Message-ID."""
        return self.octets[self.octets.index(b"\r\n") + 2 :]
