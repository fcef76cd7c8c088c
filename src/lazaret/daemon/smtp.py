"""One SMTP or LMTP connection: the codec of `wire`, a socket, and the filter behind it."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, cast

from lazaret.daemon.board import Cell, Row
from lazaret.daemon.clients import Clients
from lazaret.daemon.doors import Connection
from lazaret.daemon.memory import NO_MEMORY, Memory
from lazaret.model.envelope import Envelope, Session
from lazaret.model.errors import Reply
from lazaret.wire.smtp_server import (
    Closed,
    Event,
    MessageReceived,
    ServerSettings,
    SmtpServer,
    StartTls,
)

log = logging.getLogger("lazaret.smtp")

REST_S = 0.1
"""So long a client waits after each piece that it sends, once it only makes work."""
LINGER_S = 10.0
"""So long may a client take to read what was said last; then the connection is cut off."""
GOODBYE_S = 1.0
"""So long a client has to read that we end, and to hang up: what it sends meanwhile is read and thrown away,
or the system would reset the connection and take our last word back."""
SHUTTING_DOWN = Reply(421, "4.3.2", "Service shutting down, closing channel")


class Handle(Protocol):
    """The filter, as a connection sees it."""

    async def __call__(
        self, session: Session, envelope: Envelope, octets: bytes, *, reply_each: bool
    ) -> tuple[Reply, ...]: ...


@dataclass(frozen=True, slots=True)
class Service:
    """What every connection of a worker shares."""

    handle: Handle
    settings: Callable[[], ServerSettings]
    """What the next hops offer just now."""
    refusal: Callable[[], Reply | None]
    """Said to MAIL FROM while it is not None: the disk is full."""
    row: Row
    connections: set[Connection]
    """Those that are open or have a message under way."""
    tls: ssl.SSLContext | None = None
    clients: Clients | None = None
    memory: Memory = field(default_factory=Memory)
    command_time_s: float = 300.0
    message_time_s: float = 900.0


class SmtpConnection(asyncio.Protocol):
    """Reads, feeds the codec, writes; one message at a time, as the protocol has it."""

    def __init__(self, service: Service, session: Session) -> None:
        self._service = service
        self._server = SmtpServer(session, service.settings())
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._draining = False
        self._secured = False
        self._gone = False
        self._ip = session.peer_ip
        self.peer = f"[{self._ip}]:{session.client_port}" if self._ip else "a Unix socket"
        self._last_heard = 0.0
        """loop.time() of the last octet."""
        self._last_step = 0.0
        """loop.time() when the last command or message was whole, or answered."""
        self._steps = self._errors = self._held = 0
        """What of these figures of the codec is accounted for."""
        self._choked = False
        """The client does not read what we answer."""
        self._resting = False
        """Not read from for a moment, so that the others get their turn."""
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._secured:
            return  # the same client again, now under TLS: it greets, we do not
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self._last_heard = self._last_step = asyncio.get_running_loop().time()
        self._service.row.add(Cell.CONNECTIONS)
        if self._service.clients:
            self._service.clients.opened(self._ip)
        self._service.connections.add(self)
        self._server.greet()
        self._write()

    def data_received(self, data: bytes) -> None:
        self._last_heard = asyncio.get_running_loop().time()
        self._server.refuse_mail = self._service.refusal()
        events = self._server.receive(data)
        self._account(self._last_heard)
        self._act(events)
        if self._server.tiresome and not self._resting:
            self._resting = True
            asyncio.get_running_loop().call_later(REST_S, self._rested)
        self._mind_reading()

    def _rested(self) -> None:
        self._resting = False
        self._mind_reading()

    def pause_writing(self) -> None:
        self._choked = True
        self._mind_reading()

    def resume_writing(self) -> None:
        self._choked = False
        self._mind_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        # A message under way goes on: what the next hop has begun to take must be accounted for.
        self._transport = None
        self._gone = True
        self._service.row.add(Cell.CONNECTIONS, -1)
        if self._service.clients:
            self._service.clients.closed(self._ip)
        self._leave()

    @property
    def busy(self) -> bool:
        """A message is under way."""
        return self._task is not None

    @property
    def receiving(self) -> int:
        """Octets that are kept of a message that has not come in whole."""
        return self._server.receiving

    def shed(self) -> None:
        """Throws the message that is being received away; its client hears 452 at its end."""
        log.warning("%s: message of %d octets and more dropped: limits.memory", self.peer, self.receiving)
        self._server.drop_message(NO_MEMORY)
        self._account(self._last_heard)

    def standing_still(self, now: float) -> float:
        """Seconds (of loop.time()) in which nothing came in whole; 0 while a message is under way."""
        return 0.0 if self.busy else now - (self._last_heard if self._server.in_data else self._last_step)

    def overdue(self, now: float) -> str:
        """Why it is to be cut off; "" while all is well."""
        if self.busy:
            return ""
        whole, heard = now - self._last_step, now - self._last_heard
        if heard > self._service.command_time_s:
            return f"silent for {heard:.0f} s"
        if self._server.in_data:
            limit, what = self._service.message_time_s, f"message ({self._server.receiving} octets so far)"
        else:
            limit, what = self._service.command_time_s, "command"
        return f"no whole {what} in {whole:.0f} s" if whole > limit else ""

    def drain(self) -> None:
        """Ends the connection, after the message that is under way."""
        self._draining = True
        if not self.busy:
            self._take_leave()

    def _take_leave(self) -> None:
        """Says that we end; the client hangs up, or is cut off a moment later."""
        self._server.close(SHUTTING_DOWN)
        self._write()
        transport = self._transport
        if transport is None:
            return
        if self._paused:
            self._paused = False
            transport.resume_reading()
        if transport.can_write_eof():
            transport.write_eof()
        asyncio.get_running_loop().call_later(GOODBYE_S, transport.abort)

    def hang_up(self, reply: Reply) -> None:
        """Says a last word and closes."""
        self._server.close(reply)
        self._write()
        self._close()

    def _account(self, now: float) -> None:
        """Tells the worker what has become of its memory, and of this client's errors."""
        server = self._server
        if server.steps != self._steps:
            self._steps, self._last_step = server.steps, now
        if server.errors != self._errors:
            if self._service.clients:
                self._service.clients.failed(self._ip, server.errors - self._errors)
            self._errors = server.errors
        held = 0 if self._gone and not self.busy else server.held
        self._service.memory.change(held - self._held)
        self._held = held

    def _mind_reading(self) -> None:
        """Reads no faster than the client reads, and than its messages are answered."""
        pause = self._choked or self._resting or self._server.congested
        if self._transport is None or pause is self._paused or self._transport.is_closing():
            return
        self._paused = pause
        if pause:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _act(self, events: list[Event]) -> None:
        self._write()
        for event in events:
            match event:
                case MessageReceived():
                    self._task = asyncio.get_running_loop().create_task(self._answer(event))
                case StartTls():
                    self._task = asyncio.get_running_loop().create_task(self._start_tls())
                case Closed():
                    self._close()

    async def _answer(self, message: MessageReceived) -> None:
        self._service.row.add(Cell.BUSY)
        try:
            replies = await self._service.handle(
                message.session,
                message.envelope,
                message.octets,
                reply_each=message.session.protocol.startswith("LMTP"),
            )
        finally:
            self._service.row.add(Cell.BUSY, -1)
            self._task = None
            self._leave()
        if self._gone:
            return  # what it had sent ahead it will bring again, since it has heard no reply
        events = self._server.answer(replies)
        self._last_step = asyncio.get_running_loop().time()
        self._account(self._last_step)
        if self._draining:
            self._take_leave()
            return
        self._act(events)
        self._mind_reading()

    async def _start_tls(self) -> None:
        plain, context = self._transport, self._service.tls
        if plain is None or context is None:
            return
        # With TLS 1.3 the client's EHLO comes together with the end of the handshake: the codec must
        # expect it before that, and what it answers must wait until the connection is secure.
        self._transport = None
        self._secured = True
        self._server.tls_started()
        try:
            secured = await asyncio.get_running_loop().start_tls(plain, self, context, server_side=True)
        except (OSError, ssl.SSLError) as e:
            log.info("TLS handshake failed: %s", e)
            plain.close()
            self._task = None
            self._leave()
            return
        self._task = None
        self._transport = cast(asyncio.Transport, secured)
        self._paused = False
        self._last_step = asyncio.get_running_loop().time()
        if self._draining:
            self._take_leave()
            return
        self._write()
        self._mind_reading()

    def _write(self) -> None:
        if self._transport is None:
            return
        output = self._server.take_output()
        if output:
            self._transport.write(output)

    def _close(self) -> None:
        transport = self._transport
        if transport is None:
            return
        if transport.get_write_buffer_size():
            # `close` waits until all is out: for ever, when the client does not read.
            asyncio.get_running_loop().call_later(LINGER_S, transport.abort)
        transport.close()

    def _leave(self) -> None:
        if self._gone and not self.busy:
            self._account(self._last_heard)
            self._service.connections.discard(self)
