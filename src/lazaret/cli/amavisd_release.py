"""`amavisd-release`: the arguments and output of amavisd's own command, and an honest exit status.

It speaks to the running service over the AM.PDP socket, as the original does, so that it needs no
access to the database.
"""

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from lazaret.cli.context import Command, Given, pass_given
from lazaret.cli.main import finish
from lazaret.config.endpoint import Endpoint
from lazaret.config.options import Config
from lazaret.model.errors import UserError
from lazaret.wire.ampdp import AmpdpReplies, Request, release_request

EX_USAGE = 64
EX_REFUSED = 69
EX_DEFERRED = 75
EX_CONFIG = 78
TIMEOUT_S = 600.0

Wish = tuple[str, str, Sequence[str]]
"""(mail id or quarantine file, secret id, recipients)."""


@click.command(cls=Command)
@click.argument("mail_id", metavar="MAIL_ID|-")
@click.argument("rest", metavar="[SECRET_ID [RECIP…]]", nargs=-1)
@pass_given
def amavisd_release(given: Given, mail_id: str, rest: Sequence[str]) -> None:
    """Release a quarantined message. With `-`, read `MAIL_ID [SECRET_ID [RECIP…]]` lines from stdin.

    Called as amavisd-requeue (a link will do) it hands the message to relay.requeue instead, and as
    amavisd-report it sends an abuse report to the recipients that are named.

    It asks the running service (listen.ampdp); the secret is needed over TCP only, unless
    ampdp.require_secret says otherwise. The reply goes to stderr, as from the original, and to stdout.
    Exit status: 0 all accepted, 75 some deferred or the service does not answer, 69 some refused.
    """
    wishes = _from_stdin() if mail_id == "-" else [_wish(mail_id, rest)]
    request = request_of(Path(sys.argv[0]).name)
    status = 0
    with _connect(given.load()) as connection:
        for wish in wishes:
            for reply in _ask(connection, wish, request).all("setreply"):
                line = "".join(c if c.isprintable() else f"\\{ord(c):03o}" for c in reply)
                click.echo(line, err=True)
                click.echo(line)
                status = max(status, _status(reply))
    sys.exit(status)


def run() -> None:
    """The entry point."""
    finish(amavisd_release, "amavisd-release")


def request_of(called: str) -> str:
    """What is asked for, by the name under which the command was called, as of the original."""
    return next((request for request in ("requeue", "report") if called.endswith(request)), "release")


def _wish(mail_id: str, rest: Sequence[str]) -> Wish:
    """A second argument with an @ is a recipient; then there is no secret."""
    if rest and "@" not in rest[0]:
        return mail_id, rest[0], rest[1:]
    return mail_id, "", rest


def _from_stdin() -> Iterator[Wish]:
    for line in sys.stdin:
        words = line.split()
        if words and not words[0].startswith("#"):
            yield words[0], words[1] if len(words) > 1 else "", words[2:]


def _connect(config: Config) -> socket.socket:
    if not config.listen.ampdp:
        raise UserError("listen.ampdp is empty: the service takes no release requests", EX_CONFIG)
    at = config.listen.ampdp[0]
    try:
        connection = _open(at)
    except OSError as e:
        raise UserError(
            f"cannot reach the service at {at}: {e.strerror or e}; is it running?", EX_DEFERRED
        ) from e
    connection.settimeout(TIMEOUT_S)
    return connection


def _open(at: Endpoint) -> socket.socket:
    if not at.path:
        return socket.create_connection((at.host, at.port), timeout=35)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(os.fspath(at.path))
    except OSError:
        connection.close()
        raise
    return connection


def _ask(connection: socket.socket, wish: Wish, request: str) -> Request:
    mail_id, secret_id, recipients = wish
    try:
        connection.sendall(release_request(mail_id, secret_id, recipients, request=request))
        return _answer(connection)
    except ValueError as e:
        raise UserError(str(e), EX_USAGE) from e
    except OSError as e:
        raise UserError(f"{mail_id}: no answer from the service: {e.strerror or e}", EX_DEFERRED) from e


def _answer(connection: socket.socket) -> Request:
    """ConnectionError when the service ends without one."""
    replies = AmpdpReplies()
    while octets := connection.recv(65_536):
        for reply in replies.receive(octets):
            return reply
    raise ConnectionError("it closed the connection")


def _status(reply: str) -> int:
    if reply.startswith("2"):
        return 0
    return EX_DEFERRED if reply.startswith("4") else EX_REFUSED
