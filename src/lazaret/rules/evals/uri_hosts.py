"""Hosts of links on lists of the configuration (Mail::SpamAssassin::Plugin::WLBLEval)."""

import ipaddress
import re
from collections.abc import Callable, Mapping

from lazaret.rules.evals import Settings, Subject, eval_test

_LISTED = re.compile(r"\((.+?)\)\s+(.+)")
_LABELS = 11
"""So many domains above a host are looked up, from the right."""

Found = Mapping[str, str]
Listings = Mapping[str, tuple[tuple[str, bool], ...]]
"""Host -> the lists that name it; False where `!` excepts it."""


def _found(subject: Subject) -> Found | None:
    """List -> the first host that is on it; None when no host is on any."""
    listings = subject.settings.once(_listings)
    hosts = {
        host: None
        for uri in subject.message.uris
        if uri.hosts and uri.raw[:7].lower() != b"mailto:"
        for host in uri.hosts
    }
    found: dict[str, str] = {}
    for host in hosts:
        named = [listings[name] for name in _names(host) if name in listings]
        for name, listed in _lists(named).items():
            if listed:
                found.setdefault(name, host)
    return found or None


@eval_test("check_uri_host_listed", of=_found)
def uri_host_listed(settings: Settings, name: str) -> Callable[[Found], str] | None:
    """The host of some link, or a domain above it, is on the list (`enlist_uri_host`)."""
    is_known = any(name == listed for lists in settings.once(_listings).values() for listed, _ in lists)
    return (lambda found: found.get(name, "")) if is_known else None


@eval_test("check_uri_host_in_blocklist", of=_found)
def uri_host_in_blocklist(settings: Settings) -> Callable[[Found], str] | None:
    return uri_host_listed(settings, "BLOCK")


@eval_test("check_uri_host_in_welcomelist", of=_found)
def uri_host_in_welcomelist(settings: Settings) -> Callable[[Found], str] | None:
    return uri_host_listed(settings, "WELCOME")


def _lists(named: list[tuple[tuple[str, bool], ...]]) -> dict[str, bool]:
    """Every list that says something of a host; what it says of the longest name counts."""
    lists: dict[str, bool] = {}
    for entries in named:
        for name, included in entries:
            lists.setdefault(name, included)
    return lists


def _names(host: str) -> list[str]:
    """The host, then every domain above it; an address stands for itself."""
    bare = host.removeprefix("[").removesuffix("]")
    if _is_address(bare):
        return [bare]
    labels = host.split(".")[-_LABELS:]
    return [".".join(labels[start:]) for start in range(len(labels))]


def _is_address(bare: str) -> bool:
    if ":" not in bare and not bare[-1:].isdigit():
        return False  # Asked of every host: an exception would cost ten times as much.
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return False
    return True


def _listings(settings: Settings) -> Listings:
    listings: dict[str, dict[str, bool]] = {}
    for line in settings.lines("enlist_uri_host"):
        listed = _LISTED.fullmatch(line)
        for host in listed[2].lower().split() if listed else ():
            listings.setdefault(host.lstrip("!"), {})[listed[1] if listed else ""] = not host.startswith("!")
    return {host: tuple(lists.items()) for host, lists in listings.items()}
