"""A real amavisd writes into MariaDB and PostgreSQL; Lazaret finds, explains and releases what it wrote."""

import asyncio
import smtplib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import amavisd, databases
from tests.support.amavisd import PARTITION, Amavisd
from tests.support.databases import PASSWORD, Server
from tests.support.mailroom import SITE
from tests.support.next_hop import next_hop
from tests.support.ports import free_port

from lazaret.flow.indexing import keep_indexed
from lazaret.flow.quarantine import QuarantineDesk
from lazaret.net.relay import Relay
from lazaret.store import migrations
from lazaret.store.check import check_database
from lazaret.store.locating import locate
from lazaret.store.opening import Store, open_store
from lazaret.store.survey import survey

BEFORE, MEANWHILE, RELEASED = 160, 40, 20
PATIENCE_S = 180.0


def message(number: int) -> bytes:
    """One that is banned for its attachment; every octet of it is told from those of the others."""
    return (
        f"From: Sender {number} <sender{number}@out.example>\r\nTo: <ann@home.example>\r\n"
        f"Subject: offer number{number}\r\nMessage-ID: <{number}@out.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
        f"Zyzzyva word{number}, a \t tab and a dot:\r\n.\r\n..\r\n--b\r\n"
        f'Content-Type: application/octet-stream; name="tool{number}.exe"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\nTVqQAAMAAAAEAAAA\r\n--b--\r\n"
    ).encode()


@pytest.fixture(params=("mariadb", "postgresql"))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with amavisd's own tables in the database `mail`, and nothing else."""
    databases.require(request.param)
    amavisd.require(request.param)
    base = databases.server_folder(tmp_path_factory.mktemp("amavisd"))
    folder = base / "server"
    folder.mkdir(parents=True)
    databases.open_way(folder)
    found = Server(request.param, folder, free_port())
    found.make()
    found.start()
    found.make_user()
    found.admin(f"CREATE DATABASE mail{' OWNER lazaret' if request.param == 'postgresql' else ''}")
    database = locate(url(found), base, PASSWORD)
    connection = database.connect(writing=True)
    file = migrations.available(found.kind)[migrations.AMAVIS]
    for statement in migrations.statements(file, connection.dialect):
        connection.execute(statement)
    connection.close()
    yield found
    found.kill()
    databases.remove(base)


@pytest.fixture
def filter_(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Amavisd]:
    folder = databases.server_folder(tmp_path_factory.mktemp("home"))
    folder.mkdir(parents=True, exist_ok=True)
    running = Amavisd(server, folder)
    try:
        running.start()
        yield running
    finally:
        running.end()
        databases.remove(folder)


def url(server: Server) -> str:
    return databases.Running(server.kind, server.port, 0, "").url("mail")


def send(port: int, numbers: range) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        for number in numbers:
            client.sendmail(f"sender{number}@out.example", ["ann@home.example"], message(number))


async def eventually(store: Store, query: str, wanted: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while (found := await store.quarantine.count(query)) != wanted:
        assert time.monotonic() < end, found
        await asyncio.sleep(0.1)


def test_what_amavisd_writes_is_found_explained_and_released_while_it_goes_on(
    server: Server, filter_: Amavisd, tmp_path: Path
) -> None:
    send(filter_.port, range(BEFORE))
    database = locate(url(server), tmp_path, PASSWORD)
    assert survey(database).owner.startswith("amavisd's tables, of version 2.7 or later")
    store = open_store(url(server), tmp_path, create=True, password=PASSWORD)
    assert store.foreign
    more = threading.Thread(target=send, args=(filter_.port, range(BEFORE, BEFORE + MEANWHILE)))

    async def work() -> None:
        indexing = asyncio.create_task(keep_indexed(store))
        more.start()
        await eventually(store, "body:zyzzyva", BEFORE + MEANWHILE)
        await eventually(store, "attachment:exe", BEFORE + MEANWHILE)
        indexing.cancel()
        async with next_hop() as hop:
            relay = Relay([hop.at], name=SITE.hostname)
            desk = QuarantineDesk(
                quarantine=store.quarantine, relay=relay, site=SITE, is_local=lambda address: True
            )
            for number in range(0, 10 * RELEASED, 10):
                await release_one(store, desk, number)
            assert RELEASED == len(hop.received)
            for copy, number in zip(hop.received, range(0, 10 * RELEASED, 10), strict=True):
                assert copy.octets.endswith(message(number))
            await relay.close()
        assert RELEASED == await store.quarantine.count("state:released")

    asyncio.run(work())
    more.join()
    assert [] == check_database(store.database)
    store.close()
    send(filter_.port, range(900, 901))  # and amavisd goes on with the same database


async def release_one(store: Store, desk: QuarantineDesk, number: int) -> None:
    (item,) = [item async for item in store.quarantine.find(f"subject:number{number}")]
    assert (PARTITION, "B", f"sender{number}@out.example") == (
        item.partition_tag,
        item.category,
        item.sender,
    )
    assert ["quarantine"] == [copy.action for copy in item.copies]
    detail = await store.quarantine.detail(item.mail_id)
    assert (f"tool{number}.exe",) == detail.attachments
    (released,) = await desk.release(item.mail_id, who="test")
    assert released.reply.positive
