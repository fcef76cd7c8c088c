"""A next hop built from our own codec: it keeps what it takes, and refuses whom it is told to refuse."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lazaret.config.endpoint import Endpoint, NextHop, Protocol
from lazaret.model.delivery import Extensions
from lazaret.model.envelope import Session
from lazaret.model.errors import Reply
from lazaret.wire.replies import encode
from lazaret.wire.smtp_server import Closed, MessageReceived, ServerSettings, SmtpServer

EXTENSIONS = Extensions(eightbit=True, smtputf8=True, dsn=True)


@dataclass
class Hop:
    """What to answer, and what came; both may be changed and read at any time."""

    lmtp: bool = False
    settings: ServerSettings = field(
        default_factory=lambda: ServerSettings(extensions=EXTENSIONS, xforward=True)
    )
    rcpt: dict[str, str] = field(default_factory=dict)
    """Address -> the reply to its RCPT, instead of 250."""
    end: dict[str, str] = field(default_factory=dict)
    """Address -> the reply after the end of a message that has this recipient."""
    pause: Callable[[MessageReceived], Awaitable[object] | None] = lambda message: None
    """What to wait for before a message is answered."""
    cuts_in_data: bool = False
    """Closes the connection as soon as octets of a message come."""
    received: list[MessageReceived] = field(default_factory=list)
    """The messages that were accepted for somebody."""
    at: NextHop = field(default_factory=lambda: at_port(1))
    connections: set["_Connection"] = field(default_factory=set)
    server: asyncio.Server | None = None

    @property
    def copies(self) -> Counter[str]:
        """How many copies each recipient got."""
        return Counter(a for m in self.received for a in m.envelope.addresses if self._accepts(a))

    def of(self, address: str) -> list[bytes]:
        """The octets of each copy that the recipient got."""
        return [m.octets for m in self.received if address in m.envelope.addresses]

    def answers(self, message: MessageReceived) -> Sequence[Reply]:
        """One reply, or over LMTP one for each recipient."""
        ok = f"250 2.0.0 Ok: queued as Q{len(self.received)}"
        wanted = [Reply.parse(self.end.get(a, ok)) for a in message.envelope.addresses]
        if self.lmtp:
            return wanted
        return [next((r for r in wanted if not r.positive), wanted[0])]

    def _accepts(self, address: str) -> bool:
        return self.end.get(address, "250").startswith("250")


class _Connection(asyncio.Protocol):
    """Feeds the codec line by line until DATA, so that a RCPT can be answered by the script."""

    def __init__(self, hop: Hop) -> None:
        self._hop = hop
        self._server = SmtpServer(Session(), hop.settings)
        self._buffer = b""
        self._in_data = False
        self._task: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._hop.connections.add(self)
        self._server.greet()
        self._write()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hop.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._read()

    def _read(self) -> None:
        while self._buffer and self._task is None:
            if self._in_data:
                octets, self._buffer = self._buffer, b""
            else:
                line, end, rest = self._buffer.partition(b"\r\n")
                if not end:
                    return
                octets, self._buffer = line + end, rest
                scripted = self._scripted(line)
                if scripted:
                    self.transport.write(encode(Reply.parse(scripted)))
                    continue
            self._take(octets)

    def _scripted(self, line: bytes) -> str:
        if line[:8].upper() != b"RCPT TO:":
            return ""
        address = line[8:].partition(b">")[0].strip(b" <").decode("utf-8", "surrogateescape")
        return self._hop.rcpt.get(address, "")

    def _take(self, octets: bytes) -> None:
        if self._in_data and self._hop.cuts_in_data:
            self.transport.abort()
            return
        for event in self._server.receive(octets):
            match event:
                case MessageReceived():
                    self._in_data = False
                    self._task = asyncio.ensure_future(self._answer(event))
                case Closed():
                    self._write()
                    self.transport.close()
        if self._write().startswith(b"354"):
            self._in_data = True

    async def _answer(self, message: MessageReceived) -> None:
        waiting = self._hop.pause(message)
        if waiting is not None:
            await waiting
        replies = self._hop.answers(message)
        if any(r.positive for r in replies):
            self._hop.received.append(message)
        self._server.answer(replies)
        self._task = None
        self._write()
        self._read()

    def _write(self) -> bytes:
        output = self._server.take_output()
        if output and not self.transport.is_closing():
            self.transport.write(output)
        return output


def at_port(port: int, *, lmtp: bool = False) -> NextHop:
    """The next hop at a port of this machine, whether somebody listens there or not."""
    return NextHop(Protocol.LMTP if lmtp else Protocol.SMTP, Endpoint("127.0.0.1", port))


@asynccontextmanager
async def next_hop(hop: Hop | None = None, *, port: int = 0) -> AsyncIterator[Hop]:
    """The hop, listening on 127.0.0.1; `hop.at` says where."""
    hop = hop or Hop()
    hop.server = await _listen(hop, port)
    listening = hop.server.sockets[0].getsockname()[1]
    hop.at = NextHop.parse(f"{'lmtp' if hop.lmtp else 'smtp'}:[127.0.0.1]:{listening}")
    try:
        yield hop
    finally:
        hop.server.close()
        for connection in list(hop.connections):
            connection.transport.abort()
        await hop.server.wait_closed()


async def _listen(hop: Hop, port: int) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(lambda: _Connection(hop), "127.0.0.1", port)


class HopThread(threading.Thread):
    """A next hop with an event loop of its own, beside the test."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.hop = Hop()
        self.loop = asyncio.new_event_loop()
        self._listens = threading.Event()
        self._end = asyncio.Event()

    def run(self) -> None:
        async def main() -> None:
            async with next_hop(self.hop):
                self._listens.set()
                await self._end.wait()

        self.loop.run_until_complete(main())
        self.loop.close()

    @property
    def port(self) -> int:
        assert self._listens.wait(5)
        return self.hop.at.endpoint.port

    def shut(self) -> None:
        """Nobody listens at the port any more, and who is there is cut off; until `open`."""
        asyncio.run_coroutine_threadsafe(self._shut(), self.loop).result(5)

    def open(self) -> None:
        asyncio.run_coroutine_threadsafe(self._open(), self.loop).result(5)

    async def _shut(self) -> None:
        assert self.hop.server is not None
        self.hop.server.close()
        for connection in list(self.hop.connections):
            connection.transport.abort()

    async def _open(self) -> None:
        self.hop.server = await _listen(self.hop, self.port)

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self._end.set)
        self.join(5)
