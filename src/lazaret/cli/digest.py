"""`lazaret digest preview | send | status`: the mails that tell recipients of their quarantine."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

import click

from lazaret import app
from lazaret.cli.context import Command, Given, Group, as_owner, json_option, pass_given, run_async
from lazaret.cli.desk import local_time
from lazaret.cli.output import plain, print_json, table
from lazaret.flow.digest import Digests, Sent, Standing
from lazaret.flow.explain import rfc3339
from lazaret.model.digest import Interval
from lazaret.model.errors import UserError

T = TypeVar("T")

EX_UNAVAILABLE, EX_TEMPFAIL, EX_CONFIG = 69, 75, 78
LATE = 1


@click.group(cls=Group)
def digest() -> None:
    """Tell recipients by mail what was quarantined for them.

    With digest.enabled the service does so by itself, when each of them wants it.
    """


@digest.command(cls=Command)
@click.argument("address", metavar="ADDR")
@click.option("--html", "form", flag_value="html", help="The part for programs that show HTML.")
@click.option("--raw", "form", flag_value="raw", help="The whole mail, octet by octet.")
@pass_given
def preview(given: Given, address: str, form: str | None) -> None:
    """Print the digest that ADDR would get now; nothing is sent or noted.

    Its links work: whoever sees them can have these messages sent to ADDR.
    """
    letter = _with_digests(given, lambda digests: digests.preview(address))
    if letter is None:
        click.echo(f"there is nothing to tell {plain(address)}", err=True)
    elif form == "raw":
        sys.stdout.buffer.write(letter.octets)
    else:
        click.echo(letter.html if form == "html" else letter.text, nl=False)


@digest.command(cls=Command)
@click.argument("addresses", metavar="[ADDR]...", nargs=-1)
@json_option
@pass_given
def send(given: Given, addresses: Sequence[str], as_json: bool) -> None:
    """Send digests: to each ADDR now, or to all that are due.

    Prints a line per digest with the answer of the next hop. Exit status 0 when all were taken, 75 when some
    were deferred, 69 when some were refused.
    """

    async def all_of(digests: Digests) -> list[Sent]:
        if not addresses:
            return await digests.run()
        return [await digests.send(address) for address in addresses]

    sent = _with_digests(given, all_of)
    for one in sent:
        if as_json:
            print_json({"to": one.address, "messages": one.messages, "response": str(one.reply)})
        else:
            click.echo(f"{plain(one.address)} {one.reply}")
    if any(one.reply.permanent for one in sent):
        sys.exit(EX_UNAVAILABLE)
    if any(one.reply.transient for one in sent):
        sys.exit(EX_TEMPFAIL)


@digest.command(cls=Command)
@json_option
@pass_given
def status(given: Given, as_json: bool) -> None:
    """Who waits for a digest, who had one in the last days, and what the next hop said.

    Exit status 1 when somebody should have had his an hour ago.
    """
    standings = _with_digests(given, lambda digests: digests.standings())
    if as_json:
        for one in standings:
            print_json(_facts(one))
    elif standings:
        head = ("RECIPIENT", "NEW", "NEXT", "LAST", "ANSWER")
        click.echo(table(head, map(_cells, standings), right=(1,)))
    if any(one.late for one in standings):
        sys.exit(LATE)


def _with_digests(given: Given, act: Callable[[Digests], Awaitable[T]]) -> T:
    config = as_owner(given.load())
    if not config.web.url:
        raise UserError("web.url is not set: the links of a digest would lead nowhere", EX_CONFIG)

    async def visit() -> T:
        store = app.open_store(config)
        relay = app.release_relay(config)
        try:
            return await act(app.make_digests(config, store, relay))
        finally:
            await relay.close()
            store.close()

    return run_async(visit())


def _facts(one: Standing) -> dict[str, object]:
    return {
        "to": one.address,
        "new": one.waiting,
        "late": one.late,
        "next": rfc3339(one.next_due) if one.next_due is not None else None,
        "last": rfc3339(one.last.time) if one.last else None,
        "state": one.last.state if one.last else None,
        "response": one.last.response if one.last else None,
    }


def _cells(one: Standing) -> tuple[str, ...]:
    following = "never" if one.wish.interval is Interval.NEVER else "-"
    if one.next_due is not None:
        following = "late" if one.late else datetime.fromtimestamp(one.next_due).strftime("%a %H:%M")
    last = one.last
    answer = (last.response or last.state) if last else ""
    return one.address, str(one.waiting), following, local_time(last.time) if last else "-", answer
