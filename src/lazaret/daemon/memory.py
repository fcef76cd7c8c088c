"""How much mail a worker holds, being received or examined, and what goes when it is too much.

Who sends the largest message pays, because a flood of large ones must not keep out the small ones.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from lazaret.model.errors import Reply

SMALL = 65_536
"""Octets; a message up to here is never shed. All connections with one such message fit into memory."""
NO_MEMORY = Reply(452, "4.3.1", "Insufficient system storage")


class Receiving(Protocol):
    """A connection that may have a message coming in."""

    @property
    def receiving(self) -> int:
        """Octets that are kept of it; 0 when there is none."""

    def shed(self) -> None:
        """Throws them away, and tells `Memory.change`."""


class Memory:
    """The count of one worker."""

    def __init__(
        self, limit: int = 2**62, connections: Callable[[], Iterable[Receiving]] = lambda: ()
    ) -> None:
        """`limit` in octets; `connections` are all that may be made to shed."""
        self.held = 0
        self._limit = limit
        self._connections = connections

    @property
    def full(self) -> bool:
        """No further message should begin."""
        return self.held >= self._limit

    def change(self, octets: int) -> None:
        """So many came, or with a minus went; what is too much is shed at once."""
        self.held += octets
        if octets > 0:
            while self.held > self._limit:
                largest = max(self._connections(), key=lambda c: c.receiving, default=None)
                if largest is None or largest.receiving <= SMALL:
                    return  # what else is held is being examined, and ends soon
                largest.shed()
