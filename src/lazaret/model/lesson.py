"""What somebody has taught the learner, as the journal of lessons keeps it."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Lesson:
    """A message that somebody calls spam or ham."""

    digest: bytes
    """Of the message, whichever way it came back to us."""
    spam: bool
    who: str
    """cli:NAME, user:ADDRESS or auto:DOMAIN."""
    features: bytes
    """Packed by the learner."""
    weight: float = 1.0
    mail_id: str = ""
    """As we know the message, if we do."""

    @property
    def rank(self) -> int:
        """Whose word counts: an operator's over a user's, and a person's over what follows from scores."""
        return rank(self.who)


def rank(who: str) -> int:
    """The same, of a name."""
    return {"auto": 0, "user": 1}.get(who.partition(":")[0], 2)


class Taught(Enum):
    """What became of a lesson."""

    NEW = "new"
    MOVED = "moved"
    """The message had been taught the other way."""
    KNOWN = "known"
    """The message had been taught in this way: it counts once."""
    KEPT = "kept"
    """Somebody with more say has taught the other way, and that holds."""
    ENOUGH = "enough"
    """This teacher's limit for the day is reached."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much one teacher may teach in a day."""

    daily: int
    """Lessons of full weight."""
    less: float
    """By how much four times as many beyond these count; 0: not at all."""

    @property
    def most(self) -> int:
        """Lessons of any weight."""
        return self.daily * (5 if self.less else 1)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A row of the journal that a model has yet to learn."""

    number: int
    spam: bool
    weight: float
    features: bytes
    """Empty: nothing is to be learned."""
    undoes: int
    """The lesson that it takes back; 0: none."""


@dataclass(frozen=True, slots=True)
class Pending:
    """How far the journal is ahead of a model."""

    entries: int
    first: int
    """The number of the first row that the journal still has."""
    last: int
    """The number of the last row."""
    settled: bool
    """No row before the last one may still be on its way."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is taught, by whom."""

    spam: int = 0
    ham: int = 0
    by_people: int = 0
    automatic: int = 0
    last: int = 0
    """The number of the last row."""
    newest: int = 0
    """Seconds since 1970 when it was taught."""
