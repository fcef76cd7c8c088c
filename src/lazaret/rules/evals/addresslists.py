"""Welcome and block lists of senders and recipients (Mail::SpamAssassin::Plugin::WLBLEval)."""

import ipaddress
import re
from collections.abc import Callable, Iterable

from lazaret.mime import hostnames
from lazaret.mime.received import Relay
from lazaret.rules.evals import Settings, Subject, eval_function
from lazaret.rules.evals.globs import Globs

_DOTS = re.compile(r"\.{2,}")
_FOR = re.compile(r" for <?(\S+@(\S+?))>?;")
_LISTED = re.compile(r"\((.+?)\)\s+(.+)")
_LITERAL = re.compile(r"\[(.*)\](/\d{1,3})?", re.DOTALL)
_PART_OF_V4 = re.compile(r"[\d.]+")
_RECIPIENT_FIELDS = (
    *("To", "Apparently-To", "Delivered-To", "Envelope-Recipients", "Apparently-Resent-To", "X-Envelope-To"),
    *("Envelope-To", "X-Delivered-To", "X-Original-To", "X-Rcpt-To", "X-Real-To", "Cc"),
)
"""Besides the usual ones, those in which MTAs and delivery agents note the envelope."""
_SENDER_SELECTORS = ("From", "Envelope-Sender", "Resent-Sender", "X-Envelope-From", "EnvelopeFrom")
_NEWEST_RECEIVED = 3


def senders(subject: Subject) -> tuple[str, ...]:
    """Every address that stands for the sender; of a message that was sent on, who did it."""
    resent = subject.values("Resent-From:first:addr")
    if resent:
        return tuple(resent)
    named = (a for name in _SENDER_SELECTORS for a in subject.values(f"{name}:addr"))
    return tuple(dict.fromkeys(_DOTS.sub(".", address) for address in named))


def recipients(subject: Subject) -> tuple[str, ...]:
    """Every address that stands for a recipient, those of the envelope included."""
    resent = subject.values("Resent-To:first:addr") + subject.values("Resent-Cc:first:addr")
    if resent:
        return tuple(dict.fromkeys(resent))
    received = [_FOR.search(line) for line in subject.values("Received")[:_NEWEST_RECEIVED]]
    noted = [found[1] for found in received if found and _is_host(found[2])]
    named = (a for name in _RECIPIENT_FIELDS for a in subject.values(f"{name}:addr"))
    return tuple(dict.fromkeys((*subject.recipients, *noted, *named)))


def _is_host(name: str) -> bool:
    return hostnames.is_name(hostnames.to_ascii(name.encode("utf-8", "replace")).decode("ascii", "replace"))


@eval_function("check_from_in_blocklist")
def from_in_blocklist(subject: Subject) -> str:
    return _first(subject, senders, _blocked_senders)


@eval_function("check_to_in_blocklist")
def to_in_blocklist(subject: Subject) -> str:
    return _first(subject, recipients, _blocked_recipients)


@eval_function("check_to_in_welcomelist")
def to_in_welcomelist(subject: Subject) -> str:
    return _first(subject, recipients, _welcome_recipients)


@eval_function("check_to_in_more_spam")
def to_in_more_spam(subject: Subject) -> str:
    return _first(subject, recipients, _more_spam)


@eval_function("check_to_in_all_spam")
def to_in_all_spam(subject: Subject) -> str:
    return _first(subject, recipients, _all_spam)


@eval_function("check_from_in_list")
def from_in_list(subject: Subject, name: str) -> str:
    """A sender is on the list of that name (`enlist_addrlist`)."""
    return _first_listed(subject, subject.once(senders), name)


@eval_function("check_to_in_list")
def to_in_list(subject: Subject, name: str) -> str:
    return _first_listed(subject, subject.once(recipients), name)


@eval_function("check_replyto_in_list")
def replyto_in_list(subject: Subject, name: str) -> str:
    return _first_listed(subject, subject.values("Reply-To:addr")[:1], name)


@eval_function("check_from_in_welcomelist")
def from_in_welcomelist(subject: Subject) -> int:
    """A sender is welcome by the address, or by the address and the relay together."""
    return subject.once(_welcome) > 0


@eval_function("check_from_in_default_welcomelist")
def from_in_default_welcomelist(subject: Subject) -> int:
    return subject.once(_welcome_by_default) > 0


@eval_function("check_forged_in_welcomelist")
def forged_in_welcomelist(subject: Subject) -> int:
    """A sender that is welcome, over a relay that is not his."""
    return subject.once(_welcome) < 0 and subject.once(_welcome_by_default) == 0


@eval_function("check_forged_in_default_welcomelist")
def forged_in_default_welcomelist(subject: Subject) -> int:
    return subject.once(_welcome_by_default) < 0 and subject.once(_welcome) == 0


@eval_function("check_mailfrom_matches_rcvd")
def mailfrom_matches_relay(subject: Subject) -> int:
    """The relay that handed over belongs to the domain of the envelope sender."""
    domain = subject.first("EnvelopeFrom:addr").lower().rpartition("@")[2]
    registry = subject.message.registry
    if "." not in domain.strip("."):
        return 0
    own = registry.registered(domain)
    names = (relay.rdns.lower() for relay in _handing_over(subject))
    return any(registry.registered(name) == own for name in names if name)


class RelayList:
    """Addresses, each with the relays that may bring mail from it: `welcomelist_from_rcvd`."""

    def __init__(self, lines: Iterable[str]) -> None:
        pairs = (line.lower().split() for line in lines)
        self._entries = [(Globs([pair[0]]), pair[1]) for pair in pairs if len(pair) == 2]

    def judge(self, address: str, relays: Iterable[Relay]) -> int:
        """1: listed, with this relay; -1: listed, with another one; 0: not listed."""
        found = [place for globs, place in self._entries if address in globs]
        if any(_is_at(relay, place) for relay in relays for place in found):
            return 1
        return -1 if found else 0


def _is_at(relay: Relay, place: str) -> bool:
    """Whether the relay is in the domain, or has an address in the `[network]`."""
    literal = _LITERAL.fullmatch(place)
    if not literal:
        name = relay.rdns.lower()
        return name == place or name.endswith("." + place)
    network = literal[1] + (literal[2] or "")
    if _PART_OF_V4.fullmatch(network) and network.count(".") != 3:
        return relay.ip.startswith(network.rstrip(".") + ".")
    try:
        return ipaddress.ip_address(relay.ip) in ipaddress.ip_network(network, strict=False)
    except (ValueError, TypeError):
        return False


def _handing_over(subject: Subject) -> tuple[Relay, ...]:
    """Who handed the message to us; when only hosts that we trust did, all of them."""
    relays = subject.message.relays
    return relays.untrusted[:1] or relays.trusted


def _judged(subject: Subject, listed: RelayList) -> int:
    relays = _handing_over(subject)
    if not relays:
        return 0
    verdict = 0
    for sender in subject.once(senders):
        found = listed.judge(sender.lower(), relays)
        if found > 0:
            return 1
        if found < 0 and sender not in subject.settings.once(_may_be_relayed):
            verdict = -1
    return verdict


def _welcome(subject: Subject) -> int:
    if any(sender in subject.settings.once(_welcome_senders) for sender in subject.once(senders)):
        return 1
    return _judged(subject, subject.settings.once(_welcome_with_relay))


def _welcome_by_default(subject: Subject) -> int:
    return _judged(subject, subject.settings.once(_default_with_relay))


def _first(
    subject: Subject, who: Callable[[Subject], tuple[str, ...]], listed: Callable[[Settings], Globs]
) -> str:
    globs = subject.settings.once(listed)
    return next((address for address in subject.once(who) if address in globs), "") if globs else ""


def _first_listed(subject: Subject, addresses: Iterable[str], name: str) -> str:
    globs = subject.settings.once(_named_lists).get(name)
    return next((address for address in addresses if address in globs), "") if globs else ""


# What the settings say, built once.


def _blocked_senders(settings: Settings) -> Globs:
    return Globs(settings.words("blocklist_from"))


def _blocked_recipients(settings: Settings) -> Globs:
    return Globs(settings.words("blocklist_to"))


def _welcome_senders(settings: Settings) -> Globs:
    return Globs(settings.words("welcomelist_from"))


def _welcome_recipients(settings: Settings) -> Globs:
    return Globs(settings.words("welcomelist_to"))


def _more_spam(settings: Settings) -> Globs:
    return Globs(settings.words("more_spam_to"))


def _all_spam(settings: Settings) -> Globs:
    return Globs(settings.words("all_spam_to"))


def _may_be_relayed(settings: Settings) -> Globs:
    return Globs(settings.words("welcomelist_allows_relays"))


def _welcome_with_relay(settings: Settings) -> RelayList:
    return RelayList(settings.lines("welcomelist_from_rcvd"))


def _default_with_relay(settings: Settings) -> RelayList:
    return RelayList(settings.lines("def_welcomelist_from_rcvd"))


def _named_lists(settings: Settings) -> dict[str, Globs]:
    words: dict[str, list[str]] = {}
    for line in settings.lines("enlist_addrlist"):
        listed = _LISTED.fullmatch(line)
        if listed:
            words.setdefault(listed[1], []).extend(listed[2].split())
    return {name: Globs(addresses) for name, addresses in words.items()}
