"""The first part of plain text: its signature, and talk of shares (Mail::SpamAssassin::Plugin::BodyEval)."""

import re
from dataclasses import dataclass

from lazaret.mime import text
from lazaret.rules.evals import Subject, eval_function
from lazaret.rules.evals.ranges import number

_SIGNATURE = re.compile(rb"^-- ?\r?$", re.MULTILINE)
_DECOY = 4
"""A mark with no more octets after it begins no signature."""
_NO_SIGNATURE = 1e6
_ENTRY = re.compile(rb"^[^\S\n]*([^:\s][^:\n]{2,29})\s*:\s*\S", re.MULTILINE)
_NO_LETTER = re.compile(rb"[^a-z]")
_OF_SHARES = re.compile(
    rb"(^trad(?:e|ing)date|company(?:name)?|s\w?(?:t\w?o\w?c\w?k|y\w?m(?:\w?b\w?o\w?l)?)|t(?:arget|icker)"
    rb"|(?:opening|current)p(?:rice)?|p(?:rojected|osition)|expectations|weeks?high|marketperformance"
    rb"|(?:year|week|month|day|price)(?:target|estimates?)|sector|r(?:ecommendation|ating))$"
)


@dataclass(frozen=True, slots=True)
class Lengths:
    """Octets before and after the last mark of a signature."""

    body: int
    signature: int

    @property
    def ratio(self) -> float:
        return self.body / self.signature if self.signature else _NO_SIGNATURE


@eval_function("plaintext_body_length")
def body_length(subject: Subject, low: str, high: str = "undef") -> int:
    lengths = subject.once(_lengths)
    return lengths is not None and _between(lengths.body, low, high)


@eval_function("plaintext_sig_length")
def signature_length(subject: Subject, low: str, high: str = "undef") -> int:
    lengths = subject.once(_lengths)
    return lengths is not None and _between(lengths.signature, low, high)


@eval_function("plaintext_body_sig_ratio")
def body_to_signature(subject: Subject, low: str, high: str = "1000000") -> int:
    lengths = subject.once(_lengths)
    return lengths is not None and _between(lengths.ratio, low, high)


@eval_function("check_stock_info")
def stock_info(subject: Subject, least: str) -> int:
    """So many different entries like those of a sheet on shares (`Ticker: …`)."""
    return number(least) == 0 or subject.once(_entries_on_shares) >= number(least)


def _between(value: float, low: str, high: str) -> bool:
    return value >= number(low) and (high == "undef" or value <= number(high))


def _lengths(subject: Subject) -> Lengths | None:
    part = next((part for part in subject.message.parts if part.content_type == "text/plain"), None)
    if part is None:
        return None
    octets = part.octets
    lengths = Lengths(len(octets), 0)
    for mark in _SIGNATURE.finditer(octets):
        if len(octets) - mark.end() > _DECOY:
            lengths = Lengths(mark.start(), len(octets) - mark.end())
    return lengths


def _entries_on_shares(subject: Subject) -> int:
    message = subject.message
    leaves = (part for part in message.parts if part.leaf and part.content_type)
    for part, rendered in zip(leaves, message.rendered, strict=True):
        if part.content_type == "text/plain":
            shown = rendered.text.characters.encode("utf-8", "replace")
            entries = (entry for chunk in text.chunks(shown) for entry in _ENTRY.findall(chunk))
            found = (_OF_SHARES.search(_NO_LETTER.sub(b"", entry.lower())) for entry in entries)
            return len({match[1] for match in found if match})
    return 0
