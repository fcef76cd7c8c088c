"""Header fields that are too many, missing, shouted or illegal (Mail::SpamAssassin::Plugin::HeaderEval)."""

import re

from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.charsets import CAPITALS_CHARSET
from lazaret.rules.evals.ranges import number, within

_ILLEGAL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]")
_ONE_SIGN = re.compile(rb"[\xa2\xa3\xae]")
"""Cent, pound and registered signs: one of them in a subject is forgiven."""
_ENCODED_IN_CAPITALS = re.compile(rb"=\?" + CAPITALS_CHARSET + rb"\?", re.IGNORECASE)
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_PREFIXES = re.compile(rb"(?:(?:Re|Fwd|Fw|Aw|Antwort|WG|SV|VB|VS|VL):\s*)+", re.IGNORECASE)
_SIMILAR_COUNT = 5
_SORTED_COUNT = 7
_MOST_RECIPIENTS = 256


@eval_function("check_header_count_range")
def header_count_range(subject: Subject, name: str, low: str, high: str) -> int:
    """How many different values the field has."""
    section = subject.message.header
    if name not in section:
        return number(low) <= 0
    different = {b" ".join(value.split()) for value in section.values(name)}
    return number(low) <= len(different) <= number(high)


@eval_function("check_illegal_chars")
def illegal_chars(subject: Subject, name: str, ratio: str, count: str) -> int:
    """Octets that should have been encoded (RFC 2045): at least `count`, and `ratio` of all."""
    selector = name if name.endswith(":raw") else f"{name}:raw"
    value = subject.header(selector)
    if not value.strip() or (_is_utf8(value) and not _CONTROLS.search(value)):
        return 0
    illegal = len(_ILLEGAL.findall(value))
    if selector == "Subject:raw" and len(_ONE_SIGN.findall(value)) == 1:
        illegal -= 1
    return illegal / len(value) >= number(ratio) and illegal >= number(count)


@eval_function("subject_is_all_caps")
def subject_is_all_caps(subject: Subject) -> int:
    """Several words, ten characters or more, every ASCII letter a capital."""
    text = subject.header("Subject").strip()
    prefixes = _PREFIXES.match(text)
    text = text[prefixes.end() :] if prefixes else text
    if len(text) < 10 or len(text.split()) < 2 or _ENCODED_IN_CAPITALS.search(subject.header("Subject:raw")):
        return 0
    letters = re.sub(rb"[^a-zA-Z]", b"", text)
    return bool(letters) and letters == letters.upper()


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


@eval_function("sorted_recipients")
def sorted_recipients(subject: Subject) -> int:
    """Seven or more recipients in alphabetical order."""
    addresses = subject.once(_recipients)
    return len(addresses) >= _SORTED_COUNT and addresses == sorted(addresses)


@eval_function("similar_recipients")
def similar_recipients(subject: Subject, low: str, high: str) -> int:
    """How alike the first two letters of the recipients' names and hosts are, from 0 to 2."""
    return within(subject.once(_similarity), low, high)


def _is_utf8(value: bytes) -> bool:
    if value.isascii():
        return False
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _recipients(subject: Subject) -> list[bytes]:
    found: list[bytes] = []
    for selector in ("ToCc:addr", "Bcc:addr"):
        found += filter(None, subject.header(selector).split(b"\n"))
        if len(found) >= _SIMILAR_COUNT:
            break
    addresses: list[bytes] = []
    for address in found:
        if not addresses or address.lower() != addresses[-1].lower():
            addresses.append(address)
    return addresses[:_MOST_RECIPIENTS]


def _similarity(subject: Subject) -> float:
    addresses = subject.once(_recipients)
    if len(addresses) < _SIMILAR_COUNT:
        return 0.0
    hosts = [address.partition(b"@")[2] for address in addresses]
    hits = pairs = 0
    for i, address in enumerate(addresses):
        for j in range(i + 1, len(addresses)):
            hits += address[:2] == addresses[j][:2]
            hits += hosts[i][:2] == hosts[j][:2] and hosts[i] != hosts[j]
            pairs += 1
    return hits / pairs
