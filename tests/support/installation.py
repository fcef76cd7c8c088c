"""An installation as a person has one: a configuration, a data directory, a service, and commands on them."""

import asyncio
import hashlib
import json
import os
import pty
import select
import shutil
import smtplib
import sqlite3
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.support import commands
from tests.support.next_hop import Hop, next_hop

COMMAND = (sys.executable, "-m", "lazaret")
AMAVISD_RELEASE = (sys.executable, "-c", "from lazaret.cli.amavisd_release import run; run()")
START_S = 60
PROGRESS = (b"compiling rules: ", b"learning: ")
FORGOTTEN = ("LAZARET_", "PYTHONDONTWRITEBYTECODE")
BYTECODE = Path(__file__).parents[2] / ".pytest_cache" / "bytecode"
"""Compiled modules, kept even where the tester's Python keeps none: commands start in half the time."""

SENDER = "sender@out.example"
ANN, BOB = "ann@home.example", "bob@home.example"

RULES = """\
body     TEST_MARK    /mark-me-please/
describe TEST_MARK    A word of the tests that is worth marking
score    TEST_MARK    3.5
body     TEST_QUAR    /quarantine-me-please/
describe TEST_QUAR    A word of the tests that is worth the quarantine
score    TEST_QUAR    6
body     TEST_KILL    /kill-me-please|GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL/
describe TEST_KILL    A word of the tests that is worth a refusal
score    TEST_KILL    12
"""
"""Few rules, and quickly compiled: what a message scores is said by its words alone."""
CLEAN, MARK, QUARANTINE, KILL = "hello", "mark-me-please", "quarantine-me-please", "kill-me-please"


class Installation:
    """One directory with lazaret.toml and all that belongs to it."""

    def __init__(
        self, home: Path, config: str = "", *, next_hop: int = 1, http: int = 0, smtp: int = 0
    ) -> None:
        """`config`: TOML to be added; the ports are those of the sections that it must not have itself."""
        self.home = home
        self.file = home / "lazaret.toml"
        self.database = home / "lazaret.db"
        self.smtp = smtp
        self.http = http
        self.anew = False
        """Whether each command is a process that loads everything itself."""
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(FORGOTTEN)}
        self.environment["PYTHONPYCACHEPREFIX"] = str(BYTECODE)
        (home / "rules").mkdir()
        (home / "rules" / "tests.cf").write_text(RULES)
        self.file.write_text(
            f"""\
[listen]
smtp = ["127.0.0.1:{smtp}"]
http = "{f"127.0.0.1:{http}" if http else ""}"
[relay]
next_hop = "smtp:[127.0.0.1]:{next_hop}"
[local]
domains = ["home.example"]
[site]
hostname = "filter.example"
[store]
min_free = 0
[rules]
shipped = false
paths = ["rules"]
[workers]
count = 1
[log]
to = "./log"
"""
        )

    # Commands

    def run(
        self,
        *words: str | bytes | Path,
        stdin: bytes = b"",
        command: Sequence[str] = COMMAND,
        environment: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """One command to its end; its exit status is the caller's to judge.

        With an `environment` of its own, or as another `command`, it is a process that is started anew.
        """
        words = (*words, "--config", self.file)
        own = self.environment | (environment or {})
        if command is COMMAND and environment is None and not self.anew:
            return commands.run(words, stdin=stdin, environment=own, folder=self.home)
        return subprocess.run(
            [*command, *words], input=stdin, capture_output=True, timeout=120, env=own, cwd=self.home
        )

    def output(self, *words: str | Path, stdin: bytes = b"") -> str:
        """What a command prints that must succeed, and say nothing on stderr but how far it is."""
        done = self.run(*words, stdin=stdin)
        said = [line for line in done.stderr.splitlines() if not line.startswith(PROGRESS)]
        assert (0, []) == (done.returncode, said), done.stderr.decode()
        return done.stdout.decode()

    def rows(self, *words: str | Path, stdin: bytes = b"") -> list[dict[str, Any]]:
        """The JSON lines that a command prints."""
        return [json.loads(line) for line in self.output(*words, stdin=stdin).splitlines()]

    def query_and_commit(self, statement: str) -> None:
        """Changes the database as another program might."""
        with closing(sqlite3.connect(self.database)) as database, database:
            database.execute(statement)

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(statement, values).fetchall()

    def write(self, statement: str, *values: object) -> None:
        """Changes the database behind the service's back."""
        with closing(sqlite3.connect(self.database, timeout=10)) as database, database:
            database.execute(statement, values)

    def on_terminal(self, *words: str, answer: str = "") -> tuple[int, list[str]]:
        """Exit status and lines of a command on a terminal of 80 columns, where `answer` was typed."""
        ours, its = pty.openpty()
        termios.tcsetwinsize(its, (24, 80))
        process = subprocess.Popen(
            [*COMMAND, *words, "--config", self.file], stdin=its, stdout=its, stderr=its, env=self.environment
        )
        os.close(its)
        os.write(ours, answer.encode())
        printed = b"".join(iter(lambda: _read(ours), b""))
        os.close(ours)
        return process.wait(60), printed.decode().splitlines()

    # Service

    @contextmanager
    def service(self) -> Iterator[None]:
        """Runs `lazaret serve`; AssertionError with its log when it does not start."""
        process = subprocess.Popen(
            [*COMMAND, "serve", "--config", self.file],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            readable, _, _ = select.select([process.stdout], [], [], START_S)
            line = process.stdout.readline() if readable else b""
            if not line.startswith(b"ready "):
                process.kill()
                raise AssertionError(process.stderr.read().decode() + self.log())
            yield
        finally:
            process.terminate()
            process.wait(60)
            process.stdout.close()
            process.stderr.close()

    def page(self, path: str) -> str:
        """A page of the service that is open to all."""
        with urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=60) as answer:
            return str(answer.read().decode())

    def wait(self, come: Callable[[], bool], seconds: float = 60) -> None:
        """Returns once it has come; AssertionError with the log when it does not."""
        end = time.monotonic() + seconds
        while not come():
            assert time.monotonic() < end, self.log()
            time.sleep(0.05)

    def log(self) -> str:
        log = self.home / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def send(
        self, text: str = CLEAN, *to: str, subject: str = "news", sender: str = SENDER, header: str = ""
    ) -> tuple[int, str]:
        """Hands a message over; the reply to it."""
        octets = message(text, subject=subject, header=header)
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=30) as client:
            client.ehlo("mx.out.example")
            client.mail(sender)
            for address in to or (ANN,):
                client.rcpt(address)
            code, answer = client.data(octets)
        return code, answer.decode()

    def send_found(self, text: str, *to: str, subject: str, header: str = "") -> str:
        """Hands a message with a subject of its own over; its id, once it is in the history."""
        self.send(text, *to, subject=subject, header=header)
        end = time.monotonic() + 60
        while True:
            with closing(sqlite3.connect(self.database)) as database:
                found = database.execute(
                    "SELECT mail_id FROM msgs WHERE message_id = ? AND content IS NOT NULL",
                    (message_id(subject),),
                ).fetchone()
            if found:
                return str(found[0])
            assert time.monotonic() < end, self.log()
            time.sleep(0.05)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # so Linux says that the other side was closed
        return b""


def message(text: str = CLEAN, *, subject: str = "news", header: str = "") -> bytes:
    """A message with CRLF line ends; `header`: further fields with CRLF, on top."""
    lines = (
        f"{header}From: Sender <{SENDER}>\r\nTo: {ANN}\r\nSubject: {subject}\r\n"
        f"Date: Mon, 02 Feb 2026 10:00:00 +0000\r\nMessage-ID: {message_id(subject)}\r\n"
        f"\r\n{text}\r\n"
    )
    return lines.encode("utf-8", "surrogateescape")


def message_id(subject: str) -> str:
    """The Message-ID of the message with this subject."""
    return f"<{hashlib.sha256(subject.encode()).hexdigest()[:16]}@out.example>"


@contextmanager
def hop_beside() -> Iterator[Hop]:
    """A next hop in a thread of its own, for tests that are not asynchronous themselves."""
    hop = Hop()
    listens, end = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def main() -> None:
        async with next_hop(hop):
            listens.set()
            await end.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    assert listens.wait(10)
    try:
        yield hop
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
        loop.close()


def copy_rules(cache: Path, data_dir: Path) -> None:
    """Gives a data directory the compiled shipped rules, so that nobody waits for them again."""
    copied = Path(shutil.copytree(cache, data_dir / "rules-cache", dirs_exist_ok=True))
    owner = data_dir.stat()
    for path in (copied, *copied.iterdir()):
        os.chown(path, owner.st_uid, owner.st_gid)
