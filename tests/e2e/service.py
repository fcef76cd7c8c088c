"""A running Lazaret beside one Postfix, configured by examples/lazaret.toml."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import documented
from .documented import Ports

COMMAND = Path(os.environ.get("LAZARET_COMMAND", Path(sys.executable).with_name("lazaret")))
"""The command under test; $LAZARET_COMMAND tests one that is installed elsewhere."""

_RULES = """\
body     TEST_MARK    /mark-me-please/
describe TEST_MARK    A word of the tests that is worth marking
score    TEST_MARK    3.5
body     TEST_QUAR    /quarantine-me-please/
describe TEST_QUAR    A word of the tests that is worth the quarantine
score    TEST_QUAR    6
body     TEST_KILL    /kill-me-please/
describe TEST_KILL    A word of the tests that is worth a refusal
score    TEST_KILL    12
body     GTUBE        /XJS\\*C4JDBQADN1\\.NSBN3\\*2IDNEN\\*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL\\*C\\.34X/
describe GTUBE        The string that every filter takes for spam; lazaret selftest sends it
score    GTUBE        1000
"""

_ONLY_THE_RULES_OF_THE_TESTS = """
[rules]
shipped = false
paths = ["rules"]

[site]
hostname = "mx.example.com"

[workers]
count = 1
"""


class Lazaret:
    """One service with its own data directory; every command of the command line on it."""

    def __init__(self, home: Path, ports: Ports, prelude: str = "") -> None:
        """`prelude`: Python that the service runs before it starts, to break something in it."""
        self.home = home
        self._serve = [str(COMMAND)]
        if prelude:
            self._serve = [sys.executable, "-c", f"{prelude}\nfrom lazaret.cli.main import run\nrun()"]
        self.ports = ports
        self.config = home / "lazaret.toml"
        self.ampdp_socket = home / "data" / "ampdp.sock"

    def configure(self) -> None:
        """Writes the documented configuration, with our ports and with rules that fire on a word."""
        (self.home / "rules").mkdir()
        (self.home / "rules" / "tests.cf").write_text(_RULES)
        (self.home / "data").mkdir()
        values = self.ports.substitutions() | {
            '"/var/lib/lazaret"': f'"{self.home / "data"}"',
            '["unix:ampdp.sock"]': f'["unix:ampdp.sock", "127.0.0.1:{self.ports.ampdp}"]',
        }
        text = documented.substitute(documented.CONFIG.read_text(), values)
        self.config.write_text(text + _ONLY_THE_RULES_OF_THE_TESTS)

    def add(self, toml: str) -> None:
        """More configuration, before the start."""
        with self.config.open("a") as file:
            file.write(toml)

    def start(self) -> None:
        """Returns once the service has said `ready`; AssertionError with its log when it does not."""
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._serve, "serve", "--config", self.config], stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], 60)
        line = self._process.stdout.readline() if readable else b""
        assert line.startswith(b"ready "), f"{line!r}\n{self.log()}"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """One command to its end; its exit status is the caller's to judge."""
        line = [COMMAND, arguments[0], "--config", self.config, *arguments[1:]]
        return subprocess.run(line, capture_output=True, timeout=60)

    def find(self, *query: str) -> list[dict[str, Any]]:
        """What `lazaret find --json` prints, one object per message, newest first."""
        done = self.run("find", "--json", *query)
        assert done.returncode == 0, done.stderr.decode()
        return [json.loads(line) for line in done.stdout.splitlines()]

    def find_one(self, *query: str) -> dict[str, Any]:
        found = self.find(*query)
        assert len(found) == 1, found
        return found[0]

    def secret(self, mail_id: str) -> str:
        """The `secret_id`, from where amavis' tools read it: the database."""
        import sqlite3

        database = sqlite3.connect(self.home / "data" / "lazaret.db")
        try:
            row = database.execute("SELECT secret_id FROM msgs WHERE mail_id = ?", (mail_id,)).fetchone()
        finally:
            database.close()
        return row[0].decode() if isinstance(row[0], bytes) else str(row[0])
