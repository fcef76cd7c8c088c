"""A database server that is killed, and a network that is cut, in the middle of a stream of mail."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import databases
from tests.support.databases import PASSWORD, Server
from tests.support.ports import free_port
from tests.support.wire import Wire

from lazaret.model.entry import Entry
from lazaret.model.errors import NoSuchMessage, StoreUnavailable
from lazaret.store.check import check_database
from lazaret.store.opening import Store, open_store

from .entries import delivered, quarantined

PATIENCE_S = 30.0


@pytest.fixture(params=("mariadb", "postgresql"))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this test's own, with a database `mail`."""
    databases.require(request.param)
    base = databases.server_folder(tmp_path_factory.mktemp("outage"))
    folder = base / "server"
    folder.mkdir(parents=True)
    databases.open_way(folder)
    found = Server(request.param, folder, free_port())
    found.make()
    found.start(careful=True)
    found.make_user()
    found.admin(f"CREATE DATABASE mail{' OWNER lazaret' if request.param == 'postgresql' else ''}")
    yield found
    found.kill()
    databases.remove(base)


@pytest.fixture
def store(server: Server, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(url(server, server.port), tmp_path, create=True, password=PASSWORD)
    yield opened
    opened.close()


def url(server: Server, port: int) -> str:
    return f"{'mysql' if server.kind == 'mariadb' else 'postgresql'}://lazaret@127.0.0.1:{port}/mail"


class Stream:
    """Messages that are kept one after the other, several at once, until it is stopped."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.kept: list[Entry] = []
        self.refused: list[Entry] = []
        self.reasons: set[str] = set()
        self.stop = False

    async def run(self) -> None:
        await asyncio.gather(*(self._lane() for _ in range(5)))

    async def until(self, what: list[Entry], count: int) -> None:
        """Waits for so many more to be kept, or refused."""
        wanted, end = len(what) + count, time.monotonic() + PATIENCE_S
        while len(what) < wanted:
            assert time.monotonic() < end, (len(self.kept), len(self.refused), self.reasons)
            await asyncio.sleep(0.01)

    async def _lane(self) -> None:
        message = b"Subject: x\r\n\r\n" + b"0123456789abcd\r\n" * 2500
        while not self.stop:
            entry = quarantined(message=message)
            try:
                await self._store.journal.keep(entry)
            except StoreUnavailable as error:
                self.refused.append(entry)
                self.reasons.add(str(error))
                await asyncio.sleep(0.02)
            else:
                self.kept.append(entry)


def require_whole(store: Store, stream: Stream) -> None:
    """Of each acknowledged message every octet is there; of the others all is there, or nothing."""

    async def text(entry: Entry) -> bytes | None:
        try:
            return (await store.quarantine.text(entry.mail_id)).octets
        except NoSuchMessage:
            return None

    async def work() -> None:
        for entry in stream.kept:
            assert entry.text == await text(entry)
        for entry in stream.refused:
            assert await text(entry) in (None, entry.text)

    asyncio.run(work())
    assert [] == check_database(store.database)


def test_a_server_that_is_killed_loses_nothing_and_is_found_again(server: Server, store: Store) -> None:
    stream = Stream(store)

    async def work() -> None:
        running = asyncio.create_task(stream.run())
        await stream.until(stream.kept, 40)
        await asyncio.to_thread(server.kill)
        await stream.until(stream.refused, 20)
        with pytest.raises(StoreUnavailable):
            await store.journal.done_before("4c1", "a@x", b"digest")
        with pytest.raises(StoreUnavailable):
            await store.ping()
        store.journal.note(delivered(mail_id="history11111"))
        await asyncio.to_thread(server.start, careful=True)
        await stream.until(stream.kept, 20)
        stream.stop = True
        await running
        # Whoever only reads comes back by himself too, and history has waited.
        assert {} == await store.journal.done_before("4c1", "a@x", b"digest")
        end = time.monotonic() + PATIENCE_S
        while not await store.quarantine.count("id:history11111", everything=True):
            assert time.monotonic() < end
            await asyncio.sleep(0.05)

    asyncio.run(work())
    assert 0 == store.writer.lost
    require_whole(store, stream)


def test_an_idle_store_does_not_notice_that_the_server_was_started_anew(server: Server, store: Store) -> None:
    async def work() -> None:
        await store.journal.keep(quarantined())
        await store.ping()
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start, careful=True)
        await asyncio.sleep(1.1)  # from then on a connection is not trusted
        await store.journal.keep(quarantined())
        await store.ping()
        assert 2 == await store.quarantine.count("")

    asyncio.run(work())


def test_a_cut_network_is_noticed_and_the_way_back_is_found(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("mariadb", "postgresql"):
        monkeypatch.setattr(f"lazaret.store.{module}.ANSWER_S", 1.0)
        monkeypatch.setattr(f"lazaret.store.{module}.CONNECT_S", 1)
    wire = Wire(server.port)
    store = open_store(url(server, wire.port), tmp_path, create=True, password=PASSWORD)
    stream = Stream(store)

    async def work() -> None:
        running = asyncio.create_task(stream.run())
        await stream.until(stream.kept, 20)
        wire.cut.set()
        await stream.until(stream.refused, 10)
        wire.cut.clear()
        await stream.until(stream.kept, 20)
        stream.stop = True
        await running

    asyncio.run(work())
    require_whole(store, stream)
    store.close()
    wire.close()
