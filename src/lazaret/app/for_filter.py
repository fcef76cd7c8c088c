"""The parts of a worker: the road of a message, and what answers beside it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lazaret.app.certificates import starttls_context
from lazaret.app.for_people import make_desk
from lazaret.app.rules import trusted_networks
from lazaret.app.surroundings import (
    lookup_of,
    make_relay,
    open_store,
    own_networks,
    policy_book,
    release_relay,
    site_of,
)
from lazaret.config.options import Config
from lazaret.config.words import Mode, RequireSecret
from lazaret.flow import needs
from lazaret.model.delivery import Extensions
from lazaret.net.relay import Relay
from lazaret.store.opening import Store

if TYPE_CHECKING:
    from lazaret.checks import Check
    from lazaret.flow.ampdp import ReleaseRequests
    from lazaret.flow.ampdp_requests import AmpdpRequests
    from lazaret.flow.autolearn import Autolearn
    from lazaret.flow.filter import Filter, Handled, Rules
    from lazaret.flow.policies import PolicyBook
    from lazaret.flow.spamd import SpamdRequests
    from lazaret.flow.unread import Unread
    from lazaret.rules.ruleset import RuleSet
    from lazaret.wire.smtp_server import ServerSettings


_MODEL_EVERY_S = 0.2
"""A model that was made anew takes seconds to make; nobody waits for it."""


def preload() -> None:
    """Imports all that a worker needs. Before the fork: the pages are shared by all workers then, and
    an upgrade of the files on disk does not reach half of a running service."""
    import lazaret.checks.learn
    import lazaret.checks.rules
    import lazaret.flow.ampdp_requests
    import lazaret.flow.deliver
    import lazaret.flow.filter
    import lazaret.flow.learner
    import lazaret.flow.spamd
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
    spamd: SpamdRequests
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
    examining = checks(config, ruleset)
    policies = policy_book(config, store)
    road = make_filter(config, store, relay, ruleset, examining, policies, record)
    unread = make_unread(config, store, relay, record)
    return Parts(
        store=store,
        relay=relay,
        filter=road,
        unread=unread,
        ampdp=make_ampdp(config, store, relay, release_requests, road, unread),
        spamd=make_spamd(config, ruleset, examining, policies),
        tls=starttls_context(config),
        _others=(releases, requeue),
    )


def make_filter(
    config: Config,
    store: Store,
    relay: Relay,
    ruleset: RuleSet,
    examining: Sequence[Check],
    policies: PolicyBook,
    record: Callable[[Handled], None],
) -> Filter:
    """The road of a message."""
    from lazaret.checks import other_filters
    from lazaret.flow.deliver import Courier
    from lazaret.flow.filter import Filter

    site = site_of(config)
    observe = config.mode is Mode.OBSERVE
    return Filter(
        checks=[*examining, *([other_filters] if observe else [])],
        policies=policies,
        courier=Courier(relay, store.journal, site, unchanged=observe),
        journal=store.journal,
        site=site,
        rules=_rules(config, ruleset),
        record=record,
        autolearn=_autolearn(config, store, ruleset),
    )


def _rules(config: Config, ruleset: RuleSet) -> Rules:
    from lazaret.flow.filter import Rules

    return Rules(
        observe=config.mode is Mode.OBSERVE,
        scan_time_s=config.limits.scan_time_s,
        keep_killed=config.quarantine.keep_killed_days > 0,
        own_networks=own_networks(config),
        trusted=trusted_networks(config, ruleset),
        sites=ruleset.sites,
        on_unavailable={name: check.on_unavailable for name, check in config.checks.items()},
    )


def make_spamd(
    config: Config, ruleset: RuleSet, examining: Sequence[Check], policies: PolicyBook
) -> SpamdRequests:
    """What answers over spamd's protocol."""
    from lazaret.flow.spamd import SpamdRequests

    return SpamdRequests(examining, policies, _rules(config, ruleset), ruleset.book, site_of(config).hostname)


def make_ampdp(
    config: Config,
    store: Store,
    relay: Relay,
    release_requests: ReleaseRequests,
    road: Filter,
    unread: Unread,
) -> AmpdpRequests:
    """What answers over AM.PDP."""
    from lazaret.flow.ampdp_requests import AmpdpRequests
    from lazaret.flow.content_check import LARGEST, ContentChecks, Limits
    from lazaret.flow.deliver import Courier

    def leading_to(hop: needs.Relay, seen: Callable[[Handled], None]) -> Filter:
        courier = Courier(hop, store.journal, site_of(config), unchanged=config.mode is Mode.OBSERVE)
        return road.handing_to(courier, seen)

    limits = Limits(config.ampdp.work_dir, config.limits.message_size or LARGEST)
    keep_unread = None if config.mode is Mode.OBSERVE else unread.take
    return AmpdpRequests(release_requests, ContentChecks(leading_to, relay, limits, keep_unread))


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


def _autolearn(config: Config, store: Store, ruleset: RuleSet) -> Autolearn | None:
    from lazaret.flow.autolearn import Autolearn
    from lazaret.learn.known import Shared

    if not (config.learn.enabled and config.learn.auto) or config.mode is Mode.OBSERVE:
        return None
    return Autolearn(store.lessons, Shared(config.store.data_dir), ruleset.sides)


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
    known = Shared(config.store.data_dir, every_s=_MODEL_EVERY_S)
    learner = LearnCheck(known, always_explains=explain)
    return [RulesCheck(ruleset, beside_learner=lambda: learner.is_ready), learner, *found]


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


def _secret_needed(config: Config) -> Callable[[bool], bool]:
    wish = config.ampdp.require_secret

    def needed(over_tcp: bool) -> bool:
        return wish is RequireSecret.ALWAYS or (wish is RequireSecret.TCP and over_tcp)

    return needed
