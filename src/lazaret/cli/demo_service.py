"""The demo's own service: a configuration, a database and a process, all below one directory."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lazaret.model.errors import UserError

HOST = "127.0.0.1"
EX_SOFTWARE = 70
LOG_LINES = 5


class DemoService:
    """Its commands are those of any other service."""

    def __init__(
        self, directory: Path, sink_port: int, port: int, http_port: int, settings: Sequence[str]
    ) -> None:
        """`port`, `http_port`: the wish; others are taken where somebody listens already."""
        self.directory = directory
        self.port = free_port(port)
        self.http_port = free_port(http_port)
        self.settings = settings
        self.file = directory / "lazaret.toml"
        self._sink_port = sink_port
        self._log = directory / "log"

    @contextmanager
    def running(self) -> Iterator[str]:
        """From the line `ready …`, which it gives, to the end of the process. UserError with the log."""
        self._write_file()
        process = subprocess.Popen(self._command("serve"), stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            ready = process.stdout.readline().strip()
            if not ready.startswith("ready"):
                raise UserError(f"the service did not start\n{self._last_lines()}".rstrip(), EX_SOFTWARE)
            yield ready
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            process.stdout.close()

    def run(self, *words: str) -> str:
        """What the command prints. UserError when it fails."""
        done = subprocess.run(self._command(*words), capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"lazaret {' '.join(words)} failed: {done.stderr.strip()}", done.returncode)
        return done.stdout

    def _command(self, *words: str) -> list[str]:
        given = [f"--set={setting}" for setting in self.settings]
        return [sys.executable, "-m", "lazaret", "--config", str(self.file), *given, *words]

    def _last_lines(self) -> str:
        try:
            return "\n".join(self._log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:])
        except OSError:
            return ""

    def _write_file(self) -> None:
        self.file.write_text(
            f"""\
[listen]
smtp = ["{HOST}:{self.port}"]
http = "{HOST}:{self.http_port}"
[relay]
next_hop = "smtp:[{HOST}]:{self._sink_port}"
[local]
domains = ["harbour.example"]
[site]
hostname = "mx.harbour.example"
[store]
min_free = 0
[workers]
count = 1
[log]
to = "{self._log}"
""",
            "utf-8",
        )


def free_port(port: int) -> int:
    """The port, or another one when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
