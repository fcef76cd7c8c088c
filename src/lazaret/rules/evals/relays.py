"""Whose hands the message went through (Mail::SpamAssassin::Plugin::RelayEval)."""

import re
from itertools import pairwise

from lazaret.mime import ip
from lazaret.rules.evals import Subject, eval_function

_V4 = re.compile(ip.V4, re.ASCII)
_NUMERIC_HELO = re.compile(rf"\bhelo=({ip.V4})(?=[\x00-\x20,;\[()<>]|\Z)", re.ASCII | re.IGNORECASE)
_BIG_PROVIDER = re.compile(
    r"(?:.*\.)?(?:lycos\.com|lycos\.co\.uk|hotmail\.com|localhost\.com|excite\.com|caramail\.com|cs\.com"
    r"|aol\.com|msn\.com|yahoo\.com|drizzle\.com)",
    re.IGNORECASE,
)
_NAME = re.compile(r"\w+(?:[\w.-]+\.)+\w+", re.ASCII)
_LOCALHOST = ("localhost", "localhost.localdomain")
_SHORT_SUFFIX = re.compile(r"\S{3,}|ie|fr|de")
_ONE_HOUSE = {("msn.com", "hotmail.com")}
"""Names that differ and belong together: who calls himself, and who he is."""


@eval_function("check_no_relays")
def no_relays(subject: Subject) -> int:
    """No hand-over is recorded."""
    relays = subject.message.relays
    return not relays.trusted and not relays.untrusted and not relays.unparseable


@eval_function("check_all_trusted")
def all_trusted(subject: Subject) -> int:
    """Every hand-over was to a host that we trust."""
    relays = subject.message.relays
    return bool(relays.trusted) and not relays.untrusted and not relays.unparseable


@eval_function("check_relays_unparseable")
def relays_unparseable(subject: Subject) -> int:
    """Some hand-over cannot be read."""
    return subject.message.relays.unparseable > 0


@eval_function("check_for_numeric_helo")
def numeric_helo(subject: Subject) -> str:
    """Somebody greeted with a public address in the place of a name."""
    found = _NUMERIC_HELO.search(subject.first("X-Spam-Relays-Untrusted"))
    return found[1] if found and not ip.is_private(found[1]) else ""


@eval_function("helo_ip_mismatch")
def helo_ip_mismatch(subject: Subject) -> str:
    """Somebody greeted with an address from another network than the one he came from."""
    for relay in subject.message.relays.untrusted:
        if not (relay.helo[-1:].isdigit() and _V4.fullmatch(relay.helo) and _V4.fullmatch(relay.ip)):
            continue
        if ip.is_private(relay.helo) or ip.is_private(relay.ip):
            continue
        if not relay.ip.startswith(relay.helo.rpartition(".")[0] + "."):
            return f"{relay.helo} came from {relay.ip}"
    return ""


@eval_function("check_for_no_rdns_dotcom_helo")
def no_rdns_dotcom_helo(subject: Subject) -> int:
    """The oldest public hand-over greeted as a big provider from an address without a name."""
    for relay in reversed(subject.message.relays.untrusted):
        if not relay.private:
            return relay.no_rdns and _BIG_PROVIDER.fullmatch(relay.helo) is not None
    return 0


@eval_function("check_for_sender_no_reverse")
def sender_no_reverse(subject: Subject) -> int:
    """The oldest hand-over came from a public host with a name."""
    untrusted = subject.message.relays.untrusted
    return bool(untrusted) and "." in untrusted[-1].rdns and not untrusted[-1].private


@eval_function("check_for_from_domain_in_received_headers")
def from_domain_in_received(subject: Subject, domain: str, desired: str) -> int:
    """A sender of this domain, and a hand-over between its hosts (`false`: and none)."""
    if not re.search(rf"\b{re.escape(domain)}", subject.first("From:addr"), re.IGNORECASE):
        return 0
    hop = re.compile(rf" rdns=\S*\b{domain} [^\]]*by=\S*\b{domain} ")
    paths = (subject.first("X-Spam-Relays-Trusted"), subject.first("X-Spam-Relays-Untrusted"))
    return any(map(hop.search, paths)) == (desired == "true")


@eval_function("check_for_forged_received_trail")
def forged_received_trail(subject: Subject) -> int:
    """More than once who took the message in has another name than who then handed it on."""
    return subject.once(_breaks) > 1


@eval_function("check_for_forged_received_ip_helo")
def forged_received_ip_helo(subject: Subject) -> int:
    """Somebody greeted with an address far away from the one he came from."""
    for relay in subject.message.relays.untrusted:
        if not (_NAME.fullmatch(_domain(relay.by)) and _V4.fullmatch(relay.helo) and _V4.fullmatch(relay.ip)):
            continue
        if relay.helo.split(".")[:2] != relay.ip.split(".")[:2] and not ip.is_private(relay.helo):
            return 1
    return 0


def _breaks(subject: Subject) -> int:
    """How often `by` is another domain than the name of the host from which the next relay took it."""
    breaks = 0
    for newer, older in pairwise(subject.message.relays.untrusted):
        by, name = _domain(older.by.lower()), _domain(newer.rdns.lower())
        if newer.ip == "127.0.0.1" and name in _LOCALHOST:
            continue
        if _NAME.fullmatch(by) and _NAME.fullmatch(name) and by != name and (by, name) not in _ONE_HOUSE:
            breaks += 1
    return breaks


def _domain(host: str) -> str:
    """The last two labels, or three under short suffixes; an address is itself."""
    if not re.search(r"[a-zA-Z]", host):
        return host
    labels = host.split(".")
    if len(labels) > 1 and _SHORT_SUFFIX.search(labels[-1]):
        return ".".join(labels[-2:])
    return ".".join(labels[-3:])
