"""Next hops to talk to: a real server built from our own codec, and some that misbehave."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from lazaret.config.endpoint import NextHop
from lazaret.model.envelope import Session
from lazaret.model.errors import Reply
from lazaret.wire.smtp_server import Closed, MessageReceived, ServerSettings, SmtpServer, StartTls

OK = Reply(250, "2.0.0", "Ok: queued as BBD26146A8")


class Sink:
    """Keeps what it receives; `answers` says what to reply."""

    def __init__(self, settings: ServerSettings | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.settings = settings or ServerSettings()
        self.tls = tls
        self.received: list[MessageReceived] = []
        self.connections = 0
        self.open: set[SinkConnection] = set()
        self.answers: Callable[[MessageReceived], Sequence[Reply]] = lambda message: [OK]


class SinkConnection(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.server = SmtpServer(Session(), sink.settings)
        self.secured = False
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport):
        self.transport = transport
        self.sink.open.add(self)
        if not self.secured:
            self.sink.connections += 1
            self.server.greet()
            transport.write(self.server.take_output())

    def connection_lost(self, error):
        self.sink.open.discard(self)

    def data_received(self, octets):
        events = self.server.receive(octets)
        self.write()
        for event in events:
            match event:
                case MessageReceived():
                    self.sink.received.append(event)
                    self.server.answer(self.sink.answers(event))
                    self.write()
                case StartTls():
                    self.task = asyncio.ensure_future(self.start_tls())
                case Closed():
                    self.transport.close()

    def write(self):
        if self.transport is not None:
            self.transport.write(self.server.take_output())

    async def start_tls(self):
        # The first command under TLS may come before `start_tls` returns: its reply waits until then.
        plain, self.transport = self.transport, None
        self.secured = True
        loop = asyncio.get_running_loop()
        self.server.tls_started()
        try:
            self.transport = await loop.start_tls(plain, self, self.sink.tls, server_side=True)
        except OSError:
            plain.abort()
            self.sink.open.discard(self)
            return
        self.write()


def at(server: asyncio.Server, lmtp: bool) -> NextHop:
    """Where the server listens."""
    port = server.sockets[0].getsockname()[1]
    return NextHop.parse(f"{'lmtp' if lmtp else 'smtp'}:[127.0.0.1]:{port}")


@asynccontextmanager
async def listening(sink: Sink, *, lmtp: bool = False) -> AsyncIterator[NextHop]:
    """The sink on a free port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SinkConnection(sink), "127.0.0.1", 0)
    try:
        yield at(server, lmtp)
    finally:
        server.close()
        for connection in list(sink.open):
            if connection.transport is not None:
                connection.transport.abort()
        await server.wait_closed()


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(script: Script, *, lmtp: bool = False) -> AsyncIterator[NextHop]:
    """A server that does what `script(reader, writer)` does, and then cuts the connection."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield at(server, lmtp)
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greeting and EHLO with PIPELINING."""
    writer.write(b"220 next.example\r\n")
    await reader.readuntil(b"\r\n")
    writer.write(b"250-next.example\r\n250 PIPELINING\r\n")


async def accept_until_data(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes one message's envelope and says 354."""
    await greet(reader, writer)
    await reader.readuntil(b"DATA\r\n")
    writer.write(b"250 ok\r\n250 ok\r\n354 go\r\n")
