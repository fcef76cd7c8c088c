"""Two hosts filter into one database; one dies with its network, and the other has all that it stored."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support import databases
from tests.support.databases import PASSWORD, USER, Server
from tests.support.next_hop import HopThread
from tests.support.ports import free_port
from tests.support.service import Service, service, until
from tests.support.wire import Wire

from lazaret.store.locating import locate

from .conftest import private_server
from .traffic import Traffic, check, message, number_of

MESSAGES = 120
AT_ONCE = 8
KILLED_AFTER = 30
"""Messages that the first host has answered."""


@dataclass
class Host:
    """A service with ports, files, and a network to the database of its own."""

    name: str
    folder: Path
    port: int
    wire: Wire
    service: Service

    def die(self) -> None:
        """As a power cut does it: nobody is told, neither clients nor the database."""
        self.wire.cut.set()
        for pid in (self.service.process.pid, *self.service.children()):
            os.kill(pid, signal.SIGKILL)
        self.service.process.wait()

    def command(self, *words: str) -> None:
        config = str(self.folder / "lazaret.toml")
        subprocess.run([sys.executable, "-m", "lazaret", *words, "--config", config], check=True)


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("LAZARET_STORE_PASSWORD", PASSWORD)
    with ExitStack() as stack:
        base = databases.server_folder(tmp_path_factory.mktemp("hosts"))
        stack.callback(databases.remove, base)
        yield private_server("postgresql", base, stack)


@pytest.fixture
def hosts(server: Server, hop: HopThread, tmp_path: Path) -> Iterator[tuple[Host, Host]]:
    """Both in front of the same next hop."""
    with ExitStack() as stack:

        def start(name: str) -> Host:
            wire, folder, port = Wire(server.port), tmp_path / name, free_port()
            stack.callback(wire.close)
            folder.mkdir()
            running = stack.enter_context(
                service(
                    folder,
                    smtp=port,
                    hop=hop.port,
                    store=f'url = "postgresql://{USER}@127.0.0.1:{wire.port}/mail"',
                    more=f'\n[site]\nhostname = "{name}.home.example"\n',
                )
            )
            return Host(name, folder, port, wire, running)

        yield start("first"), start("second")


def stored_by(server: Server, host: Host) -> list[tuple[str, int]]:
    """Id and number of the messages that a host put into the quarantine."""
    database = locate(f"postgresql://{USER}@127.0.0.1:{server.port}/mail", host.folder, PASSWORD)
    with closing(database.connect()) as connection:
        rows = connection.execute(
            "SELECT m.mail_id, q.mail_text FROM msgs m JOIN quarantine q ON q.mail_id = m.mail_id"
            " AND q.partition_tag = m.partition_tag AND q.chunk_ind = 1 WHERE m.host = :host",
            {"host": f"{host.name}.home.example"},
        ).fetchall()
    return [(mail_id, number_of(bytes(text))) for mail_id, text in rows]


def test_a_killed_host_loses_nothing_and_the_other_releases_what_it_stored(
    server: Server, hop: HopThread, hosts: tuple[Host, Host], tmp_path: Path
) -> None:
    first, second = hosts
    traffic = Traffic(first.port, MESSAGES, at_once=AT_ONCE)
    traffic.start()
    until(lambda: len(traffic.taken) >= KILLED_AFTER)
    first.die()
    killed_at = len(traffic.taken)
    # The MTA before them takes the other host.
    traffic.port = second.port
    traffic.finish()
    assert killed_at < MESSAGES
    database = locate(f"postgresql://{USER}@127.0.0.1:{server.port}/mail", tmp_path, PASSWORD)
    check(traffic.account(hop.hop, database), what="a host dies", duplicates=AT_ONCE)

    kept = stored_by(server, first)
    assert kept
    assert stored_by(server, second)
    before = len(hop.hop.received)
    for mail_id, _ in kept[:3]:
        second.command("release", mail_id)
    until(lambda: len(hop.hop.received) == before + len(kept[:3]))
    for (_, number), got in zip(kept, hop.hop.received[before:], strict=False):
        assert got.octets.endswith(message(number))
        assert b"\r\nResent-Message-ID: " in got.octets
