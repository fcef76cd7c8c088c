"""`lazaret demo`: the whole story in the terminal, with nothing left behind."""

import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from lazaret.cli.demo_mail import LETTERS, Letter
from lazaret.cli.demo_sink import Sink
from lazaret.model.errors import UserError

HOST = "127.0.0.1"
FILTER_PORT, SINK_PORT, HTTP_PORT = 10024, 10025, 8025


@click.command()
@click.option("--stay", is_flag=True, help="Leave it running, with the web page, until Ctrl-C.")
def demo(stay: bool) -> None:
    """Show the whole story: mail is delivered, marked, quarantined, killed; found, explained, released.

    Runs a service of its own on a database of its own, which is gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="lazaret-demo-") as directory, Sink(_free(SINK_PORT)) as sink:
        service = _Service(Path(directory), sink.port, _free(FILTER_PORT), _free(HTTP_PORT))
        with _running(service):
            _tell(service, sink)
            if stay:
                _stay(service)


@dataclass(frozen=True, slots=True)
class _Service:
    """The demo's own service; its commands are those of any other."""

    directory: Path
    sink_port: int
    port: int
    http_port: int

    @property
    def file(self) -> Path:
        return self.directory / "lazaret.toml"

    def write_file(self) -> None:
        self.file.write_text(
            f"""\
[listen]
smtp = ["{HOST}:{self.port}"]
http = "{HOST}:{self.http_port}"
[relay]
next_hop = "smtp:[{HOST}]:{self.sink_port}"
[local]
domains = ["harbour.example"]
[site]
hostname = "mx.harbour.example"
[store]
min_free = 0
[workers]
count = 1
[log]
to = "{self.directory / "log"}"
""",
            "utf-8",
        )

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "lazaret", "--config", str(self.file), *words]

    def run(self, *words: str) -> str:
        """What the command prints."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        return done.stdout + done.stderr


@contextmanager
def _running(service: _Service) -> Iterator[None]:
    click.echo(f"A filter on port {service.port}, and a sink in the place of the MTA on {service.sink_port}.")
    service.write_file()
    process = subprocess.Popen(service.command("serve"), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = process.stdout.readline().strip()
        if not ready.startswith("ready"):
            raise UserError("the service did not start; what it said is above", 70)
        click.secho(f"  {ready}\n", dim=True)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        if process.stdout:
            process.stdout.close()


def _tell(service: _Service, sink: Sink) -> None:
    for letter in LETTERS:
        _send(service, sink, letter)
    _type(service, "find", "from:spam.com")
    found = service.run("find", "from:spam.com").splitlines()
    if len(found) < 2:
        raise UserError("the quarantined message was not found", 70)
    mail_id = found[1].split()[0]
    _type(service, "show", mail_id)
    before = len(sink.taken)
    _type(service, "release", mail_id)
    if len(sink.taken) == before:
        raise UserError("the released message did not arrive", 70)
    octets = sink.taken[-1].octets
    intact = _quarantined().text.encode().replace(b"\n", b"\r\n") in octets
    click.echo("It arrived, ", nl=False)
    click.secho("octet by octet as it came in.\n" if intact else "but altered.\n", bold=True)


def _quarantined() -> Letter:
    return next(letter for letter in LETTERS if letter.fate == "quarantine")


def _send(service: _Service, sink: Sink, letter: Letter) -> None:
    before = len(sink.taken)
    with smtplib.SMTP(HOST, service.port) as client:
        client.ehlo("mx.harbour.example")
        client.mail(letter.sender)
        client.rcpt(letter.recipient)
        code, answer = client.data(letter.octets())
    subject = next(f for f in letter.fields if f.startswith("Subject:"))
    click.secho(f"--> {letter.sender} -> {letter.recipient}  {subject}", bold=True)
    click.echo(f"<-- {code} {answer.decode()}")
    for message in sink.taken[before:]:
        head = message.octets.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
        shown = [
            line for line in head.split("\r\n") if line.startswith(("Subject:", "X-Spam-F", "X-Spam-Score"))
        ]
        click.secho(f"    delivered: {'  '.join(shown)}", fg="green")
    if len(sink.taken) == before:
        click.secho("    not delivered", fg="red")
    click.echo()


def _type(service: _Service, *words: str) -> None:
    click.secho(f"$ lazaret {' '.join(words)}", bold=True)
    click.echo(service.run(*words))


def _stay(service: _Service) -> None:
    click.echo(f"The page is at http://{HOST}:{service.http_port}/ and mail is taken on port {service.port}.")
    click.echo(f"Commands that mean this service need --config {service.file}")
    click.echo("Ctrl-C ends it.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        click.echo()


def _free(port: int) -> int:
    """The port, or another one when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
