"""`lazaret scan`: scores messages; no mail, database or model changes."""

import sys
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path

import click

from lazaret.cli.context import Command, Given, pass_given, run_async
from lazaret.cli.output import print_json
from lazaret.cli.ruleset import load_rules
from lazaret.model.errors import UserError

EX_NOINPUT = 66
STDIN = "-"


def _ip(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        return str(ip_address(value)) if value else ""
    except ValueError:
        raise click.BadParameter(f"{value!r} is no IP address", ctx, parameter) from None


@click.command(cls=Command)
@click.argument("files", metavar="[FILE…|-]", nargs=-1)
@click.option("--files-from", "listing", metavar="LIST", help="Take the paths from this file, one a line.")
@click.option("--from", "sender", metavar="ADDR", help="Envelope sender; else read from the message.")
@click.option("--rcpt", "recipient", metavar="ADDR", default="", help="Whose policy decides.")
@click.option(
    "--client-ip", metavar="IP", default="", callback=_ip, help="The client; else read from the message."
)
@click.option("--now", type=float, metavar="EPOCH", help="The time of reception, for repeatable results.")
@click.option("--no-learn", is_flag=True, help="Without what the learner would add.")
@pass_given
def scan(
    given: Given,
    files: Sequence[str],
    listing: str | None,
    sender: str | None,
    recipient: str,
    client_ip: str,
    now: float | None,
    no_learn: bool,
) -> None:
    """Score messages and print a JSON object a line, in the order of the files.

    A file holds one message, with LF or CRLF line ends. Without a FILE, or for `-`, stdin is read.
    It needs no database and changes nothing; only the compiled rules are kept in store.data_dir.

    Exit status: 0 all were scored, whatever their scores; 66 a file could not be read: its line has
    `error` instead of a score.

    \b
    Examples:
      lazaret scan message.eml | jq .score
      lazaret scan --rcpt anna@example.org --set levels.quarantine=4 < message.eml
      find Maildir/cur -type f | lazaret scan --files-from - > scores.jsonl
    """
    if files and listing is not None:
        raise click.UsageError("give FILEs or --files-from, not both")
    from lazaret import app
    from lazaret.cli.scanner import Scanner  # with all that reads and judges mail; `--help` need not

    config, ruleset = load_rules(given)
    networks = app.trusted_networks(config, ruleset)
    checks = app.checks(config, ruleset, learn=not no_learn, explain=True)
    scanner = Scanner(config, checks, sender, recipient, client_ip, now, networks, ruleset.sites)

    async def scan_all() -> int:
        status = 0
        for name in written_names(files, listing):
            try:
                octets = read_message(name)
            except (OSError, ValueError) as e:  # ValueError: a NUL in the name
                print_json({"file": name, "error": getattr(e, "strerror", None) or str(e)})
                status = EX_NOINPUT
                continue
            print_json({"file": name} | await scanner.scan(octets))
        return status

    sys.exit(run_async(scan_all()))


def written_names(files: Sequence[str], listing: str | None) -> Iterator[str]:
    """The names as they were written, octets that are no UTF-8 included."""
    if listing is None:
        yield from files or (STDIN,)
        return
    try:
        source = sys.stdin.fileno() if listing == STDIN else listing
        with open(source, encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            yield from (name for line in lines if (name := line.removesuffix("\n")))
    except OSError as e:
        raise UserError(f"cannot read {listing}: {e.strerror}", EX_NOINPUT) from e


def read_message(name: str) -> bytes:
    """The octets of a file, or of stdin for `-`."""
    return sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
