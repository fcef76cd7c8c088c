"""One AM.PDP connection: requests are answered one after the other, in their order."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import cast

from lazaret.daemon.board import Cell, Row
from lazaret.daemon.doors import Connection
from lazaret.flow.ampdp import ReleaseRequests
from lazaret.model.errors import Reply
from lazaret.wire.ampdp import AmpdpServer, Request, Violation

MAX_WAITING = 100
"""Requests that may wait on one connection; a client that sends more is cut off."""


@dataclass(frozen=True, slots=True)
class Service:
    """What every connection of a worker shares."""

    requests: ReleaseRequests
    row: Row
    connections: set[Connection]


class AmpdpConnection(asyncio.Protocol):
    """Reads, feeds the codec, writes."""

    def __init__(self, service: Service, *, over_tcp: bool) -> None:
        self._service = service
        self._over_tcp = over_tcp
        self._server = AmpdpServer()
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._draining = False
        self.last_heard = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self.last_heard = asyncio.get_running_loop().time()
        self._service.connections.add(self)

    def data_received(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.last_heard = loop.time()
        for event in self._server.receive(data):
            if isinstance(event, Violation) or len(self._waiting) >= MAX_WAITING:
                self._close()
                return
            self._waiting.append(event)
        if self._waiting and self._task is None:
            self._task = loop.create_task(self._answer())

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._waiting.clear()
        self._leave()

    @property
    def busy(self) -> bool:
        """A release is under way."""
        return self._task is not None

    def drain(self) -> None:
        """Ends the connection, after the request that is under way."""
        self._draining = True
        if not self.busy:
            self._close()

    def hang_up(self, reply: Reply) -> None:
        """The protocol has no last words."""
        self._close()

    async def _answer(self) -> None:
        try:
            while self._waiting and not self._draining:
                request = self._waiting.popleft()
                octets = await self._service.requests.answer(request, over_tcp=self._over_tcp)
                self._service.row.add(Cell.RELEASES)
                if self._transport:
                    self._transport.write(octets)
        finally:
            self._task = None
            self._leave()
        if self._draining:
            self._close()

    def _close(self) -> None:
        if self._transport:
            self._transport.close()

    def _leave(self) -> None:
        if self._transport is None and not self.busy:
            self._service.connections.discard(self)
