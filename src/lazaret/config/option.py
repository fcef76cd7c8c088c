"""How one setting is declared."""

from dataclasses import dataclass, field
from typing import Any, TypeVar

from lazaret.config.kinds import Kind

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of one setting beside its name."""

    kind: Kind[Any]  # each option has a kind of its own type; `option` below has checked it
    default: object
    text: str
    unit: str


def option(kind: Kind[T], default: T, text: str, *, unit: str = "") -> T:
    """Declares a field of a section; its text is one paragraph that says what it does."""
    return field(default=default, metadata={"option": Option(kind, default, text, unit)})
