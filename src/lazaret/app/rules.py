"""The rules that the configuration names, and what they trust."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lazaret.config.options import Config

if TYPE_CHECKING:
    from lazaret.mime.trust import Networks
    from lazaret.rules.ruleset import RuleSet

CACHE = "rules-cache"


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


def trusted_networks(config: Config, ruleset: RuleSet) -> Networks:
    """What the rules trust: our networks; when none is named those of the rule files, else what
    SpamAssassin would infer."""
    from lazaret.mime.trust import Networks

    if not config.local.networks:
        return ruleset.networks
    headers = ruleset.networks.originating_ip_headers
    return Networks.from_text([str(n) for n in config.local.networks], originating_ip_headers=headers)
