"""A service that is hurt while mail goes through it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support import databases
from tests.support.databases import PASSWORD, USER, Server
from tests.support.next_hop import HopThread
from tests.support.ports import free_port
from tests.support.service import Service, service, until
from tests.support.small_disk import small_disk

from lazaret.store.connection import Connection
from lazaret.store.locating import locate

from .points import POINTS
from .traffic import Account, Traffic

thorough = pytest.mark.skipif("LAZARET_FAULTS" not in os.environ, reason="make test-faults runs it")
MESSAGES = int(os.environ.get("LAZARET_FAULTS_MESSAGES", "48"))
"""A fault is tried on so many."""

_COMMAND = """
import sys
from lazaret.cli.main import run
exec(sys.argv[2])
del sys.argv[1:3]
run()
"""


@dataclass
class Hurt:
    """A running service, the next hop behind it, and what it is hurt with."""

    folder: Path
    port: int
    hop: HopThread
    url: str = "sqlite:///lazaret.db"
    server: Server | None = None
    """Of the database, where it is no file."""
    disk: Path | None = None
    """A small one, that the data or the server of the database lies on."""
    wrap: Sequence[str] = ()
    """A command that runs the service."""
    _stack: ExitStack = field(default_factory=ExitStack)
    service: Service = field(init=False)

    def start(self) -> None:
        self.service = self._stack.enter_context(
            service(
                self.folder,
                smtp=self.port,
                hop=self.hop.port,
                stuck_s=3.0,
                wrap=self.wrap,
                prelude=POINTS,
                store=f'url = "{self.url}"',
            )
        )

    def stop(self) -> None:
        self._stack.close()
        self._stack = ExitStack()

    def restart(self) -> None:
        """kill -9 of the supervisor; it is started anew, again and again while its children still end."""
        self.service.process.kill()
        self.service.process.wait()
        self.stop()
        with open(self.folder / "log-before", "ab") as kept:
            kept.write((self.folder / "stderr").read_bytes())
        end = time.monotonic() + 120
        while True:
            try:
                self.start()
                return
            except AssertionError:
                assert time.monotonic() < end
                self.stop()

    def said(self) -> str:
        """The log, also of the services before this one."""
        before = self.folder / "log-before"
        return (before.read_text() if before.exists() else "") + (self.folder / "stderr").read_text()

    def arm(self, point: str) -> None:
        """The next worker that comes to the point dies there."""
        (self.folder / f"die-{point}").touch()

    def armed(self, point: str) -> bool:
        return (self.folder / f"die-{point}").exists()

    def hold(self, point: str) -> None:
        """Whoever comes to the point waits there, until `let_go`."""
        (self.folder / f"hold-{point}").touch()

    def held(self, point: str) -> bool:
        """Whether somebody waits there."""
        return (self.folder / f"held-{point}").exists()

    def let_go(self, point: str) -> None:
        (self.folder / f"hold-{point}").unlink()
        (self.folder / f"held-{point}").unlink(missing_ok=True)

    def open(self) -> Connection:
        """The database, for reading and writing; to be closed."""
        return locate(self.url, self.database.parent, PASSWORD).connect(writing=True)

    @property
    def database(self) -> Path:
        return self.folder / "data" / "lazaret.db"

    def kill_database(self) -> None:
        """kill -9 of its server, which is started again."""
        assert self.server is not None
        self.server.kill()
        time.sleep(0.5)
        self.server.start(careful=True)

    def cut_off_next_hop(self) -> None:
        """The next hop closes all its connections, in the midst of anything."""

        def abort() -> None:
            for connection in list(self.hop.hop.connections):
                connection.transport.abort()

        self.hop.loop.call_soon_threadsafe(abort)

    def begin(self, *command: str) -> "subprocess.Popen[bytes]":
        """A command of ours, which knows the points too."""
        config = str(self.folder / "lazaret.toml")
        words = [sys.executable, "-c", _COMMAND, config, POINTS, *command, "--config", config]
        with open(self.folder / "commands", "ab") as said:
            return subprocess.Popen(words, stdout=said, stderr=said)

    def run(self, *command: str, seconds: float = 0.0) -> int:
        """Its exit status; it is killed after so many seconds, unless that is 0."""
        process = self.begin(*command)
        try:
            return process.wait(seconds or 120)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def workers(self) -> list[int]:
        """The children that have been there for a while; those that handle one message come and go."""
        first = set(self.service.children())
        threading.Event().wait(0.2)
        return sorted(first & set(self.service.children()))

    def signal(self, pid: int, number: int = signal.SIGKILL) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    def through(
        self, fault: Callable[["Hurt", Traffic], None], *, count: int = MESSAGES, **options: object
    ) -> Account:
        """Brings the messages while the fault does its work, then looks for each of them."""
        traffic = Traffic(self.port, count, **options)  # type: ignore[arg-type]
        traffic.start()
        try:
            until(lambda: len(traffic.taken) >= 5 or not traffic.running, 60)
            fault(self, traffic)
        finally:
            traffic.finish()
        until(lambda: self._is_quiet(), 30)
        return traffic.account(self.hop.hop, locate(self.url, self.database.parent, PASSWORD))

    def _is_quiet(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return True
        except OSError:
            return False


@pytest.fixture
def hop() -> Iterator[HopThread]:
    thread = HopThread()
    thread.start()
    yield thread
    thread.end()


@pytest.fixture
def hurt(tmp_path: Path, hop: HopThread, free_port: Callable[[], int]) -> Iterator[Hurt]:
    """A service with two workers on SQLite."""
    running = Hurt(tmp_path, free_port(), hop)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def hurt_on(
    tmp_path: Path,
    hop: HopThread,
    free_port: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Hurt]]:
    """The same on another database, whose server is the test's own."""
    monkeypatch.setenv("LAZARET_STORE_PASSWORD", PASSWORD)
    with ExitStack() as stack:

        def make(kind: str, *, size: str = "") -> Hurt:
            """`size` of the disk that the server lies on, as "250m"; "" for a large one."""
            running = Hurt(tmp_path, free_port(), hop)
            if kind != "sqlite":
                base = databases.server_folder(tmp_path_factory.mktemp("faults"))
                stack.callback(databases.remove, base)
                if size:
                    running.disk = stack.enter_context(small_disk(base, size))
                running.server = private_server(kind, base, stack)
                scheme = "mysql" if kind == "mariadb" else "postgresql"
                running.url = f"{scheme}://{USER}@127.0.0.1:{running.server.port}/mail"
            running.start()
            stack.callback(running.stop)
            return running

        yield make


def private_server(kind: str, base: Path, stack: ExitStack) -> Server:
    """A server below `base` with a database `mail`, killed with the stack."""
    databases.require(kind)
    folder = base / "server"
    folder.mkdir(parents=True)
    databases.open_way(folder)
    server = Server(kind, folder, free_port())
    server.make()
    server.start(careful=True)
    stack.callback(server.kill)
    server.make_user()
    if kind == "mariadb":
        # So that read-only holds for us too.
        server.admin(f"REVOKE READ_ONLY ADMIN ON *.* FROM '{USER}'@'%'")
    server.admin(f"CREATE DATABASE mail{' OWNER lazaret' if kind == 'postgresql' else ''}")
    return server
