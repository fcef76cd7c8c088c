"""`lazaret demo`: the whole story in the terminal, with nothing left behind."""

import json
import signal
import smtplib
import sys
import tempfile
import time
from pathlib import Path

import click

from lazaret.cli.context import Command, Given, pass_given
from lazaret.cli.demo_mail import LETTERS, Letter
from lazaret.cli.demo_service import HOST, DemoService
from lazaret.cli.demo_sink import Sink
from lazaret.model.errors import UserError

FILTER_PORT, SINK_PORT, HTTP_PORT = 10024, 10025, 8025
EX_SOFTWARE = 70
HISTORY_S = 10.0
"""How long the rows of the history may take to be written."""
DECIDING = ("mode", "levels.", "local.", "policy.", "rules.")
"""Settings that may well change a fate."""
SHOWN_FIELDS = ("Subject:", "X-Spam-Flag:", "X-Spam-Score:")


@click.command(cls=Command)
@click.option("--stay", is_flag=True, help="Leave it running, with the web page, until Ctrl-C.")
@pass_given
def demo(given: Given, stay: bool) -> None:
    """Show the whole story: mail is delivered, marked, quarantined, killed; found, explained, released.

    Runs a service of its own on a database of its own, which is gone afterwards. Where its ports
    (10024, 10025, 8025) are taken it uses others. A --config is not read; a --set holds for the
    service, as --set levels.mark=4.

    Exit status: 0 every letter met its fate, 70 one did not.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _end)
    # A shell without job control has its background ignore Ctrl-C, and Python would leave it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="lazaret-demo-") as directory, Sink(HOST, SINK_PORT) as sink:
        service = DemoService(Path(directory), sink.port, FILTER_PORT, HTTP_PORT, given.settings)
        _say(f"A filter on port {service.port}, and a sink in the place of the MTA on {sink.port}.")
        with service.running() as ready:
            click.secho(f"  {ready}\n", dim=True)
            _tell(service, sink)
            if stay:
                _stay(service)


def _end(number: int, _: object) -> None:
    """Leaves by the `with` blocks, which stop the service and remove its files."""
    sys.exit(128 + number)


def _tell(service: DemoService, sink: Sink) -> None:
    for letter in LETTERS:
        _send(service, sink, letter)
    _check_fates(service)
    kept = next(letter for letter in LETTERS if letter.fate == "quarantine")
    found = _type(service, "find", "subject:invoice", "since:7d").splitlines()
    if len(found) < 2:
        raise _failed("the quarantined message was not found")
    mail_id = found[1].split()[0]
    _type(service, "show", mail_id)
    before = len(sink.taken)
    _type(service, "release", mail_id)
    if len(sink.taken) == before:
        raise _failed("the released message did not arrive")
    if not sink.taken[-1].octets.endswith(kept.octets):
        raise _failed("the released message is not what came in")
    _say("It arrived, ", end="")
    click.secho("octet by octet as it came in.\n", bold=True)


def _send(service: DemoService, sink: Sink, letter: Letter) -> None:
    before = len(sink.taken)
    with smtplib.SMTP(HOST, service.port) as client:
        client.ehlo("mx.harbour.example")
        client.mail(letter.sender)
        client.rcpt(letter.recipient)
        code, answer = client.data(letter.octets)
    click.secho(f"--> {letter.sender} -> {letter.recipient}  Subject: {letter.subject}", bold=True)
    _say(f"<-- {code} {answer.decode('utf-8', 'replace')}")
    for message in sink.taken[before:]:
        head = message.octets.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
        shown = sorted((line for line in head if line.startswith(SHOWN_FIELDS)), reverse=True)
        click.secho(f"    delivered: {'  '.join(shown)}", fg="green")
    if len(sink.taken) == before:
        click.secho("    not delivered", fg="red")
    _say()


def _check_fates(service: DemoService) -> None:
    """What the history says of each letter must be what the demo promises."""
    if any(setting.startswith(DECIDING) for setting in service.settings):
        return
    fates = _fates(service)
    for letter in LETTERS:
        if fates[letter.sender] != letter.fate:
            raise _failed(f"{letter.sender}: the action was to be {letter.fate}, not {fates[letter.sender]}")


def _fates(service: DemoService) -> dict[str, str]:
    """Sender -> action, once all rows of the history are written."""
    deadline = time.monotonic() + HISTORY_S
    while time.monotonic() < deadline:
        rows = [json.loads(line) for line in service.run("find", "--all", "--json").splitlines()]
        if len(rows) == len(LETTERS):
            return {row["from"]: row["action"] for row in rows}
        time.sleep(0.1)
    raise _failed("the history does not know all letters")


def _type(service: DemoService, *words: str) -> str:
    """What the command prints, printed as well."""
    click.secho(f"$ lazaret {' '.join(words)}", bold=True)
    printed = service.run(*words)
    _say(printed)
    return printed


def _stay(service: DemoService) -> None:
    _say(f"The page is at http://{HOST}:{service.http_port}/ and mail is taken on port {service.port}.")
    _say(f"Commands that mean this service need --config {service.file}")
    _say("Ctrl-C ends it.")
    sys.stdout.flush()
    try:
        signal.pause()
    except KeyboardInterrupt:
        _say()


def _say(text: str = "", end: str = "\n") -> None:
    click.echo(text + end, nl=False)


def _failed(what: str) -> UserError:
    return UserError(f"the demo failed: {what}", EX_SOFTWARE)
