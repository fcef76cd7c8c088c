"""The state of one evaluation: values so far, where things were found, and how much time is left."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lazaret.mime.message import Message
from lazaret.rules.views import HeaderValues

if TYPE_CHECKING:
    from lazaret.rules.evals import Subject
    from lazaret.rules.search import Candidate


class DeadlineError(Exception):
    """The time for this message is used up."""


class Values(dict[int, float]):
    """The value of each rule by its number. One that waits is worked out when somebody asks for it."""

    __slots__ = ("_first", "_work_out")

    def __init__(
        self, known: Mapping[int, float], first: Sequence[float], work_out: Callable[[int], None]
    ) -> None:
        """`first`: the value of every rule where nothing is found. `work_out` sets another."""
        super().__init__(known)
        self._first = first
        self._work_out = work_out

    def __missing__(self, rule: int) -> float:
        self[rule] = self._first[rule]
        self._work_out(rule)
        return self[rule]


class Run:
    """Data of one message, filled by the searches. Rules go by their number in the program."""

    __slots__ = (
        "_deadline",
        "candidates",
        "changed",
        "exceeded",
        "headers",
        "late",
        "message",
        "searched",
        "shown",
        "spent",
        "subject",
        "tags",
        "values",
        "where",
    )

    def __init__(self, message: Message, seconds: float) -> None:
        self.message = message
        self.headers = HeaderValues(message)
        self.subject: Subject
        """What eval functions look at."""
        self.values: Values
        self.changed: set[int] = set()
        """Rules whose value is, or was for a while, another than at the start."""
        self.where: dict[int, bytes] = {}
        """Rule -> the first text in which its expression matched."""
        self.shown: dict[int, str] = {}
        """Rule -> what its eval function said."""
        self.tags: dict[str, list[bytes]] = {}
        """Named captures, for the expressions that contain %{TAG}."""
        self.candidates: dict[int, list[Candidate]] = {}
        """Rule -> where it may have matched, to be confirmed when somebody asks for its value."""
        self.searched: set[str] = set()
        """Header fields that were searched on demand."""
        self.spent: set[int] = set()
        """Rules that exhausted their match limit: not tried on further texts."""
        self.exceeded = ""
        self.late = False
        """The time is used up: nothing more is worked out."""
        self._deadline = time.perf_counter() + seconds

    def set(self, rule: int, value: float) -> None:
        """Sets the value of a rule."""
        if self.values.get(rule) != value:
            self.values[rule] = value
            self.changed.add(rule)

    def forget(self, rules: Iterable[int]) -> None:
        """The values of these rules are not known any more, until somebody asks."""
        for rule in rules:
            self.values.pop(rule, None)

    def put_off(self, rule: int, candidate: "Candidate") -> None:
        """Notes where a rule may have matched; what it is worth is not known until somebody asks."""
        self.candidates.setdefault(rule, []).append(candidate)
        self.values.pop(rule, None)

    def look_at_clock(self) -> None:
        """DeadlineError when the time is used up."""
        if time.perf_counter() > self._deadline:
            raise DeadlineError
