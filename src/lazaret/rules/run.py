"""The state of one evaluation: values so far, where things were found, and how much time is left."""

import time

from lazaret.mime.message import Message
from lazaret.rules.views import HeaderValues


class DeadlineError(Exception):
    """The time for this message is used up."""


class Run:
    """Data of one message, filled by the searches. Rules go by their number in the program."""

    __slots__ = (
        "_deadline",
        "changed",
        "exceeded",
        "headers",
        "message",
        "shown",
        "spent",
        "tags",
        "values",
        "where",
    )

    def __init__(self, message: Message, values: list[float], seconds: float) -> None:
        self.message = message
        self.headers = HeaderValues(message)
        self.values = values
        self.changed: set[int] = set()
        """Rules whose value is, or was for a while, another than at the start."""
        self.where: dict[int, bytes] = {}
        """Rule -> the first text in which its expression matched."""
        self.shown: dict[int, str] = {}
        """Rule -> what its eval function said."""
        self.tags: dict[str, list[bytes]] = {}
        """Named captures, for the expressions that contain %{TAG}."""
        self.spent: set[int] = set()
        """Rules that exhausted their match limit: not tried on further texts."""
        self.exceeded = ""
        self._deadline = time.perf_counter() + seconds

    def set(self, rule: int, value: float) -> None:
        """Sets the value of a rule."""
        if self.values[rule] != value:
            self.values[rule] = value
            self.changed.add(rule)

    def look_at_clock(self) -> None:
        """DeadlineError when the time is used up."""
        if time.perf_counter() > self._deadline:
            raise DeadlineError
