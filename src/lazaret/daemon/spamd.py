"""One connection of spamd's protocol: a request, its answer, and the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from lazaret.daemon.board import Cell, Row
from lazaret.daemon.clients import Clients
from lazaret.daemon.doors import Connection
from lazaret.daemon.memory import Memory
from lazaret.model.errors import Reply
from lazaret.wire.spamd import LARGEST, Event, Refused, SpamdRequest, SpamdServer, Status, refusal

log = logging.getLogger("lazaret.spamd")

LINGER_S = 10.0
"""So long may a client take to read its answer; then the connection is cut off."""


@dataclass(frozen=True, slots=True)
class Service:
    """What every connection of a worker shares."""

    answer: Callable[[SpamdRequest], Awaitable[bytes]]
    row: Row
    connections: set[Connection]
    memory: Memory
    largest: int = LARGEST
    clients: Clients | None = None
    request_time_s: float = 900.0


class SpamdConnection(asyncio.Protocol):
    """Reads, feeds the codec, writes, closes."""

    def __init__(self, service: Service, ip: str = "") -> None:
        """`ip` is "" over a Unix socket."""
        self._service = service
        self._ip = ip
        self.peer = f"[{ip}] (spamd)" if ip else "a Unix socket (spamd)"
        self._server = SpamdServer(service.largest)
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._begun = 0.0
        """loop.time() when the client came."""
        self._held = 0
        """What the worker's memory knows of."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self._begun = asyncio.get_running_loop().time()
        self._service.connections.add(self)
        self._service.row.add(Cell.CONNECTIONS)
        if self._service.clients:
            self._service.clients.opened(self._ip)

    def data_received(self, data: bytes) -> None:
        if self._service.memory.full and not self.busy:
            self._refuse(Refused(Status.EX_TEMPFAIL, "Insufficient system storage, try again later"))
            return
        self._act(self._server.receive(data))

    def eof_received(self) -> bool:
        """The client has said all; it waits for the answer."""
        self._act(self._server.finish())
        return self.busy

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._service.row.add(Cell.CONNECTIONS, -1)
        if self._service.clients:
            self._service.clients.closed(self._ip)
        self._server.drop()
        self._leave()

    @property
    def busy(self) -> bool:
        """A message is being examined."""
        return self._task is not None

    @property
    def receiving(self) -> int:
        """Octets that are kept of a message that has not come in whole."""
        return self._server.held

    def shed(self) -> None:
        """Throws the message that is being received away."""
        log.warning("%s: message of %d octets and more dropped: limits.memory", self.peer, self.receiving)
        self._refuse(Refused(Status.EX_TEMPFAIL, "Insufficient system storage, try again later"))

    def standing_still(self, now: float) -> float:
        """Seconds (of loop.time()) without a whole request; 0 while one is under way."""
        return 0.0 if self.busy else now - self._begun

    def overdue(self, now: float) -> str:
        """Why it is to be cut off; "" while all is well."""
        still = self.standing_still(now)
        return f"no whole request in {still:.0f} s" if still > self._service.request_time_s else ""

    def drain(self) -> None:
        """The one request that the client came for is answered, if it comes before the worker ends."""

    def hang_up(self, reply: Reply) -> None:
        """Ends it now."""
        self._refuse(Refused(Status.EX_TEMPFAIL, reply.text))

    def _act(self, event: Event | None) -> None:
        if isinstance(event, SpamdRequest):
            self._account(len(event.octets))
            self._task = asyncio.get_running_loop().create_task(self._answer(event))
        elif isinstance(event, Refused):
            log.warning("%s: %s", self.peer, event.text)
            if self._service.clients:
                self._service.clients.failed(self._ip, 1)
            self._refuse(event)
        elif not self.busy:  # or what is held is the message that is being examined
            self._account(self._server.held)

    async def _answer(self, request: SpamdRequest) -> None:
        self._service.row.add(Cell.BUSY)
        try:
            octets = await self._service.answer(request)
        finally:
            self._service.row.add(Cell.BUSY, -1)
            self._task = None
            self._leave()
        self._say(octets)

    def _refuse(self, refused: Refused) -> None:
        self._server.drop()
        self._account(0)
        self._say(refusal(refused.status, refused.text))

    def _say(self, octets: bytes) -> None:
        """The last word of a connection."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(octets)
        if transport.get_write_buffer_size():
            # `close` waits until all is out: for ever, when the client does not read.
            asyncio.get_running_loop().call_later(LINGER_S, transport.abort)
        transport.close()

    def _account(self, held: int) -> None:
        """Tells the worker what has become of its memory."""
        change, self._held = held - self._held, held
        self._service.memory.change(change)

    def _leave(self) -> None:
        if not self.busy:
            self._account(0)
            if self._transport is None:
                self._service.connections.discard(self)
