"""What is wrong with a configuration, in lines that an operator can act upon."""

from collections.abc import Iterable
from dataclasses import dataclass

from lazaret.model.errors import UserError

EX_CONFIG = 78
"""sysexits.h: something was found in an unconfigured or misconfigured state."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One error: where it stands, what it is, what to write instead."""

    where: str
    """`lazaret.toml:12`, `--set levels.mark=x`, `$LAZARET_CONFIG`."""
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


class ConfigError(UserError):
    """The configuration cannot be used. Its text has one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems), EX_CONFIG)


class Unfit(ValueError):
    """A value that an option cannot take; the text says what it takes, or what to write."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant; "" when none is near."""
    # Imported here because no start of the daemon should pay for the words of an error.
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), "")
