"""The parts of those who look after mail: quarantine, policies, lists, digests, and their limits of time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lazaret.app.for_learner import make_teaching
from lazaret.app.rules import load_rules
from lazaret.app.surroundings import lookup_of, open_store, policy_book, release_relay, site_of
from lazaret.config.options import Config
from lazaret.flow.expire import Expiry
from lazaret.flow.lists import ListDesk
from lazaret.flow.policy_desk import PolicyDesk
from lazaret.flow.quarantine import QuarantineDesk
from lazaret.flow.simulate import Simulator
from lazaret.model.digest import Wish
from lazaret.model.keeping import Keeping
from lazaret.net.relay import Relay
from lazaret.store.opening import Store

if TYPE_CHECKING:
    from lazaret.flow.digest import Digests
    from lazaret.flow.digest_letter import Stationery
    from lazaret.flow.learn import Teaching
    from lazaret.flow.links import Links
    from lazaret.flow.login import Doorkeeper
    from lazaret.flow.mail_login import MailLogin
    from lazaret.flow.passkeys import Passkeys
    from lazaret.flow.sealing import Seal
    from lazaret.flow.sign_on import SignOn
    from lazaret.rules.ruleset import RuleSet


@asynccontextmanager
async def open_desk(config: Config) -> AsyncIterator[QuarantineDesk]:
    """The quarantine for one command. UserError (66) when there is no database."""
    store = open_store(config)
    relay = release_relay(config)
    try:
        yield make_desk(config, store, relay)
    finally:
        await relay.close()
        store.close()


def make_desk(config: Config, store: Store, relay: Relay, ruleset: RuleSet | None = None) -> QuarantineDesk:
    """What serves people. Without a `ruleset` the rules are loaded when somebody teaches."""
    known: list[Teaching] = []

    async def teaching() -> Teaching:
        if not known:
            rules = ruleset or load_rules(config)
            known.append(await make_teaching(config, store, rules))
        return known[0]

    return QuarantineDesk(
        quarantine=store.quarantine,
        relay=relay,
        site=site_of(config),
        is_local=lookup_of(config).is_local,
        teaching=teaching,
    )


def make_policy_desk(config: Config, store: Store) -> PolicyDesk:
    """What serves people who set policies."""
    return PolicyDesk(store.policy_tables, policy_book(config, store), store.quarantine.audit, config.where)


def make_list_desk(config: Config, store: Store) -> ListDesk:
    """What serves people who allow and block senders."""
    return ListDesk(store.sender_lists, lookup_of(config, foreign=store.foreign), store.quarantine.audit)


def make_simulator(config: Config, store: Store) -> Simulator:
    """What answers "what if the levels had been others?"."""
    return Simulator(store.past, policy_book(config, store), config.policy.always_deliver)


def make_digests(config: Config, store: Store, relay: Relay) -> Digests:
    """What tells recipients of their quarantine. UserError (74) when the key of links cannot be had."""
    from lazaret.flow.digest import Custom, Digests

    wanted = config.digest
    return Digests(
        store=store.digests,
        relay=relay,
        stationery=stationery(config),
        custom=Custom(
            wish=Wish(wanted.interval, wanted.hours, wanted.time_zone, wanted.language, wanted.categories),
            max_days=wanted.max_days,
            discarded=wanted.discarded,
        ),
        is_local=is_ours(config),
    )


def make_mail_login(config: Config, store: Store, relay: Relay, doorkeeper: Doorkeeper) -> MailLogin:
    """What sends links to sign in by."""
    from lazaret.flow.mail_login import MailLogin

    return MailLogin(
        links=store.mail_logins,
        register=store.people,
        doorkeeper=doorkeeper,
        digests=store.digests,
        relay=relay,
        stationery=stationery(config),
        is_local=is_ours(config),
    )


def make_sign_on(config: Config, store: Store, doorkeeper: Doorkeeper) -> SignOn | None:
    """What lets in by an OpenID provider; None where there is none. UserError (74)."""
    if not config.oidc.issuer:
        return None
    import base64

    from lazaret.flow.sign_on import SignOn
    from lazaret.flow.site_key import site_key
    from lazaret.net.openid import Provider
    from lazaret.net.openid_tokens import Client

    wanted = config.oidc
    client = Client(
        issuer=wanted.issuer,
        client_id=wanted.client_id,
        secret=wanted.client_secret,
        redirect_uri=config.web.url + "/login/oidc/return",
        algorithms=tuple(map(str, wanted.algorithms)),
        role_claim=wanted.role_claim,
        ca=wanted.tls_ca,
    )
    return SignOn(
        provider=Provider(client),
        identities=store.identities,
        register=store.people,
        doorkeeper=doorkeeper,
        key=base64.urlsafe_b64encode(site_key(config.store.data_dir, "oidc.key")),
        create_for=wanted.create_for,
        sign_ons=store.sign_ons,
        roles=wanted.roles,
    )


def make_passkeys(config: Config, store: Store, doorkeeper: Doorkeeper) -> Passkeys:
    """What lets in by passkeys. UserError (74)."""
    import base64

    from lazaret.flow.passkeys import Passkeys
    from lazaret.flow.site_key import site_key

    key = base64.urlsafe_b64encode(site_key(config.store.data_dir, "passkey.key"))
    return Passkeys(store.passkeys, store.people, doorkeeper, key)


def stationery(config: Config) -> Stationery:
    """What is the same in all mails to our people. UserError (74)."""
    from lazaret.flow.digest_letter import Stationery

    return Stationery(site_of(config), make_links(config), config.digest.link_days, config.digest.sender)


def is_ours(config: Config) -> Callable[[str], bool]:
    """Whether we may write to an address. Without local.domains everybody is local: good enough for marking
    mail, and not for writing to people."""
    lookup = lookup_of(config)
    return lambda address: bool(config.local.domains) and lookup.is_local(address)


async def late_digests(config: Config, store: Store) -> list[str]:
    """Whose digest should have been sent an hour ago; nobody's where none are sent."""
    if not config.digest.enabled:
        return []
    relay = release_relay(config)
    try:
        return [standing.address for standing in await make_digests(config, store, relay).late()]
    finally:
        await relay.close()


def make_links(config: Config) -> Links:
    """What makes and reads the links of mails. UserError (74)."""
    from lazaret.flow.links import Links, link_key

    return Links(link_key(config.store.data_dir), config.web.url)


def make_seal(config: Config) -> Seal:
    """What closes the secrets of people before they go into the database. UserError (74)."""
    from lazaret.flow.sealing import Seal
    from lazaret.flow.site_key import site_key

    return Seal(site_key(config.store.data_dir, "factor.key"))


def expiry(config: Config) -> Expiry:
    """How long things are kept."""
    kept = config.quarantine
    keeping = Keeping(kept.keep_days, kept.keep_killed_days, config.history.keep_days, kept.keep)
    return Expiry(keeping, config.learn.keep_days)
