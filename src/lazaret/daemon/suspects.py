"""Which messages were under way in a worker that died, in memory that all processes share.

A message is known by a fingerprint of its octets below the trace fields on top, as its MTA may bring it
again with a new Received field.
"""

import mmap
import re
import time

from lazaret.daemon.board import ROWS

MARK = 8
"""Octets of a fingerprint."""
UNDER_WAY = 1024
"""Messages that one process can have under way at a time and be known by."""
PLACES = 1024
"""Suspects; of more the oldest are forgotten."""
KEPT_S = 6 * 86_400.0
"""An MTA brings a message again for five days."""

_TRACE = re.compile(
    rb"(?>(?:(?:Received|Return-Path|Delivered-To|X-Original-To)[ \t]*+:[^\n]*+\n(?>(?:[ \t][^\n]*+\n)*))*)",
    re.IGNORECASE,
)
_NONE = bytes(MARK)


def fingerprint(octets: bytes) -> bytes:
    """The same at every attempt, and in all processes of a service: forked from one, they share hash()'s key.

    Nobody knows the key (unless PYTHONHASHSEED sets it), so nobody makes a message that is taken for another.
    """
    trace = _TRACE.match(octets)
    start = trace.end() if trace else 0
    # The hash of nothing is 0, which would be no mark.
    return (hash(memoryview(octets)[start:]) or 1).to_bytes(MARK, "little", signed=True)


class Suspects:
    """Made before the first fork. A worker writes its own row; the supervisor moves it when one has died."""

    def __init__(self) -> None:
        self._rows = mmap.mmap(-1, ROWS * UNDER_WAY * MARK)
        self._marks = mmap.mmap(-1, PLACES * MARK)
        self._times: memoryview[float] = memoryview(mmap.mmap(-1, PLACES * 8)).cast("d")
        self._counts: memoryview[int] = memoryview(mmap.mmap(-1, 16)).cast("q")
        self._free: list[int] = []
        self._row = -1

    def begin(self, row: int) -> None:
        """In a worker: its row is empty."""
        self._row = row
        self._free = list(range(UNDER_WAY))
        self._clear(row)

    def under_way(self, mark: bytes) -> "_UnderWay":
        """While it lasts, the death of this process makes the message a suspect."""
        return _UnderWay(self, mark)

    def _enter(self, mark: bytes) -> int:
        """The slot of a message; -1 when all are taken."""
        if not self._free:
            return -1
        slot = self._free.pop()
        at = (self._row * UNDER_WAY + slot) * MARK
        self._rows[at : at + MARK] = mark
        return slot

    def _leave(self, slot: int) -> None:
        at = (self._row * UNDER_WAY + slot) * MARK
        self._rows[at : at + MARK] = _NONE
        self._free.append(slot)

    def accuse(self, row: int) -> int:
        """For the supervisor, after the worker of this row has died: how many messages it had under way."""
        start = row * UNDER_WAY * MARK
        octets = self._rows[start : start + UNDER_WAY * MARK]
        marks = {octets[at : at + MARK] for at in range(0, len(octets), MARK)} - {_NONE}
        for mark in marks:
            if mark not in self:
                self._add(mark)
        self._clear(row)
        return len(marks)

    def __contains__(self, mark: bytes) -> bool:
        return self._counts[0] > 0 and self._place(mark) >= 0

    def acquit(self, mark: bytes) -> None:
        """The message has passed alone, or is done with."""
        place = self._place(mark)
        if place >= 0:
            self._times[place] = 0.0

    def _add(self, mark: bytes) -> None:
        place = self._counts[1] % PLACES
        self._marks[place * MARK : (place + 1) * MARK] = mark
        self._times[place] = time.monotonic()
        self._counts[1] += 1
        self._counts[0] = min(self._counts[0] + 1, PLACES)

    def _place(self, mark: bytes) -> int:
        oldest = time.monotonic() - KEPT_S
        at = self._marks.find(mark)
        while at >= 0:
            if at % MARK == 0 and self._times[at // MARK] > max(oldest, 0.0):
                return at // MARK
            at = self._marks.find(mark, at + 1)
        return -1

    def _clear(self, row: int) -> None:
        start = row * UNDER_WAY * MARK
        self._rows[start : start + UNDER_WAY * MARK] = bytes(UNDER_WAY * MARK)


class _UnderWay:
    """A generator would cost a message three times as much."""

    __slots__ = ("_mark", "_slot", "_suspects")

    def __init__(self, suspects: Suspects, mark: bytes) -> None:
        self._suspects = suspects
        self._mark = mark
        self._slot = -1

    def __enter__(self) -> None:
        self._slot = self._suspects._enter(self._mark)

    def __exit__(self, *_: object) -> None:
        if self._slot >= 0:
            self._suspects._leave(self._slot)
