"""One connection to a next hop: a socket around the codec of wire.smtp_client.

An asyncio.Protocol and not streams: a message costs half the time.
"""

import asyncio
from dataclasses import dataclass
from typing import cast

from lazaret.config.endpoint import NextHop
from lazaret.model.delivery import Outgoing
from lazaret.model.errors import Reply
from lazaret.net.hop_tls import HopTls
from lazaret.wire.smtp_client import Broken, Event, Finished, Ready, Refused, SmtpClient, Stage, StartTls


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for each reply; those of amavis, which are those of RFC 5321 (4.5.3.2) or longer."""

    connect: float = 35
    greeting: float = 300
    command: float = 300
    data: float = 120
    end: float = 600
    """From the last octet handed to the system to the reply to the message."""
    rset: float = 20
    tls: float = 60
    """For the handshake."""
    probe: float = 5
    """For all of connect, greeting and EHLO when only the extensions are asked for."""

    def of(self, stage: Stage) -> float:
        match stage:
            case Stage.GREETING:
                return self.greeting
            case Stage.DATA:
                return self.data
            case Stage.END:
                return self.end
            case Stage.RSET:
                return self.rset
            case _:
                return self.command


class HopError(Exception):
    """The connection is of no use any more."""


class ConnectFailed(HopError):
    """Nobody listens there, or the name does not resolve."""


class Lost(HopError):
    """The connection ended, or the peer spoke no SMTP; `stage` is what we waited for."""

    def __init__(self, stage: Stage, text: str) -> None:
        super().__init__(text)
        self.stage = stage


class TimedOut(HopError):
    """No reply came in time."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.stage = stage


class TlsFailed(Lost):
    """The handshake failed, or the certificate is not valid."""


class Turned(HopError):
    """The greeting or the answer to EHLO was a refusal: not of a message, but of us, now."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class HopConnection(asyncio.Protocol):
    """Opened by `open`; `exchange` sends one message after the other."""

    def __init__(self, client: SmtpClient, timeouts: Timeouts) -> None:
        self.since = 0.0
        """When it was opened, in seconds of the loop's clock."""
        self.idle_since = 0.0
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._timeouts = timeouts
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Event] | None = None
        self._unclaimed: Event | None = None
        """An event that came before anybody waited: the greeting is often faster than `open`."""
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._deadline = 0.0

    @classmethod
    async def open(
        cls, hop: NextHop, name: str, timeouts: Timeouts, tls: HopTls | None = None
    ) -> "HopConnection":
        """Connected and greeted. Raises HopError."""
        loop = asyncio.get_running_loop()
        required = tls is not None and tls.required
        client = SmtpClient(name=name, lmtp=hop.lmtp, starttls=tls is not None, tls_required=required)
        connection = cls(client, timeouts)
        try:
            async with asyncio.timeout(timeouts.connect):
                if hop.endpoint.path:
                    await loop.create_unix_connection(lambda: connection, hop.endpoint.path)
                else:
                    await loop.create_connection(lambda: connection, hop.endpoint.host, hop.endpoint.port)
        except (OSError, TimeoutError) as error:
            raise ConnectFailed(str(error)) from error
        connection.since = loop.time()
        try:
            await connection._become_ready(hop, tls)
        except BaseException:
            connection.abort()
            raise
        return connection

    @property
    def client(self) -> SmtpClient:
        return self._client

    @property
    def usable(self) -> bool:
        """Another message can go this way, as far as we know."""
        return not self._client.closing and self._transport is not None and not self._transport.is_closing()

    async def exchange(self, outgoing: Outgoing) -> Finished:
        """Sends one message. Raises Lost or TimedOut; `client.dot_sent` then tells whether its end went out.

        Whatever ends it early, cancellation included, the connection is cut off before a message
        could look complete to the peer.
        """
        try:
            events = self._client.send(outgoing)
            event = events[0] if events else await self._next()
        except BaseException:
            self.abort()
            raise
        if isinstance(event, Finished):
            self.idle_since = self._loop.time()
            return event
        self.abort()
        raise Lost(self._client.stage, event.text if isinstance(event, Broken) else "unexpected reply")

    def quit(self) -> None:
        """Says goodbye and closes, without waiting."""
        if self._transport is None or self._transport.is_closing():
            return
        if not self._client.closing:
            self._client.quit()
            self._transport.write(self._client.take_output())
        self._transport.close()

    def abort(self) -> None:
        """Cuts the connection off; octets that are not out yet never go out."""
        self._client.closing = True
        if self._transport is not None:
            self._transport.abort()

    async def _become_ready(self, hop: NextHop, tls: HopTls | None) -> None:
        while True:
            match await self._next():
                case Ready():
                    return
                case StartTls() if tls is not None and self._transport is not None:
                    await self._start_tls(self._transport, hop, tls)
                case Refused(reply):
                    raise Turned(reply)
                case event:
                    raise Lost(self._client.stage, event.text if isinstance(event, Broken) else str(event))

    async def _start_tls(self, transport: asyncio.Transport, hop: NextHop, tls: HopTls) -> None:
        try:
            secured = await self._loop.start_tls(
                transport,
                self,
                tls.context,
                server_hostname=hop.endpoint.host,
                ssl_handshake_timeout=self._timeouts.tls,
            )
        except OSError as error:
            raise TlsFailed(Stage.STARTTLS, f"TLS: {error}") from error
        self._transport = secured
        self._client.tls_started()

    async def _next(self) -> Event:
        """The next event; what the codec wants to say is written first."""
        if self._unclaimed is not None:
            event, self._unclaimed = self._unclaimed, None
            return event
        if self._transport is None or self._transport.is_closing():
            raise Lost(self._client.stage, "connection lost")
        self._waiter = self._loop.create_future()
        self._flush(self._transport)
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def _flush(self, transport: asyncio.Transport) -> None:
        output = self._client.take_output()
        if output:
            transport.write(output)
        self._set_deadline()

    def _emit(self, event: Event) -> None:
        if self._waiter is None:
            self._unclaimed = event
        elif not self._waiter.done():
            self._waiter.set_result(event)

    def _fail(self, error: HopError) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    # One timer serves all stages and messages: it is moved only when a deadline comes nearer, and
    # looks when it fires whether the deadline has moved on. A timer per reply costs 2 us each.

    def _set_deadline(self) -> None:
        self._deadline = self._loop.time() + self._timeouts.of(self._client.stage)
        if self._timer is not None:
            if self._timer_at <= self._deadline:
                return
            self._timer.cancel()
        self._start_timer()

    def _start_timer(self) -> None:
        self._timer_at = self._deadline
        self._timer = self._loop.call_at(self._deadline, self._look_at_deadline)

    def _look_at_deadline(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._deadline:
            self._start_timer()
            return
        self._fail(TimedOut(self._client.stage))

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, octets: bytes) -> None:
        events = self._client.receive(octets)
        if self._transport is not None and not self._client.closing and not events:
            self._flush(self._transport)
        for event in events:
            self._emit(event)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        stage = self._client.stage
        self._client.closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._fail(Lost(stage, str(error) if error else "connection lost"))
