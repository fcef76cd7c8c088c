"""`lazaret user`: who may come to the page, and a first link for them."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import click

from lazaret.cli.context import Given, Group, as_owner, json_option, pass_given, run_async, who
from lazaret.cli.output import print_json, table
from lazaret.model import address
from lazaret.model.errors import UserError
from lazaret.model.person import Person, Role

if TYPE_CHECKING:
    from lazaret.config.options import Config
    from lazaret.store.opening import Store

T = TypeVar("T")

EX_DATAERR, EX_NOUSER, EX_NOPERM = 65, 67, 77


@click.group(cls=Group)
def user() -> None:
    """Let people come to the web page, and see only their own mail there."""


@user.command()
@click.argument("name")
@click.option("--admin", "role", flag_value=Role.ADMIN.value, help="Sees and does everything.")
@click.option(
    "--auditor", "role", flag_value=Role.AUDITOR.value, help="Sees figures and who did what; no text."
)
@click.option(
    "--domain", "domains", multiple=True, metavar="DOMAIN", help="Is admin of this domain (repeatable)."
)
@click.option(
    "--address", "addresses", multiple=True, metavar="ADDR", help="Sees the mail for it (repeatable)."
)
@click.option("--language", default="", metavar="CODE", help="en or de; else what the browser asks for.")
@pass_given
def add(
    given: Given,
    name: str,
    role: str | None,
    domains: tuple[str, ...],
    addresses: tuple[str, ...],
    language: str,
) -> None:
    """Make somebody known, and print a link with which he chooses a password.

    A NAME that is a mail address sees the mail for that address. The link holds for 15 minutes and once;
    it is printed to a terminal only.
    """
    if role and domains:
        raise click.UsageError("--domain makes a domain admin; with --admin or --auditor it means nothing")
    chosen = Role(role) if role else Role.DOMAIN_ADMIN if domains else Role.USER
    name = name.strip().lower()
    own = list(addresses)
    if chosen is Role.USER and address.is_valid(name) and name not in own:
        own.insert(0, name)
    if chosen is Role.USER and not own:
        raise UserError(f"{name} is no mail address; say with --address whose mail he sees", EX_DATAERR)
    for one in own:
        if not address.is_valid(one):
            raise UserError(f"{one!r} is not a mail address", EX_DATAERR)
    person = Person(
        id=0,
        name=name,
        role=chosen,
        addresses=tuple(map(address.normalise, own)),
        domains=tuple(map(address.to_ascii, domains)),
        language=language,
    )
    _need_terminal()

    async def act(config: Config, store: Store) -> str:
        added = await store.people.add(person, who=who())
        return await _link(config, store, added)

    click.echo(_in_store(given, act))


@user.command()
@click.argument("name")
@pass_given
def link(given: Given, name: str) -> None:
    """Print a new link for choosing a password; the old password holds until it is used."""
    _need_terminal()

    async def act(config: Config, store: Store) -> str:
        return await _link(config, store, await _known(store, name))

    click.echo(_in_store(given, act))


@user.command()
@click.argument("name")
@click.option("--label", default="command line", metavar="TEXT", help="What it is for.")
@click.option(
    "--scope", "scopes", multiple=True, metavar="SCOPE", help="read, bodies, act, figures, admin, account."
)
@click.option("--days", type=click.IntRange(min=0), default=0, metavar="N", help="It lapses then; 0: never.")
@pass_given
def token(given: Given, name: str, label: str, scopes: tuple[str, ...], days: int) -> None:
    """Make a token with which a program uses the API in this person's name; it is printed once."""

    async def act(config: Config, store: Store) -> str:
        from lazaret.flow.tokens import Tokens

        person = await _known(store, name)
        return await Tokens(store.tokens).make(person, label, scopes or ("read",), days=days)

    click.echo(_in_store(given, act))


@user.command(name="list")
@json_option
@pass_given
def list_(given: Given, as_json: bool) -> None:
    """Who may come."""

    async def act(config: Config, store: Store) -> list[Person]:
        return await store.people.all()

    people = _in_store(given, act)
    if as_json:
        for person in people:
            print_json(
                {
                    "name": person.name,
                    "role": str(person.role),
                    "addresses": list(person.addresses),
                    "domains": list(person.domains),
                    "disabled": person.disabled,
                    "has_password": person.has_password,
                    "second_factor": person.second_factor,
                }
            )
        return
    rows = [
        (p.name, str(p.role), " ".join((*p.addresses, *p.domains)), "closed" if p.disabled else "")
        for p in people
    ]
    click.echo(table(("NAME", "ROLE", "MAIL FOR", ""), rows))


@user.command()
@click.argument("name")
@click.option("--open", "opened", is_flag=True, help="Let him in again.")
@pass_given
def close(given: Given, name: str, opened: bool) -> None:
    """Keep somebody out; his sessions end at once."""

    async def act(config: Config, store: Store) -> None:
        await store.people.change(replace(await _known(store, name), disabled=not opened), who=who())

    _in_store(given, act)


@user.command(name="reset-totp")
@click.argument("name")
@pass_given
def reset_totp(given: Given, name: str) -> None:
    """Take the second factor of somebody away who has lost it; his sessions end at once.

    He comes in by his password alone, and sets it up anew.
    """

    async def act(config: Config, store: Store) -> None:
        person = await _known(store, name)
        if not await store.second_factors.remove(person, who=who(), end_sessions=True):
            raise UserError(f"{person.name} has no second factor", EX_NOUSER)

    _in_store(given, act)


@user.command(name="remove-passkeys")
@click.argument("name")
@pass_given
def remove_passkeys(given: Given, name: str) -> None:
    """Take the passkeys of somebody away who has lost them; his sessions end at once.

    He comes in by his password, and by what else he has.
    """

    async def act(config: Config, store: Store) -> None:
        person = await _known(store, name)
        if not await store.passkeys.remove_all(person, who=who()):
            raise UserError(f"{person.name} has no passkey", EX_NOUSER)

    _in_store(given, act)


@user.command(name="remove-identity")
@click.argument("name")
@pass_given
def remove_identity(given: Given, name: str) -> None:
    """Forget as whom an OpenID provider knows somebody; his sessions end at once.

    The next time his address counts again.
    """

    async def act(config: Config, store: Store) -> None:
        person = await _known(store, name)
        if not await store.identities.remove(person, who=who()):
            raise UserError(f"{person.name} is known to no provider", EX_NOUSER)

    _in_store(given, act)


@user.command()
@click.argument("name")
@pass_given
def remove(given: Given, name: str) -> None:
    """Forget somebody; what he did stays on record."""

    async def act(config: Config, store: Store) -> None:
        await store.people.remove(await _known(store, name), who=who())

    _in_store(given, act)


def _need_terminal() -> None:
    """Whoever has the link has the account: it must not end up in a file or a mail by mistake."""
    if not sys.stdout.isatty():
        raise UserError("the link is printed to a terminal only; run this in one", EX_NOPERM)


async def _known(store: Store, name: str) -> Person:
    found = await store.people.named(name.strip().lower())
    if found is None:
        raise UserError(f"there is no user {name}", EX_NOUSER)
    return found


async def _link(config: Config, store: Store, person: Person) -> str:
    from lazaret.flow.login import Doorkeeper

    token = await Doorkeeper(store.people, store.second_factors).invite(person, who=who())
    return f"{_address_of_page(config)}/login?invite={token}"


def _address_of_page(config: Config) -> str:
    web, http = config.web, config.listen.http
    host = web.hosts[0] if web.hosts else "localhost"
    secure = web.tls_certificate is not None or bool(web.proxies)
    port = f":{http.port}" if http and http.port and not web.proxies else ""
    return f"{'https' if secure else 'http'}://{host}{port}{web.prefix}"


def _in_store(given: Given, act: Callable[[Config, Store], Awaitable[T]]) -> T:
    from lazaret import app  # all the parts, which `--help` need not load

    config = as_owner(given.load())

    async def run() -> T:
        store = app.open_store(config)
        try:
            return await act(config, store)
        finally:
            store.close()

    return run_async(run())
