"""What each client takes, counted over all workers: connections, new ones in a minute, refused commands.

As on the board, each worker writes a row of its own and reads all rows, so there are no locks. A client
has its slot by a hash of its address that nobody outside can foresee; two that share one share their limits.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from lazaret.daemon.board import ROWS
from lazaret.model.errors import Reply

SLOTS = 1024
_OPEN, _MINUTE, _OPENED, _ERRORS = range(4)
"""Open connections now; the minute that the two counts after it belong to."""
_WIDTH = 4


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """For one client; 0 is no limit."""

    connections: int = 0
    rate: int = 0
    """New connections in a minute."""
    errors: int = 0
    """Refused commands in a minute."""


class ClientBoard:
    """Made before the first fork, and inherited; a page costs memory once it is written."""

    def __init__(self) -> None:
        self._cells: memoryview[float] = memoryview(mmap.mmap(-1, ROWS * SLOTS * _WIDTH * 8)).cast("d")

    def row(self, number: int) -> memoryview[float]:
        """The cells of one worker."""
        size = SLOTS * _WIDTH
        return self._cells[number * size : (number + 1) * size]


class Clients:
    """The counts as one worker sees and writes them. A client without address is not counted."""

    def __init__(
        self,
        board: ClientBoard,
        rows: Sequence[int],
        own: int,
        limits: ClientLimits,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`rows` are those of all workers, `own` is ours: the counts of whoever had it before go."""
        self._rows = [board.row(n) for n in rows]
        self._own = board.row(own)
        self._own[:] = memoryview(bytes(len(self._own) * 8)).cast("d")
        self._limits = limits
        self._clock = clock

    def refusal(self, ip: str) -> Reply | None:
        """What a new connection of this client is told instead of a greeting; None lets it in."""
        limits = self._limits
        if not ip or limits == _UNLIMITED:
            return None
        at, minute = _slot(ip), self._clock() // 60
        if limits.connections and sum(row[at + _OPEN] for row in self._rows) >= limits.connections:
            return Reply(421, "4.7.0", "Error: too many connections")
        if limits.rate and self._within(minute, at, _OPENED) >= limits.rate:
            return Reply(421, "4.7.0", "Error: too many new connections")
        if limits.errors and self._within(minute, at, _ERRORS) >= limits.errors:
            return Reply(421, "4.7.0", "Error: too many errors")
        return None

    def opened(self, ip: str) -> None:
        """A connection has begun."""
        if ip:
            self._own[_slot(ip) + _OPEN] += 1
            self._count(ip, _OPENED, 1)

    def closed(self, ip: str) -> None:
        """It has ended."""
        if ip:
            self._own[_slot(ip) + _OPEN] -= 1

    def failed(self, ip: str, commands: int) -> None:
        """So many of its commands were refused."""
        if ip and commands:
            self._count(ip, _ERRORS, commands)

    def _count(self, ip: str, cell: int, number: int) -> None:
        at, minute = _slot(ip), self._clock() // 60
        if self._own[at + _MINUTE] != minute:
            self._own[at + _MINUTE] = minute
            self._own[at + _OPENED] = self._own[at + _ERRORS] = 0
        self._own[at + cell] += number

    def _within(self, minute: float, at: int, cell: int) -> float:
        return sum(row[at + cell] for row in self._rows if row[at + _MINUTE] == minute)


_UNLIMITED = ClientLimits()


def _slot(ip: str) -> int:
    if ":" in ip:
        address = IPv6Address(ip.partition("%")[0])
        # Whoever has one address of a /64 has all of them.
        who = str(address.ipv4_mapped or ip_address(int(address) >> 64 << 64))
    else:
        who = ip
    return hash(who) % SLOTS * _WIDTH
