"""Hosts of links on lists of the configuration (Mail::SpamAssassin::Plugin::WLBLEval)."""

import ipaddress
import re
from collections.abc import Iterator, Mapping

from lazaret.rules.evals import Settings, Subject, eval_function

_LISTED = re.compile(r"\((.+?)\)\s+(.+)")
_LABELS = 11
"""So many domains above a host are looked up, from the right."""


@eval_function("check_uri_host_listed")
def uri_host_listed(subject: Subject, name: str) -> str:
    """The host of some link, or a domain above it, is on the list (`enlist_uri_host`)."""
    return subject.once(_found).get(name, "")


@eval_function("check_uri_host_in_blocklist")
def uri_host_in_blocklist(subject: Subject) -> str:
    return subject.once(_found).get("BLOCK", "")


@eval_function("check_uri_host_in_welcomelist")
def uri_host_in_welcomelist(subject: Subject) -> str:
    return subject.once(_found).get("WELCOME", "")


def _found(subject: Subject) -> dict[str, str]:
    """List -> a host that is on it."""
    lists = subject.settings.once(_lists)
    found: dict[str, str] = {}
    hosts = {
        host: None
        for uri in subject.message.uris
        if lists and uri.raw[:7].lower() != b"mailto:"
        for host in uri.hosts
    }
    for host in hosts:
        keys = list(_keys(host))
        for name, listed in lists.items():
            if name not in found and next((listed[key] for key in keys if key in listed), False):
                found[name] = host
    return found


def _keys(host: str) -> Iterator[str]:
    """The host, then every domain above it; an address stands for itself."""
    bare = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        labels = host.split(".")
        for start in range(max(0, len(labels) - _LABELS), len(labels)):
            yield ".".join(labels[start:])
    else:
        yield bare


def _lists(settings: Settings) -> Mapping[str, Mapping[str, bool]]:
    """List -> host -> True, or False where `!` excepts it."""
    lists: dict[str, dict[str, bool]] = {}
    for line in settings.lines("enlist_uri_host"):
        listed = _LISTED.fullmatch(line)
        for host in listed[2].lower().split() if listed else ():
            lists.setdefault(listed[1] if listed else "", {})[host.lstrip("!")] = not host.startswith("!")
    return lists
