"""A real service in a process of its own: supervisor, workers and desk, with a configuration in a folder."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
START_S = 120.0
"""So long may it take to say `ready`."""
PATIENCE_S = 60.0
"""So long is waited for what takes a second on an idle machine: only a test that fails waits for its end."""
RULES = """
rawbody SPAM_WORD /wonder pills/
describe SPAM_WORD it speaks of wonder pills
score SPAM_WORD 6.0
"""
_PROGRAM = textwrap.dedent(
    """
    import sys
    from lazaret.config.load import load
    from lazaret.daemon import supervisor
    from lazaret.web.app import create_app

    exec(sys.argv[3])

    def config():
        return load(sys.argv[1])

    def announce(line):
        print(line, flush=True)

    sys.exit(supervisor.run(supervisor.Task(
        config=config(), load_config=config, web=create_app, announce=announce, stuck_s=float(sys.argv[2])
    )))
    """
)


@dataclass
class Service:
    """The supervisor, and what it says."""

    process: "subprocess.Popen[str]"
    folder: Path
    smtp: int
    """Port of the first SMTP listener."""

    heard: int = 0
    """So much of the log is forgotten."""

    def log(self) -> str:
        """What stands on stderr so far."""
        return (self.folder / "stderr").read_text()[self.heard :]

    def forget_log(self) -> None:
        """What stands there by now belongs to another test."""
        self.heard += len(self.log())

    def wait_for_log(self, text: str, seconds: float = PATIENCE_S) -> str:
        """The log, once it has the text."""
        until(lambda: text in self.log(), seconds)
        return self.log()

    def children(self) -> list[int]:
        """Process ids of workers and desk."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def end(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


def write_config(
    folder: Path,
    *,
    smtp: int,
    hop: int,
    http: str = "127.0.0.1:0",
    listen: str = "",
    rules: str = "",
    store: str = "",
    more: str = "",
) -> Path:
    """A configuration with one SMTP listener, two workers and one rule.

    `listen`, `rules`, `store`: a further line of that section; `more`: further sections.
    """
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "test.cf").write_text(RULES)
    file = folder / "lazaret.toml"
    file.write_text(
        textwrap.dedent(
            f"""
            [listen]
            smtp = ["127.0.0.1:{smtp}"]
            http = "{http}"
            {listen}
            [relay]
            next_hop = "smtp:[127.0.0.1]:{hop}"
            [local]
            domains = ["home.example"]
            [store]
            data_dir = "data"
            min_free = 0
            {store}
            [rules]
            shipped = false
            paths = ["rules"]
            {rules}
            [workers]
            count = 2
            """
        )
        + more
    )
    return file


@contextmanager
def service(
    folder: Path,
    *,
    smtp: int,
    hop: int,
    stuck_s: float = 30.0,
    wrap: Sequence[str] = (),
    prelude: str = "",
    **config: str,
) -> Iterator[Service]:
    """The service, once it is ready; at the end it is told to end, and killed when it does not.

    `wrap`: a command that runs the one given after it in its own place; `prelude`: Python that is run in
    its process before it starts.
    """
    file = write_config(folder, smtp=smtp, hop=hop, **config)
    with open(folder / "stderr", "w") as stderr:
        process = subprocess.Popen(
            [*wrap, sys.executable, "-c", _PROGRAM, str(file), str(stuck_s), prelude],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
    assert process.stdout is not None
    patience = threading.Timer(START_S, process.kill)
    patience.start()
    try:
        line = process.stdout.readline()
        assert line.startswith(f"ready smtp=127.0.0.1:{smtp}"), line + (folder / "stderr").read_text()
        patience.cancel()
        yield Service(process, folder, smtp)
    finally:
        patience.cancel()
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


class Client:
    """An SMTP client that says one line at a time."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=PATIENCE_S, source_address=(source, 0)
        )
        self._file = self.socket.makefile("rb")
        try:
            self.greeting = self.reply()
        except OSError:
            self.close()
            raise

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def say(self, *lines: str) -> str:
        """The reply to the last of the lines, which are sent at once."""
        self.socket.sendall("".join(f"{line}\r\n" for line in lines).encode())
        return [self.reply() for _ in lines][-1]

    def reply(self) -> str:
        """The last line of the next reply; "" at the end of the connection."""
        while True:
            line = self._file.readline().decode()
            if line[3:4] != "-":
                return line.rstrip("\r\n")

    def mail(self, body: str, to: str = "ann@home.example") -> str:
        """The reply to a message."""
        self.say("EHLO client.example")
        begun = self.say("MAIL FROM:<a@out.example>", f"RCPT TO:<{to}>", "DATA")
        assert begun.startswith("354"), begun
        return self.say(f"Subject: test\r\n\r\n{body}\r\n.")


def send(port: int, body: str = "Hello.") -> str:
    """The reply to a message over a connection of its own."""
    with Client(port) as client:
        return client.mail(body)


def until(happened: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Waits for it; fails when it does not happen in time."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
