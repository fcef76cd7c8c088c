"""What every part stands on: our name, the database, the next hops, the policies."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from lazaret.config.endpoint import NextHop
from lazaret.config.options import Config
from lazaret.flow.fields import Site
from lazaret.flow.policies import PolicyBook
from lazaret.model.network import NetworkSet
from lazaret.model.verdict import Levels, Policy
from lazaret.net.hop_tls import hop_tls
from lazaret.net.relay import Relay
from lazaret.policy.lookup import Lookup
from lazaret.store.opening import Store
from lazaret.store.opening import open_store as open_database

LOOPBACK = ("127.0.0.0/8", "::1")


def open_store(config: Config, *, create: bool = False) -> Store:
    """The database. UserError (66) when there is none and `create` is False."""
    return open_database(
        config.store.url,
        config.store.data_dir,
        create=create,
        password=config.store.password,
        min_free=config.store.min_free,
        host=site_of(config).hostname,
        partition=config.store.partition_tag,
    )


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


def own_networks(config: Config) -> NetworkSet:
    """Whose mail is that of our own users."""
    return NetworkSet((*LOOPBACK, *map(str, config.local.networks)))


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
