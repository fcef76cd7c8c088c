"""`lazaret allow` and `lazaret block`: add, remove, list."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import click

from lazaret.cli.context import SPAN, Command, Given, Group, as_owner, json_option, pass_given, run_async, who
from lazaret.cli.output import plain, print_json, table
from lazaret.policy.keys import in_words

if TYPE_CHECKING:
    from lazaret.flow.lists import ListDesk
    from lazaret.model.policies import ListEntry

T = TypeVar("T")
PAGE = 500
EX_NOINPUT = 66


@click.group(cls=Group)
def allow() -> None:
    """Senders whose mail is wanted, for everybody or for some.

    SENDER is an address, `example.org` for a domain, `.example.org` for all below it as well.
    An entry counts in full when the sender is authenticated (DKIM, DMARC, SPF) or his mail comes from a
    network that the entry names; otherwise it takes off at most 3 points, because anybody can write
    a sender into a message. It never covers viruses or banned attachments.
    """


@click.group(cls=Group)
def block() -> None:
    """Senders whose mail is not wanted, by everybody or by some.

    SENDER is an address, `example.org` for a domain, `.example.org` for all below it as well.
    Mail of a blocked sender is treated as if its score had reached every level.
    """


_senders = click.argument("senders", metavar="SENDER…", nargs=-1, required=True)
_for = click.option(
    "--for",
    "owners",
    metavar="ADDR",
    multiple=True,
    help="For this address or domain (repeatable). Default: all.",
)
_points = click.option("--points", type=float, metavar="N", help="Only so many points, instead of deciding.")
_expires = click.option("--expires", type=SPAN, metavar="SPAN", help="For how long: 12h, 30d, 26w.")
_note = click.option("--note", default="", metavar="TEXT", help="Why, for whoever reads the list.")


@allow.command(name="add", cls=Command)
@_senders
@_for
@click.option(
    "--network", "networks", metavar="CIDR", multiple=True, help="His mail comes from here (repeatable)."
)
@_points
@_expires
@_note
@json_option
@pass_given
def add_allowed(
    given: Given,
    senders: Sequence[str],
    owners: Sequence[str],
    networks: Sequence[str],
    points: float | None,
    expires: float | None,
    note: str,
    as_json: bool,
) -> None:
    """Allow senders; what is on the list of them already is written over.

    \b
    Examples:
      lazaret allow add friend@example.net --for ann@example.org --note "her brother"
      lazaret allow add .partner.example --network 192.0.2.0/24 --expires 26w
      lazaret allow add news.example --points 2
    """
    _add(given, senders, owners, points, expires, note, as_json, allow=True, networks=networks)


@block.command(name="add", cls=Command)
@_senders
@_for
@_points
@_expires
@_note
@json_option
@pass_given
def add_blocked(
    given: Given,
    senders: Sequence[str],
    owners: Sequence[str],
    points: float | None,
    expires: float | None,
    note: str,
    as_json: bool,
) -> None:
    """Block senders; what is on the list of them already is written over."""
    _add(given, senders, owners, points, expires, note, as_json, allow=False, networks=())


@allow.command(name="remove", cls=Command)
@_senders
@_for
@pass_given
def remove_allowed(given: Given, senders: Sequence[str], owners: Sequence[str]) -> None:
    """Take senders off the list. Exit status 66: one of them was not on it."""
    _remove(given, senders, owners, allow=True)


@block.command(name="remove", cls=Command)
@_senders
@_for
@pass_given
def remove_blocked(given: Given, senders: Sequence[str], owners: Sequence[str]) -> None:
    """Take senders off the list. Exit status 66: one of them was not on it."""
    _remove(given, senders, owners, allow=False)


_owner = click.option(
    "--for", "owner", metavar="ADDR", default="", help="Only the list of this address or domain."
)
_containing = click.argument("containing", metavar="[TEXT]", default="")


@allow.command(name="list", cls=Command)
@_containing
@_owner
@json_option
@pass_given
def list_allowed(given: Given, containing: str, owner: str, as_json: bool) -> None:
    """Show who is allowed, those whose address contains TEXT."""
    _list(given, containing, owner, as_json, allow=True)


@block.command(name="list", cls=Command)
@_containing
@_owner
@json_option
@pass_given
def list_blocked(given: Given, containing: str, owner: str, as_json: bool) -> None:
    """Show who is blocked, those whose address contains TEXT."""
    _list(given, containing, owner, as_json, allow=False)


def _add(
    given: Given,
    senders: Sequence[str],
    owners: Sequence[str],
    points: float | None,
    expires: float | None,
    note: str,
    as_json: bool,
    *,
    allow: bool,
    networks: Sequence[str],
) -> None:
    async def add(desk: ListDesk) -> list[ListEntry]:
        return await desk.add(
            senders,
            allow=allow,
            who=who(),
            owners=owners or ("everybody",),
            points=points,
            networks=networks,
            expires=0.0 if expires is None else time.time() + expires,
            note=note,
        )

    print_entries(at_list_desk(given, add), as_json=as_json)


def print_entries(written: Sequence[ListEntry], *, as_json: bool) -> None:
    """What was written, and what it does."""
    from lazaret.flow.lists import effect

    for entry in written:
        if as_json:
            print_json(_facts(entry))
            continue
        until = f" until {_day(entry.expires)}" if entry.expires else ""
        click.echo(f"{in_words(entry.key)} for {in_words(entry.owner)}{until}: {effect(entry)}")


def _remove(given: Given, senders: Sequence[str], owners: Sequence[str], *, allow: bool) -> None:
    async def remove(desk: ListDesk) -> list[str]:
        missing: list[str] = []
        for owner in owners or ("everybody",):
            gone = await desk.remove(senders, allow=allow, who=who(), owner=owner)
            missing += (f"{sender} for {owner}" for sender in gone)
        return missing

    missing = at_list_desk(given, remove)
    for one in missing:
        click.echo(f"lazaret: {one} is not on the list", err=True)
    if missing:
        sys.exit(EX_NOINPUT)


def _list(given: Given, containing: str, owner: str, as_json: bool, *, allow: bool) -> None:
    async def read(desk: ListDesk) -> list[ListEntry]:
        from lazaret.flow.lists import cursor

        found: list[ListEntry] = []
        after = ""
        while page := await desk.page(
            allow=allow, owner=owner, containing=containing, limit=PAGE, after=after
        ):
            found += page
            after = cursor(page[-1])
        return found

    entries = at_list_desk(given, read)
    if as_json:
        for entry in entries:
            print_json(_facts(entry))
        return
    rows = [
        (
            in_words(entry.key),
            in_words(entry.owner),
            _points_of(entry),
            " ".join(entry.networks) or "-",
            _day(entry.expires) if entry.expires else "never",
            entry.who if entry.ours else "another program",
            plain(entry.note),
        )
        for entry in entries
    ]
    click.echo(table(("SENDER", "FOR", "POINTS", "FROM", "EXPIRES", "BY", "NOTE"), rows, right=(2,)))


def _points_of(entry: ListEntry) -> str:
    return "-" if entry.points is None else entry.word


def _facts(entry: ListEntry) -> dict[str, object]:
    from lazaret.flow.explain import rfc3339
    from lazaret.flow.lists import effect

    return {
        "sender": in_words(entry.key),
        "for": in_words(entry.owner),
        "wb": entry.wb.strip(),
        "effect": effect(entry),
        "networks": list(entry.networks),
        "expires": rfc3339(entry.expires) if entry.expires else None,
        "since": rfc3339(entry.since) if entry.since else None,
        "by": entry.who,
        "note": entry.note,
    }


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d")


def at_list_desk(given: Given, act: Callable[[ListDesk], Awaitable[T]]) -> T:
    """Opens the database, does it, closes."""
    from lazaret import app

    config = as_owner(given.load())

    async def visit() -> T:
        store = app.open_store(config)
        try:
            return await act(app.make_list_desk(config, store))
        finally:
            store.close()

    return run_async(visit())
