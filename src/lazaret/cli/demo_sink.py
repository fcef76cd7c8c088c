"""The demo's next hop: an SMTP server in the place of the MTA, which remembers what it took."""

import asyncio
import threading
from dataclasses import dataclass, field

from lazaret.model.envelope import Session
from lazaret.model.errors import Reply
from lazaret.wire.smtp_server import Closed, MessageReceived, ServerSettings, SmtpServer


@dataclass(slots=True)
class Sink:
    """Runs in a thread of its own while the `with` block does."""

    port: int
    taken: list[MessageReceived] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Sink":
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread:
            self._thread.join()
        self._loop.close()

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        serve = self._loop.create_server(lambda: _Connection(self), "127.0.0.1", self.port)
        server = self._loop.run_until_complete(serve)
        started.set()
        self._loop.run_forever()
        server.close()

    def take(self, message: MessageReceived) -> Reply:
        """Keeps the message, and answers as Postfix does."""
        self.taken.append(message)
        return Reply(250, "2.0.0", f"Ok: queued as {0xBBD26146A8 + len(self.taken):X}")


class _Connection(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._server = SmtpServer(Session(), ServerSettings(xforward=True))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.greet()
        self._write()

    def data_received(self, data: bytes) -> None:
        events = self._server.receive(data)
        while events:
            event = events.pop(0)
            if isinstance(event, MessageReceived):
                events += self._server.answer([self._sink.take(event)])
            elif isinstance(event, Closed):
                self._write()
                self._transport.close()
        self._write()

    def _write(self) -> None:
        self._transport.write(self._server.take_output())
