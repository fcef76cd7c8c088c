"""The stored text of a message: line ends, chunks, and where the message begins, as amavisd-new does it."""

import re
from collections.abc import Iterable

from lazaret.model.quarantine import StoredText
from lazaret.model.verdict import ScoredHit

CHUNK = 16_384
"""Octets of a row of `quarantine`, as amavis cuts them."""

MAX_TESTS = 1000
"""Symbols that are read out of one X-Spam-Status; amavisd writes fewer."""

AS_LF = "L"
AS_ON_WIRE = "W"

# The fields that amavisd puts before a message; what follows the last of them is the message, and
# amavisd's own Received is the first of that, so that the fields of the message itself are safe.
_AMAVIS_PREFIX = re.compile(
    rb"(?>(?:"
    rb"(?:Delivered-To|Return-Path|X-Envelope-From|X-Envelope-To(?:-Blocked)?|X-Quarantine-ID"
    rb"|X-Amavis-(?:Hold|Alert|Modified|PenPals|PolicyBank|OS-Fingerprint)"
    rb"|X-Spam-[!-9;-~]*|X-CRM114-[!-9;-~]*)"
    rb"[ \t]*+:[^\n]*+\n(?>(?:[ \t][^\n]*+\n)*)"
    rb")*)",
    re.IGNORECASE,
)
_STATUS = re.compile(rb"^X-Spam-Status[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)
_TESTS = re.compile(rb"tests=\[([^\]]*)\]")
_TEST = re.compile(rb"([A-Za-z0-9_.]{1,128})(?:=([+-]?[0-9]{1,6}(?:\.[0-9]{1,6})?))?$")


def to_stored(octets: bytes) -> tuple[bytes, str]:
    """The octets to store and how their lines end.

    CRLF becomes LF where that can be undone, which is when no LF stands alone.
    """
    if octets.count(b"\n") != octets.count(b"\r\n"):
        return octets, AS_ON_WIRE
    return octets.replace(b"\r\n", b"\n"), AS_LF


def from_stored(stored: bytes, line_ends: str, prefix: int) -> StoredText:
    """What `to_stored` was given; `prefix` counts stored octets here, octets on the wire in the result."""
    if line_ends == AS_ON_WIRE:
        return StoredText(stored, prefix)
    return StoredText(stored.replace(b"\n", b"\r\n"), prefix + stored.count(b"\n", 0, prefix))


def from_amavis(stored: bytes) -> StoredText:
    """A text that amavisd wrote: it ends its lines with LF, leaves out a last one, and has its own prefix."""
    if not stored.endswith(b"\n"):
        stored += b"\n"
    if stored.count(b"\n") == stored.count(b"\r\n"):
        stored = stored.replace(b"\r\n", b"\n")
    return from_stored(stored, AS_LF, amavis_prefix(stored))


def amavis_prefix(stored: bytes) -> int:
    """Length of the leading header fields that amavisd added, in stored octets."""
    found = _AMAVIS_PREFIX.match(stored)
    return found.end() if found else 0


def amavis_tests(prefix: bytes) -> list[ScoredHit]:
    """The symbols with their scores that X-Spam-Status names in such a prefix; none when it says nothing."""
    status = _STATUS.search(prefix)
    tests = _TESTS.search(status[1]) if status else None
    if tests is None:
        return []
    found = (_TEST.match(item.strip()) for item in tests[1].split(b",", MAX_TESTS)[:MAX_TESTS])
    return [ScoredHit(test[1].decode("ascii"), float(test[2] or 0), "") for test in found if test]


def chunks(stored: bytes) -> Iterable[tuple[int, bytes]]:
    """(chunk_ind, octets) from 1 on; an empty text has one empty chunk, so that it is seen to be there."""
    for number, start in enumerate(range(0, len(stored) or 1, CHUNK), 1):
        yield number, stored[start : start + CHUNK]
