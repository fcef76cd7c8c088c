"""Who is let in, and by whom."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lazaret.config.endpoint import Endpoint
from lazaret.daemon.board import Board, Cell
from lazaret.daemon.doors import Door, Peers
from lazaret.daemon.sockets import Listener
from lazaret.model.network import NetworkSet

LOOPBACK = NetworkSet(("127.0.0.0/8",))


class Greeter(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello\r\n")
        transport.close()


@asynccontextmanager
async def listener(speaks: str = "smtp") -> AsyncIterator[Listener]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        sock.setblocking(False)
        yield Listener(Endpoint("127.0.0.1", 0), sock, speaks)


async def said(item: Listener) -> bytes:
    """All that a client hears."""
    reader, writer = await asyncio.open_connection("127.0.0.1", item.port)
    try:
        return await asyncio.wait_for(reader.read(), 2)
    finally:
        writer.close()


def peers(*connections: float, accepting: float = 1.0) -> Peers:
    """Rows of workers with so many connections; ours is the first."""
    board = Board()
    for number, count in enumerate(connections):
        board.row(number)[Cell.CONNECTIONS] = count
        board.row(number)[Cell.ACCEPTING] = accepting
    return Peers(board, range(len(connections)), board.row(0))


def test_a_client_is_let_in_and_known_by_its_address():
    seen = []

    def make(item: Listener, ip: str, port: int) -> asyncio.Protocol:
        seen.append((ip, port))
        return Greeter()

    async def main() -> None:
        async with listener() as item:
            door = Door(item, None, LOOPBACK, make)
            door.open()
            assert b"hello\r\n" == await said(item)
            door.close()

    asyncio.run(main())
    [(ip, port)] = seen
    assert "127.0.0.1" == ip
    assert port > 0


def test_strangers_are_told_554_and_counted():
    async def main() -> None:
        async with listener() as item:
            crew = peers(0)
            door = Door(item, crew, NetworkSet(("192.0.2.0/24",)), lambda *_: Greeter())
            door.open()
            assert b"554 5.7.1 Access denied\r\n" == await said(item)
            assert 1 == crew.own[Cell.REFUSED_CLIENTS]
            door.close()

    asyncio.run(main())


def test_strangers_hear_nothing_where_no_smtp_is_spoken():
    async def main() -> None:
        async with listener("ampdp") as item:
            door = Door(item, None, NetworkSet(), lambda *_: Greeter())
            door.open()
            assert b"" == await said(item)
            door.close()

    asyncio.run(main())


def test_whoever_has_more_connections_stands_back():
    async def main() -> None:
        async with listener() as item:
            busy = Door(item, peers(2, 1), LOOPBACK, lambda *_: Greeter())
            taken = []
            free = Door(item, peers(1, 2), LOOPBACK, lambda *_: taken.append(1) or Greeter())
            busy.open()
            free.open()
            for _ in range(5):
                assert b"hello\r\n" == await said(item)
            assert 5 == len(taken)
            busy.close()
            free.close()

    asyncio.run(main())


def test_what_nobody_else_takes_is_taken_after_a_moment():
    """The other worker may be busy, or stuck."""

    async def main() -> None:
        async with listener() as item:
            door = Door(item, peers(2, 1), LOOPBACK, lambda *_: Greeter())
            door.open()
            started = time.monotonic()
            assert b"hello\r\n" == await said(item)
            assert time.monotonic() - started < 0.5
            door.close()

    asyncio.run(main())


def test_a_worker_that_does_not_accept_is_nobody_to_stand_back_for():
    assert peers(2, 1).others_are_freer()
    assert not peers(2, 1, accepting=0.0).others_are_freer()
    assert not peers(1, 1).others_are_freer()


def test_who_was_taken_in_the_last_moment_has_begun_once_the_door_has_settled():
    async def main() -> None:
        async with listener() as item:
            made: list[str] = []
            door = Door(item, None, LOOPBACK, lambda _, ip, port: made.append(ip) or Greeter())
            with socket.create_connection(("127.0.0.1", item.port)) as client:
                door.open()
                door._take()  # in the moment in which it is told to end
                door.close()
                await door.settled()
                assert ["127.0.0.1"] == made
                client.setblocking(False)
                assert b"hello\r\n" == await asyncio.get_running_loop().sock_recv(client, 100)

    asyncio.run(main())


def test_a_door_that_is_closed_while_it_stands_back_stays_closed():
    async def main() -> None:
        async with listener() as item:
            door = Door(item, peers(2, 1), LOOPBACK, lambda *_: Greeter())
            door.open()
            client = asyncio.create_task(said(item))
            await asyncio.sleep(0.002)
            door.close()
            await asyncio.sleep(0.1)
            assert not client.done()
            client.cancel()
            await asyncio.gather(client, return_exceptions=True)

    asyncio.run(main())
