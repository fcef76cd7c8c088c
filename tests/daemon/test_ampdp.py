"""One AM.PDP connection over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.mailroom import ANN, SPAM, Mailroom, mail, mailroom
from tests.support.next_hop import next_hop

from lazaret.daemon.ampdp import AmpdpConnection, Service
from lazaret.daemon.board import Board, Cell
from lazaret.daemon.doors import Connection
from lazaret.flow.ampdp import ReleaseRequests
from lazaret.flow.ampdp_requests import AmpdpRequests
from lazaret.flow.content_check import ContentChecks, Limits
from lazaret.wire.ampdp import release_request

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def serving(room: Mailroom, folder: Path) -> AsyncIterator[tuple[Service, Stream]]:
    """The service on a Unix socket, and a client of it."""
    releases = ReleaseRequests(room.desk, secret_needed=lambda over_tcp: over_tcp)
    requests = AmpdpRequests(releases, ContentChecks(room.leading_to, room.relay, Limits(None)))
    connections: set[Connection] = set()
    service = Service(requests, Board().row(0), connections)
    path = str(folder / "a.sock")
    server = await asyncio.get_running_loop().create_unix_server(lambda: AmpdpConnection(service), path)
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        yield service, (reader, writer)
    finally:
        writer.close()
        server.close()
        await server.wait_closed()
        for _ in range(200):
            if not connections:
                break
            await asyncio.sleep(0.01)
        assert not connections


def test_requests_are_answered_in_their_order(tmp_path: Path):
    async def main() -> None:
        async with (
            next_hop() as hop,
            mailroom(tmp_path, hop.at) as room,
            serving(room, tmp_path) as (service, (reader, writer)),
        ):
            await room.send(mail(SPAM), ANN)
            mail_id = room.handled[0].entry.mail_id
            writer.write(release_request(mail_id) + release_request("AAAAAAAAAAAA"))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"setreply=250 2.0.0 from%20MTA(smtp:")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"setreply=550 5.5.0 Failure:")
            assert 2 == service.row[Cell.RELEASES]
            assert {ANN: 1} == hop.copies

    asyncio.run(main())


def test_another_protocol_is_cut_off(tmp_path: Path):
    async def main() -> None:
        async with mailroom(tmp_path) as room, serving(room, tmp_path) as (_, (reader, writer)):
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert b"" == await asyncio.wait_for(reader.read(), 5)

    asyncio.run(main())


def test_a_client_that_asks_without_end_is_cut_off(tmp_path: Path):
    async def main() -> None:
        async with mailroom(tmp_path) as room, serving(room, tmp_path) as (_, (reader, writer)):
            writer.write(release_request("AAAAAAAAAAAA") * 1000)
            replies = (await asyncio.wait_for(reader.read(), 5)).count(b"setreply")
            assert replies < 1000

    asyncio.run(main())


def test_draining_waits_for_the_request_under_way(tmp_path: Path):
    async def main() -> None:
        async with (
            next_hop() as hop,
            mailroom(tmp_path, hop.at) as room,
            serving(room, tmp_path) as (service, (reader, writer)),
        ):
            await room.send(mail(SPAM), ANN)
            hop.pause = lambda message: asyncio.sleep(0.1)
            writer.write(release_request(room.handled[0].entry.mail_id))
            await asyncio.sleep(0.05)
            for connection in list(service.connections):
                assert connection.busy
                connection.drain()
            assert (await reader.read()).startswith(b"setreply=250 ")

    asyncio.run(main())
