"""An address in the name of the sender (Mail::SpamAssassin::Plugin::FromNameSpoof)."""

import re
from dataclasses import dataclass

from lazaret.mime import hostnames
from lazaret.mime.hostnames import Registry
from lazaret.rules.evals import Settings, Subject, eval_function
from lazaret.rules.evals.addresslists import recipients
from lazaret.rules.evals.globs import Globs
from lazaret.rules.evals.ranges import number

_ADDRESS = re.compile(r"\b([\w.!#$%&'*+/=?^`{|}~-]+@\w[\w-]*\.\w[\w.-]*)\b", re.ASCII)
_SIGN = re.compile(r"[^a-z0-9]")
_LISTED = re.compile(r"\((.+?)\)\s+(.+)")
_EXTRA_CHARACTERS = "50"


@dataclass(frozen=True, slots=True)
class Claim:
    """What the name of the sender says, beside what his address says."""

    shown: str
    shown_domain: str
    shown_owner: str
    address: str
    domain: str
    owner: str
    close: bool
    """The name is little more than the address in it; otherwise nothing but `contains_email` holds."""


@eval_function("check_fromname_contains_email")
def contains_email(subject: Subject) -> str:
    claim = subject.once(_claim)
    return claim.shown if claim else ""


@eval_function("check_fromname_different")
def different(subject: Subject) -> str:
    """The address in the name is another one than the sender's."""
    claim = subject.once(_close_claim)
    return claim.shown if claim and claim.shown != claim.address else ""


@eval_function("check_fromname_spoof")
def spoof(subject: Subject, level: str = "") -> str:
    """As `fns_check` says: 0 another address, 1 of another house, 2 of another domain."""
    wanted = level if level in ("0", "1", "2") else subject.settings.last("fns_check", "1")
    claim = subject.once(_close_claim)
    if not claim or claim.shown == claim.address:
        return ""
    differs = {"0": True, "2": claim.shown_domain != claim.domain}.get(
        wanted, claim.shown_owner != claim.owner
    )
    return claim.shown if differs else ""


@eval_function("check_fromname_domain_differ")
def domain_differs(subject: Subject) -> str:
    claim = subject.once(_close_claim)
    return claim.shown if claim and claim.shown_domain != claim.domain else ""


@eval_function("check_fromname_owners_differ")
def owners_differ(subject: Subject) -> str:
    """They belong to different houses: lists of `fns_add_addrlist`, else the names of the domains."""
    claim = subject.once(_close_claim)
    return claim.shown if claim and claim.shown_owner != claim.owner else ""


@eval_function("check_fromname_equals_replyto")
def equals_reply_to(subject: Subject) -> str:
    claim = subject.once(_close_claim)
    return claim.shown if claim and claim.shown == subject.first("Reply-To:addr").lower() else ""


@eval_function("check_fromname_equals_to")
def equals_to(subject: Subject) -> str:
    claim = subject.once(_close_claim)
    return claim.shown if claim and claim.shown in subject.once(recipients) else ""


def _close_claim(subject: Subject) -> Claim | None:
    claim = subject.once(_claim)
    return claim if claim and claim.close else None


def _claim(subject: Subject) -> Claim | None:
    settings, registry = subject.settings, subject.message.registry
    if any(subject.header(name) for name in settings.words("fns_ignore_headers")):
        return None
    name = subject.text("From:name").lower()
    found = _ADDRESS.search(name)
    address = subject.first("From:addr").lower()
    domain, shown_domain = _domain(address, registry), _domain(found[1], registry) if found else ""
    if not found or not domain or not shown_domain:
        return None
    shown = found[1]
    signs = len(_SIGN.findall(name)) - len(_SIGN.findall(shown))
    extra = len(name) + signs - len(shown)
    owners = settings.once(_owners)
    return Claim(
        *(shown, shown_domain, _owner(shown, shown_domain, owners)),
        *(address, domain, _owner(address, domain, owners)),
        close=extra <= number(settings.last("fns_extrachars", _EXTRA_CHARACTERS)),
    )


def _domain(address: str, registry: Registry) -> str:
    host = hostnames.to_ascii(address.rpartition("@")[2].encode("utf-8", "replace")).decode(
        "ascii", "replace"
    )
    return registry.registered(host) if hostnames.is_name(host) and registry.knows_tld(host) else ""


def _owner(address: str, domain: str, owners: dict[str, Globs]) -> str:
    at_domain = f"{address.partition('@')[0]}@{domain}"
    for spelled in (address, at_domain):
        for owner, listed in owners.items():
            if spelled in listed:
                return owner
    return domain.partition(".")[0]


def _owners(settings: Settings) -> dict[str, Globs]:
    words: dict[str, list[str]] = {}
    for line in settings.lines("fns_add_addrlist"):
        listed = _LISTED.fullmatch(line)
        if listed:
            words.setdefault(listed[1].lower(), []).extend(listed[2].split())
    return {owner: Globs(addresses) for owner, addresses in words.items()}
