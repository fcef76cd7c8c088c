"""The state of one evaluation: values so far, where things were found, and how much time is left."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lazaret.mime.message import Message
from lazaret.model.steps import Meanwhile
from lazaret.rules.values import Found, Values
from lazaret.rules.views import HeaderValues, nothing_beside

if TYPE_CHECKING:
    from lazaret.rules.evals import Subject


class DeadlineError(Exception):
    """The time for this message is used up."""


class Run:
    """Data of one message, filled by the searches. Rules go by their number in the program."""

    __slots__ = (
        "_deadline",
        "_meanwhile",
        "_work_deadline",
        "captured",
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

    def __init__(self, message: Message, seconds: float, meanwhile: Meanwhile) -> None:
        self.message = message
        self.headers = HeaderValues(message)
        self.subject: Subject
        """What eval functions look at."""
        self.values: Values
        self.where: dict[int, bytes] = {}
        """Rule -> the first text in which its expression matched."""
        self.shown: dict[int, str] = {}
        """Rule -> what its eval function said."""
        self.tags: dict[str, list[bytes]] = {}
        """Named captures, for the expressions that contain %{TAG}."""
        self.captured: list[Callable[[], None]] = []
        """What adds those that nobody has asked for yet."""
        self.searched: set[str] = set()
        """Header fields that were searched on demand."""
        self.spent: set[int] = set()
        """Rules that exhausted their match limit: not tried on further texts."""
        self.exceeded = ""
        self.late = False
        """The time is used up: nothing more is worked out."""
        self._meanwhile = meanwhile
        self._deadline = time.perf_counter() + seconds
        self._work_deadline = time.thread_time() + seconds - meanwhile.seconds

    @property
    def found(self) -> Found:
        """What the values share with the run."""
        return Found(self.where, self.spent, self.look_at_clock, self._deadline, self.shown, self.subject)

    def end(self) -> None:
        """Lets go of what refers to the run, so that it goes when it is not needed, without a collector."""
        del self.values
        self.captured.clear()
        self.headers.beside = nothing_beside
        self.subject.end()

    def look_at_clock(self) -> None:
        """DeadlineError when the time is used up in which we worked for this message, not that of other
        messages, or of others on a busy machine.

        The clock that knows the difference costs ten times as much, and is asked only when it matters.
        """
        if time.perf_counter() > self._deadline:
            left = self._work_deadline + self._meanwhile.seconds - time.thread_time()
            if left <= 0:
                raise DeadlineError
            self._deadline = time.perf_counter() + left
