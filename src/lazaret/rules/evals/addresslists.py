"""Welcome and block lists of senders and recipients (Mail::SpamAssassin::Plugin::WLBLEval)."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from lazaret.mime import hostnames
from lazaret.mime.received import Relay
from lazaret.rules.evals import Settings, Subject, Test, eval_function, eval_test
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
_SENDER_FIELDS = ("From", "Envelope-Sender", "Resent-Sender", "X-Envelope-From")
_NEWEST_RECEIVED = 3
_LONGEST_ADDRESS = 320
"""Of those that are remembered."""


def senders(subject: Subject) -> tuple[str, ...]:
    """Every address that stands for the sender; of a message that was sent on, who did it."""
    resent = subject.values("Resent-From:first:addr") if "Resent-From" in subject.message.header else ()
    if resent:
        return resent
    everyone = [*_addresses(subject, _SENDER_FIELDS), *subject.values("EnvelopeFrom:addr")]
    if ".." in " ".join(everyone):
        everyone = [_DOTS.sub(".", address) for address in everyone]
    return tuple(dict.fromkeys(everyone))


def recipients(subject: Subject) -> tuple[str, ...]:
    """Every address that stands for a recipient, those of the envelope included."""
    resent = _addresses(subject, ("Resent-To", "Resent-Cc"), ":first:addr")
    if resent:
        return tuple(dict.fromkeys(resent))
    received = [_FOR.search(line) for line in subject.values("Received")[:_NEWEST_RECEIVED]]
    noted = [found[1] for found in received if found and _is_host(found[2])]
    return tuple(dict.fromkeys((*subject.recipients, *noted, *_addresses(subject, _RECIPIENT_FIELDS))))


def _addresses(subject: Subject, names: Iterable[str], modifiers: str = ":addr") -> list[str]:
    """Those in some fields. Few messages have most of the fields above: this asks for no others."""
    header = subject.message.header
    return [a for name in names if name in header for a in subject.values(name + modifiers)]


def _is_host(name: str) -> bool:
    return hostnames.is_name(hostnames.to_ascii(name.encode("utf-8", "replace")).decode("ascii", "replace"))


@eval_test("check_from_in_blocklist")
def from_in_blocklist(settings: Settings) -> Test | None:
    return _first(senders, Globs(settings.words("blocklist_from")))


@eval_test("check_to_in_blocklist")
def to_in_blocklist(settings: Settings) -> Test | None:
    return _first(recipients, Globs(settings.words("blocklist_to")))


@eval_test("check_to_in_welcomelist")
def to_in_welcomelist(settings: Settings) -> Test | None:
    return _first(recipients, Globs(settings.words("welcomelist_to")))


@eval_test("check_to_in_more_spam")
def to_in_more_spam(settings: Settings) -> Test | None:
    return _first(recipients, Globs(settings.words("more_spam_to")))


@eval_test("check_to_in_all_spam")
def to_in_all_spam(settings: Settings) -> Test | None:
    return _first(recipients, Globs(settings.words("all_spam_to")))


Found = Mapping[str, str]
"""List -> the first address that is on it."""


def _lists_of_senders(subject: Subject) -> Found | None:
    return _on_lists(subject, subject.once(senders))


def _lists_of_recipients(subject: Subject) -> Found | None:
    return _on_lists(subject, subject.once(recipients))


def _lists_of_answers(subject: Subject) -> Found | None:
    if "Reply-To" not in subject.message.header:
        return None
    return _on_lists(subject, subject.values("Reply-To:addr")[:1])


def _on_lists(subject: Subject, addresses: Iterable[str]) -> Found | None:
    """None when nobody is on any list, as in nearly all mail."""
    lists_of = subject.settings.once(NamedLists).of
    found: dict[str, str] = {}
    for address in addresses:
        for name in lists_of(address):
            found.setdefault(name, address)
    return found or None


@eval_test("check_from_in_list", of=_lists_of_senders)
def from_in_list(settings: Settings, name: str) -> Callable[[Found], str] | None:
    """A sender is on the list of that name (`enlist_addrlist`)."""
    return (lambda found: found.get(name, "")) if name in settings.once(NamedLists).names else None


@eval_test("check_to_in_list", of=_lists_of_recipients)
def to_in_list(settings: Settings, name: str) -> Callable[[Found], str] | None:
    return from_in_list(settings, name)


@eval_test("check_replyto_in_list", of=_lists_of_answers)
def replyto_in_list(settings: Settings, name: str) -> Callable[[Found], str] | None:
    return from_in_list(settings, name)


class NamedLists:
    """All lists of addresses that have a name (`enlist_addrlist`)."""

    def __init__(self, settings: Settings) -> None:
        words: dict[str, list[str]] = {}
        for line in settings.lines("enlist_addrlist"):
            listed = _LISTED.fullmatch(line)
            if listed:
                words.setdefault(listed[1], []).extend(listed[2].split())
        lists = {name: Globs(addresses) for name, addresses in words.items()}
        self._lists = {name: globs for name, globs in lists.items() if globs}
        self._any = Globs(word for listed in words.values() for word in listed)
        """All of them as one, which nearly nobody is on."""
        self.names = frozenset(self._lists)
        self._remembered = lru_cache(maxsize=1024)(self._of)
        """The same ones write again."""

    def of(self, address: str) -> tuple[str, ...]:
        """The lists on which an address is."""
        return self._remembered(address) if len(address) <= _LONGEST_ADDRESS else self._of(address)

    def _of(self, address: str) -> tuple[str, ...]:
        if address not in self._any:
            return ()
        return tuple(name for name, globs in self._lists.items() if address in globs)


def _first(who: Callable[[Subject], tuple[str, ...]], globs: Globs | None) -> Test | None:
    """The first of them that is on the list; a list without entries never hits."""
    if not globs:
        return None
    return lambda subject: next((address for address in subject.once(who) if address in globs), "")


@eval_test("check_from_in_welcomelist")
def from_in_welcomelist(settings: Settings) -> Test | None:
    """A sender is welcome by the address, or by the address and the relay together."""
    listed = settings.once(_welcome_senders) or settings.once(_welcome_with_relay)
    return (lambda subject: subject.once(_welcome) > 0) if listed else None


@eval_test("check_from_in_default_welcomelist")
def from_in_default_welcomelist(settings: Settings) -> Test | None:
    listed = settings.once(_default_with_relay)
    return (lambda subject: subject.once(_welcome_by_default) > 0) if listed else None


@eval_test("check_forged_in_welcomelist")
def forged_in_welcomelist(settings: Settings) -> Test | None:
    """A sender that is welcome, over a relay that is not his."""
    return _forged_welcome if settings.once(_welcome_with_relay) else None


@eval_test("check_forged_in_default_welcomelist")
def forged_in_default_welcomelist(settings: Settings) -> Test | None:
    return _forged_welcome_by_default if settings.once(_default_with_relay) else None


def _forged_welcome(subject: Subject) -> bool:
    return subject.once(_welcome) < 0 and subject.once(_welcome_by_default) == 0


def _forged_welcome_by_default(subject: Subject) -> bool:
    return subject.once(_welcome_by_default) < 0 and subject.once(_welcome) == 0


@eval_function("check_mailfrom_matches_rcvd")
def mailfrom_matches_relay(subject: Subject) -> int:
    """The relay that handed over belongs to the domain of the envelope sender."""
    domain = subject.first("EnvelopeFrom:addr").lower().rpartition("@")[2]
    names = [relay.rdns.lower() for relay in _handing_over(subject) if relay.rdns]
    if not names or "." not in domain.strip("."):
        return 0
    registry = subject.message.registry
    return registry.registered(domain) in map(registry.registered, names)


class RelayList:
    """Addresses, each with the relays that may bring mail from it: `welcomelist_from_rcvd`."""

    def __init__(self, lines: Iterable[str]) -> None:
        pairs = [pair for line in lines if len(pair := line.lower().split()) == 2]
        self._all = Globs(address for address, _ in pairs)
        at: dict[str, list[str]] = {}
        for address, place in pairs:
            at.setdefault(place, []).append(address)
        self._at = {place: Globs(addresses) for place, addresses in at.items()}

    def __bool__(self) -> bool:
        """Whether there is any entry."""
        return bool(self._all)

    def judge(self, address: str, relays: Iterable[Relay]) -> int:
        """1: listed, with this relay; -1: listed, with another one; 0: not listed."""
        if address not in self._all:
            return 0
        places = [place for place, addresses in self._at.items() if address in addresses]
        return 1 if any(_is_at(relay, place) for relay in relays for place in places) else -1


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


# What the settings say, built once.


def _welcome_senders(settings: Settings) -> Globs:
    return Globs(settings.words("welcomelist_from"))


def _may_be_relayed(settings: Settings) -> Globs:
    return Globs(settings.words("welcomelist_allows_relays"))


def _welcome_with_relay(settings: Settings) -> RelayList:
    return RelayList(settings.lines("welcomelist_from_rcvd"))


def _default_with_relay(settings: Settings) -> RelayList:
    return RelayList(settings.lines("def_welcomelist_from_rcvd"))
