"""One SMTP connection over a real socket: order, pipelining, draining, TLS that fails."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvloop

from lazaret.daemon import smtp
from lazaret.daemon.board import Board, Cell, Row
from lazaret.daemon.doors import Connection
from lazaret.daemon.memory import Memory
from lazaret.daemon.smtp import Service, SmtpConnection
from lazaret.model.envelope import Envelope, Session
from lazaret.model.errors import Reply
from lazaret.wire.smtp_server import ServerSettings

MESSAGE = b"MAIL FROM:<a@out.example>\r\nRCPT TO:<b@home.example>\r\nDATA\r\nSubject: %d\r\n\r\nx\r\n.\r\n"
FULL = Reply(452, "4.3.1", "Insufficient system storage")

Run = Callable[[Awaitable[None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine under each of the two event loops."""
    return asyncio.run if request.param == "asyncio" else uvloop.run  # type: ignore[return-value]


@dataclass
class Desk:
    """The filter's place: it takes its time, and answers with a count."""

    row: Row = field(default_factory=lambda: Board().row(0))
    connections: set[Connection] = field(default_factory=set)
    taken: list[bytes] = field(default_factory=list)
    seconds: float = 0.0
    full: bool = False
    tls: ssl.SSLContext | None = None
    memory: Memory = field(default_factory=Memory)

    async def __call__(
        self, session: Session, envelope: Envelope, octets: bytes, *, reply_each: bool
    ) -> tuple[Reply, ...]:
        await asyncio.sleep(self.seconds)
        self.taken.append(octets)
        replies = [Reply(250, "2.0.0", f"Ok {len(self.taken)} {a}") for a in envelope.addresses]
        return tuple(replies if reply_each else replies[:1])

    def connection(self) -> SmtpConnection:
        settings = ServerSettings(starttls=self.tls is not None)
        service = Service(
            handle=self,
            settings=lambda: settings,
            refusal=lambda: FULL if self.full else None,
            row=self.row,
            connections=self.connections,
            tls=self.tls,
            memory=self.memory,
        )
        return SmtpConnection(service, Session())


@asynccontextmanager
async def client(desk: Desk) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that has said EHLO."""
    server = await asyncio.get_running_loop().create_server(desk.connection, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    assert (await reader.readline()).startswith(b"220 ")
    writer.write(b"EHLO client.example\r\n")
    while (await reader.readline())[3:4] == b"-":
        pass
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()
        await server.wait_closed()
        await gone(desk)


async def gone(desk: Desk) -> None:
    """Every connection has been accounted for."""
    for _ in range(200):
        if not desk.connections and not desk.row[Cell.CONNECTIONS] and not desk.row[Cell.BUSY]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a connection is still counted")


async def until(happened: Callable[[], bool]) -> None:
    for _ in range(500):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in time")


async def replies(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    return [(await asyncio.wait_for(reader.readline(), 5)).rstrip() for _ in range(count)]


def test_pipelined_messages_are_answered_one_after_the_other_in_their_order(run: Run):
    async def main() -> None:
        desk = Desk(seconds=0.01)
        async with client(desk) as (reader, writer):
            writer.write(b"".join(MESSAGE % n for n in range(3)) + b"QUIT\r\n")
            said = await replies(reader, 13)
            assert [b"250", b"250", b"354", b"250"] * 3 + [b"221"] == [line[:3] for line in said]
            assert [b"250 2.0.0 Ok %d b@home.example" % n for n in (1, 2, 3)] == said[3:12:4]
            assert b"" == await reader.read()
        assert [b"Subject: %d\r\n\r\nx\r\n" % n for n in range(3)] == desk.taken

    run(main())


def test_over_lmtp_each_recipient_is_answered(run: Run):
    async def main() -> None:
        async with client(Desk()) as (reader, writer):
            writer.write(b"LHLO client.example\r\n")
            while (await reader.readline())[3:4] == b"-":
                pass
            writer.write(MESSAGE.replace(b"DATA", b"RCPT TO:<c@home.example>\r\nDATA") % 1)
            said = await replies(reader, 6)
            assert [b"250 2.0.0 Ok 1 b@home.example", b"250 2.0.0 Ok 1 c@home.example"] == said[4:]

    run(main())


def test_a_flood_of_pipelined_octets_waits_in_the_system_and_not_in_our_memory(run: Run):
    async def main() -> None:
        desk = Desk(seconds=0.3)
        async with client(desk) as (reader, writer):
            writer.write(MESSAGE % 1)
            await replies(reader, 3)
            writer.write(MESSAGE % 2 * 30_000)
            await asyncio.sleep(0.1)
            [connection] = desk.connections
            assert isinstance(connection, SmtpConnection)
            assert len(connection._server._lines) < 1_000_000
            said = await replies(reader, 2)
            assert [b"250 2.0.0 Ok 1 b@home.example", b"250 2.1.0 Sender <a@out.example> OK"] == said
            writer.transport.abort()

    run(main())


def test_a_client_that_does_not_read_is_not_read_from(run: Run):
    """Its replies would fill our memory."""

    async def main() -> None:
        desk = Desk()
        async with client(desk) as (_, writer):
            recipients = b"RCPT TO:<%s>\r\n" % (b"b" * 4000) * 1000
            writer.write((b"MAIL FROM:<a@out.example>\r\n" + recipients + b"RSET\r\n") * 10)
            [connection] = desk.connections
            assert isinstance(connection, SmtpConnection)
            await until(lambda: connection._paused)
            assert connection._transport is not None
            held = connection._transport.get_write_buffer_size()
            await asyncio.sleep(0.1)
            assert held == connection._transport.get_write_buffer_size() < 1_000_000
            writer.transport.abort()

    run(main())


def test_a_client_that_does_not_read_is_cut_off_in_the_end(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(smtp, "LINGER_S", 0.1)

    async def main() -> None:
        desk = Desk()
        async with client(desk) as (_, writer):
            writer.write(b"RCPT TO:<b@home.example>\r\n" * 10 + b"EHLO %s\r\n" % (b"x" * 4000) * 90)
            [connection] = desk.connections
            assert isinstance(connection, SmtpConnection)
            await until(lambda: connection._server.steps > 50)
            connection.hang_up(FULL)
            await gone(desk)

    run(main())


def test_a_client_that_only_makes_work_is_heard_slowly(run: Run):
    async def main() -> None:
        async with client(Desk()) as (reader, writer):
            began = asyncio.get_running_loop().time()
            for _ in range(8):
                writer.write(b"rubbish\r\n")
                await replies(reader, 1)
            assert asyncio.get_running_loop().time() - began > 1.9 * smtp.REST_S

    run(main())


def test_who_is_slow_is_known(run: Run):
    async def main() -> None:
        desk = Desk()
        async with client(desk) as (reader, writer):
            [connection] = desk.connections
            assert isinstance(connection, SmtpConnection)
            now = asyncio.get_running_loop().time()
            assert "" == connection.overdue(now + 299)
            assert "silent for 301 s" == connection.overdue(now + 301.2)
            connection._last_heard = now + 290  # an octet now and then
            assert "no whole command in 301 s" == connection.overdue(now + 301.2)

            writer.write((MESSAGE % 1)[:-5])
            await replies(reader, 3)
            now = asyncio.get_running_loop().time()
            connection._last_heard = now + 800
            assert "" == connection.overdue(now + 899)
            assert "no whole message (17 octets so far) in 901 s" == connection.overdue(now + 901.2)
            assert 99 == round(connection.standing_still(now + 899))

            desk.seconds = 0.2
            writer.write(b"x\r\n.\r\n")
            await until(lambda: connection.busy)
            assert "" == connection.overdue(now + 10_000)
            assert 0 == connection.standing_still(now + 10_000)
            await replies(reader, 1)

    run(main())


def test_when_memory_is_short_the_largest_message_goes(run: Run):
    async def main() -> None:
        desk = Desk()
        desk.memory = Memory(1_000_000, lambda: desk.connections)  # type: ignore[arg-type]
        async with client(desk) as (reader, writer):
            large_reader, large = await asyncio.open_connection(*writer.get_extra_info("peername"))
            start = b"HELO x\r\nMAIL FROM:<a@out.example>\r\nRCPT TO:<b@home.example>\r\nDATA\r\n"
            writer.write(start + b"y" * 300_000)
            large.write(start + b"x" * 600_000)
            await until(lambda: desk.memory.held > 900_000)
            writer.write(b"y" * 200_000 + b"\r\n.\r\n")
            assert b"250 2.0.0 Ok 1 b@home.example" == (await replies(reader, 5))[-1]
            large.write(b"x" * 10_000_000 + b"\r\n.\r\n")
            assert b"452 4.3.1 Insufficient system storage" == (await replies(large_reader, 6))[-1]
            large.close()
            await until(lambda: desk.memory.held == 0)
        assert 1 == len(desk.taken)

    run(main())


def test_a_message_that_is_examined_still_counts_when_its_client_has_gone(run: Run):
    async def main() -> None:
        desk = Desk(seconds=0.2)
        async with client(desk) as (reader, writer):
            writer.write(MESSAGE % 1)
            await replies(reader, 3)
            writer.transport.abort()
            await until(lambda: desk.row[Cell.CONNECTIONS] == 0)
            assert desk.memory.held > 0
            await gone(desk)
            assert 0 == desk.memory.held

    run(main())


def test_a_full_disk_is_said_to_mail(run: Run):
    async def main() -> None:
        desk = Desk(full=True)
        async with client(desk) as (reader, writer):
            writer.write(b"MAIL FROM:<a@out.example>\r\n")
            assert [b"452 4.3.1 Insufficient system storage"] == await replies(reader, 1)
            desk.full = False
            writer.write(b"MAIL FROM:<a@out.example>\r\n")
            assert [b"250 2.1.0 Sender <a@out.example> OK"] == await replies(reader, 1)

    run(main())


def test_draining_ends_an_idle_connection_at_once(run: Run):
    async def main() -> None:
        desk = Desk()
        async with client(desk) as (reader, _):
            for connection in list(desk.connections):
                connection.drain()
            assert b"421 4.3.2 Service shutting down, closing channel\r\n" == await reader.read()

    run(main())


def test_who_talks_while_it_is_told_that_we_end_hears_so(run: Run):
    """What the system has and nobody reads makes it reset the connection, and forget what was said last."""

    async def main() -> None:
        desk = Desk()
        async with client(desk) as (reader, writer):
            writer.write(b"NOOP\r\n")
            await writer.drain()
            for connection in list(desk.connections):
                connection.drain()
            for _ in range(20):
                writer.write(b"NOOP\r\n" * 100)
                await asyncio.sleep(0.005)
            said = await reader.read()
            assert said.endswith(b"421 4.3.2 Service shutting down, closing channel\r\n")

    run(main())


def test_who_does_not_hang_up_once_it_is_told_that_we_end_is_cut_off(
    run: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(smtp, "GOODBYE_S", 0.05)

    async def main() -> None:
        desk = Desk()
        async with client(desk):
            for connection in list(desk.connections):
                connection.drain()
            await until(lambda: not desk.connections)
            assert not desk.connections

    run(main())


def test_draining_waits_for_the_message_under_way_and_takes_no_further_one(run: Run):
    async def main() -> None:
        desk = Desk(seconds=0.1)
        async with client(desk) as (reader, writer):
            writer.write(MESSAGE % 1 + MESSAGE % 2)
            await replies(reader, 3)
            for connection in list(desk.connections):
                assert connection.busy
                connection.drain()
            said = (await reader.read()).splitlines()
            assert b"250 2.0.0 Ok 1 b@home.example" == said[0]
            assert said[-1].startswith(b"421 4.3.2 ")
        assert 1 == len(desk.taken)

    run(main())


def test_a_client_that_goes_away_has_its_message_finished_and_no_other_begun(run: Run):
    """It has heard no reply, so it brings them again; what was begun must be accounted for."""

    async def main() -> None:
        desk = Desk(seconds=0.1)
        async with client(desk) as (reader, writer):
            writer.write(MESSAGE % 1 + MESSAGE % 2)
            await replies(reader, 3)
            writer.transport.abort()
            await asyncio.sleep(0.05)
            assert 1 == len(desk.connections)
            await gone(desk)
            await asyncio.sleep(0.15)
        assert 1 == len(desk.taken)

    run(main())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of our own, with its key in the same file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", file, "-out", file.with_suffix(".crt"), "-days", "2", "-subj", "/CN=localhost"),
        ],
        check=True,
        capture_output=True,
    )
    file.write_bytes(file.read_bytes() + file.with_suffix(".crt").read_bytes())
    return file


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_message_goes_under_tls(run: Run, certificate: Path):
    async def main() -> None:
        desk = Desk(tls=server_context(certificate))
        async with client(desk) as (reader, writer):
            writer.write(b"STARTTLS\r\n")
            assert [b"220 2.0.0 Ready to start TLS"] == await replies(reader, 1)
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            await writer.start_tls(context)
            writer.write(b"EHLO client.example\r\n")
            while (await reader.readline())[3:4] == b"-":
                pass
            writer.write(MESSAGE % 1 + b"QUIT\r\n")
            assert [b"250", b"250", b"354", b"250", b"221"] == [r[:3] for r in await replies(reader, 5)]
        assert 1 == len(desk.taken)

    run(main())


def test_a_handshake_that_fails_leaves_nobody_counted(run: Run, certificate: Path):
    async def main() -> None:
        desk = Desk(tls=server_context(certificate))
        async with client(desk) as (reader, writer):
            writer.write(b"STARTTLS\r\n")
            await replies(reader, 1)
            writer.write(b"this is no handshake\r\n")
            await reader.read()

    run(main())


def test_a_client_that_goes_away_in_the_handshake_leaves_nobody_counted(run: Run, certificate: Path):
    async def main() -> None:
        desk = Desk(tls=server_context(certificate))
        async with client(desk) as (reader, writer):
            writer.write(b"STARTTLS\r\n")
            await replies(reader, 1)
            writer.transport.abort()

    run(main())
