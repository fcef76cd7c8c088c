"""Puts the concrete parts together from the configuration; nothing else knows which parts there are.

What only the filter needs is imported where it is made: `lazaret find` is not to wait for it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lazaret.config.endpoint import NextHop
from lazaret.config.options import Config
from lazaret.config.words import Mode, RequireSecret
from lazaret.flow import needs
from lazaret.flow.expire import Expiry
from lazaret.flow.fields import Site
from lazaret.flow.lists import ListDesk
from lazaret.flow.policies import PolicyBook
from lazaret.flow.policy_desk import PolicyDesk
from lazaret.flow.quarantine import QuarantineDesk
from lazaret.flow.simulate import Simulator
from lazaret.model.delivery import Extensions
from lazaret.model.digest import Wish
from lazaret.model.errors import UserError
from lazaret.model.network import NetworkSet
from lazaret.model.verdict import Levels, Policy
from lazaret.net.hop_tls import hop_tls
from lazaret.net.relay import Relay
from lazaret.policy.lookup import Lookup
from lazaret.store.opening import Store
from lazaret.store.opening import open_store as open_database

if TYPE_CHECKING:
    from lazaret.checks import Check
    from lazaret.flow.ampdp import ReleaseRequests
    from lazaret.flow.ampdp_requests import AmpdpRequests
    from lazaret.flow.autolearn import Autolearn
    from lazaret.flow.digest import Digests
    from lazaret.flow.digest_letter import Stationery
    from lazaret.flow.filter import Filter, Handled
    from lazaret.flow.learn import Teaching
    from lazaret.flow.learner import Learner
    from lazaret.flow.links import Links
    from lazaret.flow.login import Doorkeeper
    from lazaret.flow.mail_login import MailLogin
    from lazaret.flow.unread import Unread
    from lazaret.learn.model_file import Writer
    from lazaret.mime.trust import Networks
    from lazaret.rules.ruleset import RuleSet
    from lazaret.wire.smtp_server import ServerSettings

LOOPBACK = ("127.0.0.0/8", "::1")
CACHE = "rules-cache"
BEYOND_LIMIT = 0.3
"""What a user's lesson counts beyond his daily limit."""


# For people


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
            known.append(make_teaching(config, store, rules, await store.lessons.secret()))
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
    return Simulator(store.past, config.policy.always_deliver)


def open_store(config: Config, *, create: bool = False) -> Store:
    """The database. UserError (66) when there is none and `create` is False."""
    return open_database(
        config.store.url,
        config.store.data_dir,
        create=create,
        password=config.store.password,
        min_free=config.store.min_free,
        host=site_of(config).hostname,
    )


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


def expiry(config: Config) -> Expiry:
    """How long things are kept."""
    return Expiry(config.quarantine.keep_days, config.quarantine.keep_killed_days, config.history.keep_days)


# For the filter


def preload() -> None:
    """Imports all that a worker needs. Before the fork: the pages are shared by all workers then, and
    an upgrade of the files on disk does not reach half of a running service."""
    import lazaret.checks.learn
    import lazaret.checks.rules
    import lazaret.flow.ampdp_requests
    import lazaret.flow.deliver
    import lazaret.flow.filter
    import lazaret.flow.learner
    import lazaret.flow.unread
    import lazaret.mime.selectors
    import lazaret.mime.text
    import lazaret.mime.urls  # noqa: F401 -- importing is all that is wanted


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker works with."""

    store: Store
    relay: Relay
    filter: Filter
    unread: Unread
    """For what the filter dies of."""
    ampdp: AmpdpRequests
    tls: ssl.SSLContext | None
    """For STARTTLS, when a certificate is configured."""
    _others: tuple[Relay, ...]

    async def close(self) -> None:
        """Ends connections, and writes what is still to be written."""
        await self.relay.close()
        for relay in self._others:
            await relay.close()
        self.store.close()


def open_parts(config: Config, ruleset: RuleSet, record: Callable[[Handled], None]) -> Parts:
    """All parts of a worker. StoreUnavailable or UserError when the database cannot be opened."""
    from lazaret.flow.abuse_report import AbuseReports
    from lazaret.flow.ampdp import ReleaseRequests

    store = open_store(config)
    relay = make_relay(config, config.relay.next_hop)
    releases = release_relay(config)
    desk = make_desk(config, store, releases, ruleset)
    requeue = make_relay(config, config.relay.requeue)
    release_requests = ReleaseRequests(
        desk,
        secret_needed=_secret_needed(config),
        requeue=make_desk(config, store, requeue, ruleset),
        reports=AbuseReports(store.quarantine, releases, site_of(config)),
    )
    road = make_filter(config, store, relay, ruleset, record)
    return Parts(
        store=store,
        relay=relay,
        filter=road,
        unread=make_unread(config, store, relay, record),
        ampdp=make_ampdp(config, store, relay, release_requests, road),
        tls=tls_context(config),
        _others=(releases, requeue),
    )


def make_filter(
    config: Config, store: Store, relay: Relay, ruleset: RuleSet, record: Callable[[Handled], None]
) -> Filter:
    """The road of a message."""
    from lazaret.checks import other_filters
    from lazaret.flow.deliver import Courier
    from lazaret.flow.filter import Filter, Rules

    site = site_of(config)
    observe = config.mode is Mode.OBSERVE
    return Filter(
        checks=[*checks(config, ruleset), *([other_filters] if observe else [])],
        policies=policy_book(config, store),
        courier=Courier(relay, store.journal, site, unchanged=observe),
        journal=store.journal,
        site=site,
        rules=Rules(
            observe=observe,
            scan_time_s=config.limits.scan_time_s,
            keep_killed=config.quarantine.keep_killed_days > 0,
            own_networks=own_networks(config),
            trusted=trusted_networks(config, ruleset),
            sites=ruleset.sites,
            on_unavailable={name: check.on_unavailable for name, check in config.checks.items()},
        ),
        record=record,
        autolearn=_autolearn(config, store, ruleset),
    )


def make_ampdp(
    config: Config, store: Store, relay: Relay, release_requests: ReleaseRequests, road: Filter
) -> AmpdpRequests:
    """What answers over AM.PDP."""
    from lazaret.flow.ampdp_requests import AmpdpRequests
    from lazaret.flow.content_check import LARGEST, ContentChecks, Limits
    from lazaret.flow.deliver import Courier

    def leading_to(hop: needs.Relay, seen: Callable[[Handled], None]) -> Filter:
        courier = Courier(hop, store.journal, site_of(config), unchanged=config.mode is Mode.OBSERVE)
        return road.handing_to(courier, seen)

    limits = Limits(config.ampdp.work_dir, config.limits.message_size or LARGEST)
    return AmpdpRequests(release_requests, ContentChecks(leading_to, relay, limits))


def make_unread(config: Config, store: Store, relay: Relay, record: Callable[[Handled], None]) -> Unread:
    """What takes the messages that the filter dies of."""
    from lazaret.flow.deliver import Courier
    from lazaret.flow.filter import is_originating
    from lazaret.flow.unread import Unread

    site, observe, own = site_of(config), config.mode is Mode.OBSERVE, own_networks(config)
    return Unread(
        courier=Courier(relay, store.journal, site, unchanged=observe),
        journal=store.journal,
        lookup=lookup_of(config, foreign=store.foreign),
        site=site,
        is_originating=lambda session: is_originating(session, own),
        record=record,
        observe=observe,
    )


def own_networks(config: Config) -> NetworkSet:
    """Whose mail is that of our own users."""
    return NetworkSet((*LOOPBACK, *map(str, config.local.networks)))


def _autolearn(config: Config, store: Store, ruleset: RuleSet) -> Autolearn | None:
    from lazaret.flow.autolearn import Autolearn
    from lazaret.learn.known import Shared

    if not (config.learn.enabled and config.learn.auto) or config.mode is Mode.OBSERVE:
        return None
    return Autolearn(store.lessons, Shared(config.store.data_dir), ruleset.sides)


def load_rules(config: Config, progress: Callable[[int, int], None] | None = None) -> RuleSet:
    """The rules that the configuration names, compiled; `progress(done, total)` while they compile."""
    from lazaret.rules.ruleset import load

    return load(
        config.rules.paths,
        shipped=config.rules.shipped,
        cache_dir=config.store.data_dir / CACHE,
        progress=progress,
    )


def stored_rules(config: Config) -> RuleSet | None:
    """The rules that the configuration names, when they are compiled already."""
    from lazaret.rules.ruleset import load_stored

    return load_stored(
        config.rules.paths, shipped=config.rules.shipped, cache_dir=config.store.data_dir / CACHE
    )


def store_rules(config: Config, progress: Callable[[int, int], None] | None = None) -> None:
    """Compiles them, for `stored_rules`. OSError when the data directory does not take the result."""
    from lazaret.rules.ruleset import store

    store(
        config.rules.paths,
        shipped=config.rules.shipped,
        cache_dir=config.store.data_dir / CACHE,
        progress=progress,
    )


def checks(config: Config, ruleset: RuleSet, *, learn: bool = True, explain: bool = False) -> list[Check]:
    """The rules, the learner, and what third parties have registered under `lazaret.checks`.

    `learn`: False leaves the learner out, whatever the configuration says. `explain`: it gives its words for
    ham too.
    """
    from importlib.metadata import entry_points

    from lazaret.checks.learn import LearnCheck
    from lazaret.checks.rules import RulesCheck
    from lazaret.learn.known import Shared

    found: list[Check] = [entry.load() for entry in entry_points(group="lazaret.checks")]
    if not (learn and config.learn.enabled):
        return [RulesCheck(ruleset), *found]
    learner = LearnCheck(Shared(config.store.data_dir), always_explains=explain)
    return [RulesCheck(ruleset, beside_learner=lambda: learner.is_ready), learner, *found]


# For the learner


def open_writer(config: Config, secret: bytes) -> Writer:
    """The model of this host, for its one writer. ModelBusy while another process has it."""
    from lazaret.flow.learner import open_writer as open_model

    return open_model(config.store.data_dir, secret)


def make_teaching(config: Config, store: Store, ruleset: RuleSet, secret: bytes) -> Teaching:
    """What serves those who teach; messages are read as the filter reads them."""
    from lazaret.flow.learn import Delivered, Teaching
    from lazaret.learn.features import Hasher
    from lazaret.learn.lesson import Reading
    from lazaret.model.lesson import Limit

    return Teaching(
        store.lessons,
        store.quarantine,
        Reading(Hasher(secret), trusted_networks(config, ruleset), ruleset.sites),
        Delivered(site_of(config).hostname, config.levels.subject_tag),
        Limit(config.learn.user_daily, BEYOND_LIMIT),
    )


def make_learner(store: Store, writer: Writer) -> Learner:
    """What makes the model out of the journal."""
    from lazaret.flow.learner import Learner

    return Learner(store.lessons, writer)


def trusted_networks(config: Config, ruleset: RuleSet) -> Networks:
    """What the rules trust: our networks; when none is named those of the rule files, else what
    SpamAssassin would infer."""
    from lazaret.mime.trust import Networks

    if not config.local.networks:
        return ruleset.networks
    headers = ruleset.networks.originating_ip_headers
    return Networks.from_text([str(n) for n in config.local.networks], originating_ip_headers=headers)


def server_settings(config: Config, offered: Extensions) -> ServerSettings:
    """What our EHLO offers: as far as the next hops go, and no larger message than allowed."""
    from lazaret.wire.dot import BareLf
    from lazaret.wire.smtp_server import ServerSettings

    sizes = [size for size in (config.limits.message_size, offered.size) if size]
    return ServerSettings(
        extensions=replace(offered, size=min(sizes, default=0)),
        starttls=config.listen.tls_certificate is not None,
        tls_required=config.listen.tls_required,
        xforward=True,
        max_recipients=config.limits.recipients,
        max_errors=config.limits.errors,
        bare_lf=BareLf(config.listen.bare_lf),
    )


def tls_context(config: Config) -> ssl.SSLContext | None:
    """What STARTTLS uses. UserError (78) when the certificate or key cannot be used."""
    certificate = config.listen.tls_certificate
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, config.listen.tls_key)
    except (OSError, ssl.SSLError) as e:
        raise UserError(f"listen.tls_certificate = {certificate}: {e}", 78) from e
    return context


# For both


def make_relay(config: Config, hops: Sequence[NextHop]) -> Relay:
    """The way to next hops."""
    tls = hop_tls(config.relay.tls, config.relay.tls_ca, hops)
    return Relay(hops, name=site_of(config).hostname, tls=tls)


def release_relay(config: Config) -> Relay:
    """The way of released mail."""
    return make_relay(config, config.relay.release or config.relay.next_hop)


def site_of(config: Config) -> Site:
    """Our name."""
    return Site(config.site.hostname or socket.gethostname())


def policy_of(config: Config, *, foreign: bool = False) -> Policy:
    """What holds for every recipient without a policy of his own.

    `foreign`: the database was made by another program, which may never have killed anything.
    """
    levels = config.levels
    kill = None if foreign and not config.is_set("levels.kill") else levels.kill
    return Policy(
        levels=Levels(levels.tag, levels.mark, levels.quarantine, kill),
        subject_tag=levels.subject_tag,
        kill_action=levels.kill_action,
        quarantine_reply=levels.quarantine_reply,
    )


def lookup_of(config: Config, *, foreign: bool = False) -> Lookup:
    """Which policy holds for whom, as far as the configuration says."""
    return Lookup(
        policy_of(config, foreign=foreign),
        local_domains=config.local.domains,
        always_deliver=config.policy.always_deliver,
    )


def policy_book(config: Config, store: Store) -> PolicyBook:
    """Which policy holds for whom, as the configuration and the database say."""
    as_amavis = store.foreign if not config.is_set("lists.require_auth") else not config.lists.require_auth
    return PolicyBook(
        lookup_of(config, foreign=store.foreign),
        store.policies,
        delimiter=config.local.recipient_delimiter,
        trust_others=as_amavis,
    )


def _secret_needed(config: Config) -> Callable[[bool], bool]:
    wish = config.ampdp.require_secret

    def needed(over_tcp: bool) -> bool:
        return wish is RequireSecret.ALWAYS or (wish is RequireSecret.TCP and over_tcp)

    return needed
