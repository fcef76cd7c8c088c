"""A board of numbers in shared memory: each process writes its own row, everybody may read all rows.

It is how the supervisor sees heartbeats, how workers share out connections, and where /metrics
comes from. A row has one writer, so there are no locks; a process that dies leaves its counts behind.
"""

from __future__ import annotations

import mmap
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from enum import IntEnum

ROWS = 256
"""Processes at most, in all."""
LATENCY_BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000)


class Cell(IntEnum):
    """The columns of a row. Those from DELIVERED on only ever grow."""

    PID = 0
    BEAT = 1
    """time.monotonic() of the last sign of life."""
    CONNECTIONS = 2
    BUSY = 3
    """Messages under way."""
    ACCEPTING = 4
    NEXT_HOP_UP = 5
    DIGESTS_LATE = 6
    """Recipients whose digest should have been sent an hour ago."""
    TIDIED = 7
    """time.monotonic() of the last moment as of which all that was due is known to have gone."""
    DELIVERED = 8
    MARKED = 9
    QUARANTINED = 10
    DISCARDED = 11
    REJECTED = 12
    DEFERRED = 13
    MESSAGES = 14
    OCTETS = 15
    SECONDS = 16
    """Sum of the time from the final dot to the reply."""
    UNAVAILABLE = 17
    REFUSED_CLIENTS = 18
    RELEASES = 19
    """Requests over AM.PDP."""
    DIGESTS_SENT = 20
    DIGESTS_FAILED = 21
    """Attempts that the next hop deferred or refused, or that failed before."""
    SERVED_PARTLY = 22
    """Attempts that served some recipients and not all: what another worker has to know of."""
    THROTTLED = 23
    """Requests to pages and API that were too many."""
    LATENCY = 32
    """The first of the latency buckets, LATENCY_BOUNDS_MS and one for the rest."""


WIDTH = 64


class Board:
    """Made before the first fork, and inherited."""

    def __init__(self) -> None:
        self._cells: memoryview[float] = memoryview(mmap.mmap(-1, ROWS * WIDTH * 8)).cast("d")

    def row(self, number: int) -> Row:
        """The row of one process."""
        return Row(self._cells[number * WIDTH : (number + 1) * WIDTH])

    def rows(self) -> Iterator[Row]:
        """All rows, of living and dead processes."""
        return (self.row(n) for n in range(ROWS))

    def total(self, cell: int, rows: Iterable[int] = range(ROWS)) -> float:
        """The sum of a column; by default over all processes that ever ran."""
        return sum([self._cells[n * WIDTH + cell] for n in rows])


class Row:
    """One process' numbers."""

    __slots__ = ("_cells",)

    def __init__(self, cells: memoryview[float]) -> None:
        self._cells = cells

    def __getitem__(self, cell: int) -> float:
        return float(self._cells[cell])

    def __setitem__(self, cell: int, value: float) -> None:
        self._cells[cell] = value

    def add(self, cell: int, amount: float = 1.0) -> None:
        """Adds to a column."""
        self._cells[cell] += amount

    def beat(self) -> None:
        """A sign of life."""
        self._cells[Cell.BEAT] = time.monotonic()

    def begin(self, pid: int) -> None:
        """A new process takes the row over: its gauges start at 0, its counts go on."""
        for cell in range(Cell.DELIVERED):
            self._cells[cell] = 0.0
        self._cells[Cell.PID] = pid

    def observe_latency(self, seconds: float) -> None:
        """Counts one message into the buckets."""
        self.add(Cell.SECONDS, seconds)
        ms = seconds * 1000
        self.add(Cell.LATENCY + bisect_left(LATENCY_BOUNDS_MS, ms))
