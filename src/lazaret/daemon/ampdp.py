"""One AM.PDP connection: requests are answered one after the other, in their order."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import cast

from lazaret.daemon.board import Cell, Row
from lazaret.daemon.clients import Clients
from lazaret.daemon.doors import Connection
from lazaret.flow.ampdp_requests import CHECK, AmpdpRequests
from lazaret.model.errors import Reply
from lazaret.wire.ampdp import AmpdpServer, Request, Violation

MAX_WAITING = 100
"""Requests that may wait on one connection; a client that sends more is cut off."""


@dataclass(frozen=True, slots=True)
class Service:
    """What every connection of a worker shares."""

    requests: AmpdpRequests
    row: Row
    connections: set[Connection]
    clients: Clients | None = None
    request_time_s: float = 300.0


class AmpdpConnection(asyncio.Protocol):
    """Reads, feeds the codec, writes."""

    def __init__(self, service: Service, ip: str = "") -> None:
        """`ip` is "" over a Unix socket."""
        self._service = service
        self._ip = ip
        self.peer = f"[{ip}] (AM.PDP)" if ip else "a Unix socket (AM.PDP)"
        self._server = AmpdpServer()
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._draining = False
        self._last_step = 0.0
        """loop.time() of the last request that was whole, or answered."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self._last_step = asyncio.get_running_loop().time()
        self._service.connections.add(self)
        self._service.row.add(Cell.CONNECTIONS)
        if self._service.clients:
            self._service.clients.opened(self._ip)

    def data_received(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        for event in self._server.receive(data):
            if isinstance(event, Violation) or len(self._waiting) >= MAX_WAITING:
                self._close()
                return
            self._waiting.append(event)
            self._last_step = loop.time()
        if self._waiting and self._task is None:
            self._task = loop.create_task(self._answer())

    def pause_writing(self) -> None:
        # A client that does not read its answers is not to fill our memory with them.
        self._cut_off()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._service.row.add(Cell.CONNECTIONS, -1)
        if self._service.clients:
            self._service.clients.closed(self._ip)
        self._waiting.clear()
        self._leave()

    @property
    def busy(self) -> bool:
        """A request is under way."""
        return self._task is not None

    def standing_still(self, now: float) -> float:
        """Seconds (of loop.time()) without a whole request; 0 while one is under way."""
        return 0.0 if self.busy else now - self._last_step

    def overdue(self, now: float) -> str:
        """Why it is to be cut off; "" while all is well."""
        still = self.standing_still(now)
        return f"no whole request in {still:.0f} s" if still > self._service.request_time_s else ""

    def drain(self) -> None:
        """Ends the connection, after the request that is under way."""
        self._draining = True
        if not self.busy:
            self._close()

    def hang_up(self, reply: Reply) -> None:
        """The protocol has no last words."""
        self._cut_off()

    async def _answer(self) -> None:
        try:
            while self._waiting and not self._draining:
                request = self._waiting.popleft()
                octets = await self._service.requests.answer(request, over_tcp=bool(self._ip))
                if request.get("request") != CHECK:
                    self._service.row.add(Cell.RELEASES)
                self._last_step = asyncio.get_running_loop().time()
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

    def _cut_off(self) -> None:
        if self._transport:
            self._transport.abort()

    def _leave(self) -> None:
        if self._transport is None and not self.busy:
            self._service.connections.discard(self)
