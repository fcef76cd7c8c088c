"""`lazaret policy list | set | unset | explain`: who gets which levels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from lazaret.cli.context import Command, Given, Group, as_owner, json_option, pass_given, run_async, who
from lazaret.cli.desk import local_time
from lazaret.cli.output import plain, print_json, table
from lazaret.policy.keys import in_words
from lazaret.policy.settings import SETTINGS, meanings

if TYPE_CHECKING:
    from lazaret.flow.policy_desk import Explanation, PolicyDesk
    from lazaret.model.policies import NamedPolicy, PolicyRow

T = TypeVar("T")
PAGE = 500
SHOWN = ("mark", "quarantine", "kill")


@click.group(cls=Group)
def policy() -> None:
    """Who gets which levels: for an address, a domain, or everybody.

    The tables are amavis' own (users, policy). ADDR is an address, `example.org` for a domain,
    `.example.org` for all below it as well, or `everybody`. Of each setting the most specific counts,
    then the configuration. A change counts within a second.
    """


@policy.command(name="list", cls=Command)
@click.option("--named", is_flag=True, help="The policies by themselves, with the number of their users.")
@json_option
@pass_given
def list_(given: Given, named: bool, as_json: bool) -> None:
    """Show who has a policy, and what it sets."""

    async def show(desk: PolicyDesk) -> None:
        if named:
            _print_named(await desk.named(), as_json)
        else:
            _print_rows([row async for page in _pages(desk) for row in page], as_json)

    at_policy_desk(given, show)


@policy.command(name="set", cls=Command)
@click.argument("whom", metavar="[ADDR]", required=False)
@click.argument("settings", metavar="NAME=VALUE…", nargs=-1)
@click.option("--name", metavar="POLICY", help="Set it for all who have the policy of this name.")
@pass_given
def set_(given: Given, whom: str | None, settings: Sequence[str], name: str | None) -> None:
    """Set levels and exceptions for an address, a domain or everybody.

    Names: mark, quarantine, kill, tag, subject_tag, size_limit, keep_spam, spam_lover, bypass_spam_checks,
    local, policy (the name of one that others have too), and more: a wrong name lists them all.
    A policy that is shared with others is copied before it is changed.

    \b
    Examples:
      lazaret policy set ann@example.org quarantine=6.5 subject_tag="[Spam?] "
      lazaret policy set .example.org spam_lover=yes
      lazaret policy set --name strict mark=2 quarantine=4
      lazaret policy set bob@example.org policy=strict
    """
    if name is not None:
        settings = [whom, *settings] if whom else settings
    elif whom is None:
        raise click.UsageError("write whom it is for: an address, a domain, or everybody")
    wanted = _settings(settings)

    async def put(desk: PolicyDesk) -> list[str]:
        if name is not None:
            return await desk.set_named(name, wanted, who=who())
        row, notes = await desk.set(whom or "", wanted, who=who())
        _print_rows([row], as_json=False)
        return notes

    for note in at_policy_desk(given, put):
        click.echo(f"note: {note}", err=True)


@policy.command(cls=Command)
@click.argument("whom", metavar="ADDR")
@click.argument("names", metavar="[NAME…]", nargs=-1)
@pass_given
def unset(given: Given, whom: str, names: Sequence[str]) -> None:
    """Take settings back, or without a name the whole policy; lists of senders stay.

    Exit status 66: there is no such policy.
    """

    async def take_back(desk: PolicyDesk) -> None:
        await desk.unset(whom, names, who=who())

    at_policy_desk(given, take_back)


@policy.command(cls=Command)
@click.argument("address", metavar="ADDR")
@click.option("--from", "sender", metavar="ADDR", default="", help="Also what the lists say of this sender.")
@json_option
@pass_given
def explain(given: Given, address: str, sender: str, as_json: bool) -> None:
    """Show what holds for an address, and who set it."""

    async def ask(desk: PolicyDesk) -> None:
        print_explanation(await desk.explain(address, sender=sender), as_json=as_json)

    at_policy_desk(given, ask)


def at_policy_desk(given: Given, act: Callable[[PolicyDesk], Awaitable[T]]) -> T:
    """Opens the database, does it, closes."""
    from lazaret import app

    config = as_owner(given.load())

    async def visit() -> T:
        store = app.open_store(config)
        try:
            return await act(app.make_policy_desk(config, store))
        finally:
            store.close()

    return run_async(visit())


def print_explanation(found: Explanation, *, as_json: bool) -> None:
    """What holds, where it was set, and where it was looked for."""
    if as_json:
        for line in found.lines:
            print_json({"key": line.key, "value": line.value, "where": line.origin})
        return
    rows = [(line.key, line.value, line.origin) for line in found.lines]
    click.echo(table(("FOR THIS RECIPIENT", "VALUE", "SET IN"), rows))
    keys = [(key or "<>", "" if row is None else row.origin) for key, row in found.looked_up]
    if any(origin for _, origin in keys):
        click.echo()
        click.echo(table(("LOOKED UP AS", "FOUND"), keys))
    for line in found.ignored:
        click.echo(f"Not done by Lazaret: {line.key} = {plain(line.value)}, {line.origin}.")
    if found.standing is not None:
        click.echo(f"The lists: {plain(found.standing.reason) or 'nothing of this sender'}.")
    if found.changes:
        click.echo()
        acts = [
            (local_time(one.time), plain(one.who), f"{one.act} {plain(one.detail)}") for one in found.changes
        ]
        click.echo(table(("CHANGED LAST", "BY", "WHAT"), acts))


async def _pages(desk: PolicyDesk) -> AsyncIterator[list[PolicyRow]]:
    after = ""
    while page := await desk.page(limit=PAGE, after=after):
        yield page
        after = page[-1].key


def _settings(written: Iterable[str]) -> dict[str, str]:
    found = {}
    for text in written:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f'"{text}" sets nothing; write NAME=VALUE, as in quarantine=6')
        found[name.strip()] = value
    if not found:
        raise click.UsageError("nothing is set; write NAME=VALUE, as in quarantine=6")
    return found


def _print_rows(rows: Sequence[PolicyRow], as_json: bool) -> None:
    if as_json:
        for row in rows:
            print_json(
                {
                    "for": in_words(row.key),
                    "key": row.key,
                    "priority": row.priority,
                    "policy": row.name,
                    "local": row.local,
                    **meanings(row.values),
                }
            )
        return
    lines = [
        (in_words(row.key), row.name, *_levels(row.values), _others(row.values, row.local)) for row in rows
    ]
    click.echo(table(("FOR", "POLICY", *map(str.upper, SHOWN), "OTHERS"), lines, right=(2, 3, 4)))


def _print_named(policies: Sequence[NamedPolicy], as_json: bool) -> None:
    if as_json:
        for one in policies:
            print_json({"policy": one.name, "id": one.id, "users": one.users, **meanings(one.values)})
        return
    lines = [(one.name, str(one.users), *_levels(one.values), _others(one.values, None)) for one in policies]
    click.echo(table(("POLICY", "USERS", *map(str.upper, SHOWN), "OTHERS"), lines, right=(1, 2, 3, 4)))


def _levels(values: Mapping[str, object]) -> list[str]:
    found = meanings(values)
    return [str(found.get(name, "-")) for name in SHOWN]


def _others(values: Mapping[str, object], local: bool | None) -> str:
    found = {n: v for n, v in meanings(values).items() if n not in SHOWN}
    words = [f"{name}={SETTINGS[name].show(value)}" for name, value in found.items()]
    if local is not None:
        words.append(f"local={'yes' if local else 'no'}")
    return " ".join(words)
