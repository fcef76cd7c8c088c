"""The demo's next hop: an SMTP server in the place of the MTA, which remembers what it took."""

import asyncio
import socket
import threading

from lazaret.model.envelope import Session
from lazaret.model.errors import Reply
from lazaret.wire.smtp_server import Closed, MessageReceived, ServerSettings, SmtpServer

FIRST_QUEUE_ID = 0xBBD26146A8


class Sink:
    """Listens from its making, and runs in a thread of its own while the `with` block does."""

    def __init__(self, host: str, port: int) -> None:
        """Takes another port when somebody listens on this one already; `port` says which it is."""
        self.taken: list[MessageReceived] = []
        self._socket = _listening(host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def __enter__(self) -> "Sink":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Connection(self), sock=self._socket)
        )
        self._loop.run_forever()
        server.close()

    def take(self, message: MessageReceived) -> Reply:
        """Keeps the message, and answers as Postfix does."""
        self.taken.append(message)
        return Reply(250, "2.0.0", f"Ok: queued as {FIRST_QUEUE_ID + len(self.taken):X}")


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError:
        return socket.create_server((host, 0))


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
