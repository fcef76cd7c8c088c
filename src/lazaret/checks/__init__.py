"""The interface of a check. One file per check; rules and the learner are checks like any other."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from lazaret.mime.message import Message
from lazaret.model.envelope import Envelope, Session
from lazaret.model.errors import LazaretError
from lazaret.model.steps import Meanwhile
from lazaret.model.verdict import Hit


@dataclass(eq=False, slots=True)
class Scan:
    """One message under examination. Checks do not change it, but for their `notes`."""

    message: Message
    session: Session
    envelope: Envelope
    now: float
    """Seconds since 1970: the time of reception, so that a result can be repeated."""
    meanwhile: Meanwhile = field(default_factory=Meanwhile)
    """Kept for a check that minds its own time and is run in steps."""
    notes: dict[str, object] = field(default_factory=dict)
    """What checks keep for their `explain`, by their names."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a hit is worth, and the sentence a user reads."""

    score: float
    description: str


class CheckUnavailable(LazaretError):
    """The check cannot answer just now. It never decides a message's fate (promise 3)."""


class OverBudget(LazaretError):
    """The message exhausted a budget (time, matches, parts) of the check."""


Step: TypeAlias = int
"""What a check yields where another message may come to the same step (`model.steps`)."""


class Check(Protocol):
    """A plug-in with one method. It sees no scores, no policies and no other check.

    Third parties register theirs under the entry-point group `lazaret.checks`. A module with these
    three names at its top is a check; one with settings or connections is a class.
    """

    name: str

    @property
    def symbols(self) -> Mapping[str, Symbol]:
        """What each of its symbols is worth."""

    def run(self, scan: Scan, /) -> Iterator[Hit | Step] | AsyncIterator[Hit]:
        """Yields a hit per fact; a plain generator, or an asynchronous one when it waits.

        Those that wait run after all others. A plain one that costs much may yield the numbers of its steps
        between hits, in ascending order: another message may run there, and nothing that two messages share
        may be half done. Numbers up to `scan.meanwhile.until` it can save itself.
        """
