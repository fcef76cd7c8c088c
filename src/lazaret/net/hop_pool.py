"""Idle connections to one next hop, kept for the next message."""

import asyncio
import logging
from collections import deque

from lazaret.config.endpoint import NextHop
from lazaret.net.hop_connection import HopConnection, Timeouts, TlsFailed
from lazaret.net.hop_tls import HopTls

log = logging.getLogger("lazaret.relay")

REUSE_IDLE_S = 18
"""Idle longer than this, a connection is likely to be closed by the peer just now."""
CLOSE_IDLE_S = 30
MAX_AGE_S = 60
"""After this a connection is not reused, so that a changed name or a restarted cluster is noticed."""
WITHOUT_TLS_S = 600
"""So long TLS that failed is not tried again, where it is not required."""


class HopPool:
    """Takes connections out and puts them back; the last one back is the first one out."""

    def __init__(self, hop: NextHop, name: str, timeouts: Timeouts, tls: HopTls | None) -> None:
        self.hop = hop
        self._name = name
        self._timeouts = timeouts
        self._tls = tls if tls is not None and tls.wanted(hop) else None
        self._clear_until = 0.0
        self._idle: deque[HopConnection] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def take(self) -> HopConnection | None:
        """An idle connection that is probably alive."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            fresh = now - connection.idle_since <= REUSE_IDLE_S and now - connection.since <= MAX_AGE_S
            if fresh and connection.usable:
                return connection
            connection.quit()
        return None

    async def open(self) -> HopConnection:
        """A new connection. Raises HopError."""
        now = asyncio.get_running_loop().time()
        tls = self._tls if now >= self._clear_until else None
        try:
            return await HopConnection.open(self.hop, self._name, self._timeouts, tls)
        except TlsFailed as error:
            if tls is None or tls.required:
                raise
            # Whoever sits in between may have broken it off; he could as well have taken the offer away.
            log.warning("TLS with %s failed (%s): mail goes there in the clear for now", self.hop, error)
            self._clear_until = now + WITHOUT_TLS_S
            return await HopConnection.open(self.hop, self._name, self._timeouts)

    def give_back(self, connection: HopConnection) -> None:
        """For the next message, when it is still of use."""
        if self._closed or not connection.usable:
            connection.quit()
            return
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweep_later()

    def close(self) -> None:
        """Says goodbye on all idle connections; those in use follow when they are given back."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        while self._idle:
            self._idle.pop().quit()

    def _sweep_later(self) -> None:
        self._sweeper = asyncio.get_running_loop().call_later(CLOSE_IDLE_S / 2, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        limit = asyncio.get_running_loop().time() - CLOSE_IDLE_S
        while self._idle and (self._idle[0].idle_since <= limit or not self._idle[0].usable):
            self._idle.popleft().quit()
        if self._idle:
            self._sweep_later()
