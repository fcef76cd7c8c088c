"""Hosts of links on lists of the configuration (Mail::SpamAssassin::Plugin::WLBLEval)."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from lazaret.rules.evals import Settings, Subject, eval_test

_LISTED = re.compile(r"\((.+?)\)\s+(.+)")
_LABELS = 11
"""So many domains above a host are looked up, from the right."""

Found = Mapping[str, str]


class HostLists:
    """All lists of hosts together."""

    def __init__(self, settings: Settings) -> None:
        self._by_host: dict[str, dict[str, bool]] = {}
        """Host -> the lists that name it; False where `!` excepts it."""
        for line in settings.lines("enlist_uri_host"):
            listed = _LISTED.fullmatch(line)
            for host in listed[2].lower().split() if listed else ():
                name = listed[1] if listed else ""
                self._by_host.setdefault(host.lstrip("!"), {})[name] = not host.startswith("!")
        self.names = frozenset(name for lists in self._by_host.values() for name in lists)
        self.of = lru_cache(maxsize=4096)(self._of)
        """The lists on which a host is. Many messages link to the same ones."""

    def _of(self, host: str) -> tuple[str, ...]:
        """What a list says of the longest name counts."""
        names = _names(host)
        if self._by_host.keys().isdisjoint(names):
            return ()
        lists: dict[str, bool] = {}
        for name in names:
            lists = {**self._by_host.get(name, {}), **lists}
        return tuple(name for name, included in lists.items() if included)


def _found(subject: Subject) -> Found | None:
    """List -> the first host that is on it; None when no host is on any."""
    lists_of = subject.settings.once(HostLists).of
    found: dict[str, str] = {}
    for uri in subject.message.uris:
        for host in uri.hosts:
            for name in lists_of(host):
                if uri.raw[:7].lower() != b"mailto:":
                    found.setdefault(name, host)
    return found or None


@eval_test("check_uri_host_listed", of=_found)
def uri_host_listed(settings: Settings, name: str) -> Callable[[Found], str] | None:
    """The host of some link, or a domain above it, is on the list (`enlist_uri_host`)."""
    return (lambda found: found.get(name, "")) if name in settings.once(HostLists).names else None


@eval_test("check_uri_host_in_blocklist", of=_found)
def uri_host_in_blocklist(settings: Settings) -> Callable[[Found], str] | None:
    return uri_host_listed(settings, "BLOCK")


@eval_test("check_uri_host_in_welcomelist", of=_found)
def uri_host_in_welcomelist(settings: Settings) -> Callable[[Found], str] | None:
    return uri_host_listed(settings, "WELCOME")


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
