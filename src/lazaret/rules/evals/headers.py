"""Header fields that are too many, missing, shouted or illegal (Mail::SpamAssassin::Plugin::HeaderEval)."""

import re
from collections import Counter
from collections.abc import Callable, Iterable

from lazaret.rules.evals import Settings, Subject, Test, eval_function, eval_test
from lazaret.rules.evals.charsets import in_capitals
from lazaret.rules.evals.ranges import number, within

_CONTROLS = bytes([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20)])
_ILLEGAL = _CONTROLS + bytes(range(0x7F, 0x100))
_SIGNS = b"\xa2\xa3\xae"
"""Cent, pound and registered signs: one of them in a subject is forgiven."""
_ENCODED_WORD = re.compile(rb"=\?([-_a-z0-9]*)(?=\?)", re.IGNORECASE)
_PREFIXES = re.compile(rb"(?:(?:Re|Fwd|Fw|Aw|Antwort|WG|SV|VB|VS|VL):\s*)+", re.IGNORECASE)
_SIMILAR_COUNT = 5
_SORTED_COUNT = 7
_MOST_RECIPIENTS = 256


@eval_test("check_header_count_range")
def header_count_range(_settings: Settings, name: str, low: str, high: str) -> Callable[[Subject], bool]:
    """How many different values the field has."""
    least, most = number(low), number(high)
    lowered, fewest, if_fewer = name.lower(), max(least, 1), least <= 0

    def holds(subject: Subject) -> bool:
        section = subject.message.header
        if len(section.places(lowered)) < fewest:
            return if_fewer
        return least <= len({b" ".join(value.split()) for value in section.values(name)}) <= most

    return holds


@eval_test("check_illegal_chars")
def illegal_chars(_settings: Settings, name: str, ratio: str, count: str) -> Callable[[Subject], bool]:
    """Octets that should have been encoded (RFC 2045): at least `count`, and `ratio` of all."""
    selector = name if name.endswith(":raw") else f"{name}:raw"
    least, share = number(count), number(ratio)

    def holds(subject: Subject) -> bool:
        value = subject.header(selector)
        illegal = _count(value, _ILLEGAL)
        if illegal < least or not value.strip() or (_is_utf8(value) and not _count(value, _CONTROLS)):
            return False
        if selector == "Subject:raw" and _count(value, _SIGNS) == 1:
            illegal -= 1
        return illegal / len(value) >= share and illegal >= least

    return holds


def _count(value: bytes, octets: bytes) -> int:
    return len(value) - len(value.translate(None, octets))


@eval_function("subject_is_all_caps")
def subject_is_all_caps(subject: Subject) -> bool:
    """Several words, ten characters or more, every ASCII letter a capital."""
    text = subject.header("Subject").strip()
    prefixes = _PREFIXES.match(text)
    text = text[prefixes.end() :] if prefixes else text
    if len(text) < 10 or text != text.upper() or text == text.lower() or len(text.split()) < 2:
        return False
    return not any(map(in_capitals, _ENCODED_WORD.findall(subject.header("Subject:raw"))))


@eval_function("check_for_missing_to_header")
def missing_to(subject: Subject) -> int:
    """Neither To nor Apparently-To."""
    return not (subject.header("To") or subject.header("Apparently-To"))


@eval_function("check_for_from_to_same")
def from_to_same(subject: Subject) -> int:
    """From and To are the same address, written differently and without a name."""
    sender, to = subject.header("From"), subject.header("To")
    if not sender or not to or sender == to:
        return 0
    addresses = [re.sub(rb"\s+", b"", subject.header(s)) for s in ("From:addr", "To:addr")]
    return bool(addresses[0]) and addresses[0] == addresses[1] and len(sender.split()) == 1 == len(to.split())


@eval_function("check_for_matching_env_and_hdr_from")
def matching_senders(subject: Subject) -> int:
    """The envelope sender is the address in From."""
    return subject.header("EnvelopeFrom:addr").lower() == subject.header("From:addr").lower()


def _is_utf8(value: bytes) -> bool:
    if value.isascii():
        return False
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _recipients(subject: Subject) -> list[bytes]:
    """Neighbours that are the same count once."""
    found = list(filter(None, subject.header("ToCc:addr").split(b"\n")))
    if len(found) < _SIMILAR_COUNT:
        if "Bcc" not in subject.message.header:
            return found  # Nobody looks at so few.
        found += filter(None, subject.header("Bcc:addr").split(b"\n"))
    addresses: list[bytes] = []
    for address in found:
        if not addresses or address.lower() != addresses[-1].lower():
            addresses.append(address)
    return addresses[:_MOST_RECIPIENTS]


@eval_function("sorted_recipients")
def sorted_recipients(subject: Subject) -> bool:
    """Seven or more recipients in alphabetical order."""
    addresses = subject.once(_recipients)
    return len(addresses) >= _SORTED_COUNT and addresses == sorted(addresses)


def _similarity(subject: Subject) -> float:
    """Pairs of addresses that begin with the same two letters, and of other hosts that do, to all pairs."""
    addresses = subject.once(_recipients)
    if len(addresses) < _SIMILAR_COUNT:
        return 0.0
    hosts = [address.partition(b"@")[2] for address in addresses]
    alike = _pairs(address[:2] for address in addresses)
    alike += _pairs(host[:2] for host in hosts) - _pairs(hosts)
    return alike / (len(addresses) * (len(addresses) - 1) // 2)


def _pairs(things: Iterable[bytes]) -> int:
    """How many pairs of equal ones there are."""
    return sum(count * (count - 1) // 2 for count in Counter(things).values())


@eval_test("similar_recipients", of=_similarity)
def similar_recipients(_settings: Settings, low: str, high: str) -> Test:
    """How alike the first two letters of the recipients' names and hosts are, from 0 to 2."""
    return within(low, high)
