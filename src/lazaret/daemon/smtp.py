"""One SMTP or LMTP connection: the codec of `wire`, a socket, and the filter behind it."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from lazaret.daemon.board import Cell, Row
from lazaret.daemon.doors import Connection
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
        self.last_heard = 0.0
        """loop.time() of the last octet, for the sweep of idle connections."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._secured:
            return  # the same client again, now under TLS: it greets, we do not
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self.last_heard = asyncio.get_running_loop().time()
        self._service.row.add(Cell.CONNECTIONS)
        self._service.connections.add(self)
        self._server.greet()
        self._write()

    def data_received(self, data: bytes) -> None:
        self.last_heard = asyncio.get_running_loop().time()
        self._server.refuse_mail = self._service.refusal()
        self._act(self._server.receive(data))
        if self._server.congested and self._transport:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        # A message under way goes on: what the next hop has begun to take must be accounted for.
        self._transport = None
        self._gone = True
        self._service.row.add(Cell.CONNECTIONS, -1)
        self._leave()

    @property
    def busy(self) -> bool:
        """A message is under way."""
        return self._task is not None

    def drain(self) -> None:
        """Ends the connection, after the message that is under way."""
        self._draining = True
        if not self.busy:
            self.hang_up(SHUTTING_DOWN)

    def hang_up(self, reply: Reply) -> None:
        """Says a last word and closes."""
        self._server.close(reply)
        self._write()
        self._close()

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
        if self._draining:
            self.hang_up(SHUTTING_DOWN)
            return
        self._act(events)
        if self._transport and not self._server.congested:
            self._transport.resume_reading()

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
        self._write()

    def _write(self) -> None:
        if self._transport is None:
            return
        output = self._server.take_output()
        if output:
            self._transport.write(output)

    def _close(self) -> None:
        if self._transport:
            self._transport.close()

    def _leave(self) -> None:
        if self._gone and not self.busy:
            self._service.connections.discard(self)
