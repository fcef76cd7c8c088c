"""Which character does an HTML entity stand for? HTML 4 names, with the leniency of HTML::Parser."""

import html.entities
import re
from collections.abc import Callable

_REFERENCE = re.compile(r"&(?:#([0-9]++)|#[xX]([0-9a-fA-F]++)|([A-Za-z0-9]++));?+")
_SURROGATE = re.compile("[\ud800-\udfff]")

ALWAYS = {
    name: chr(point)
    for name, point in html.entities.name2codepoint.items()
    if point < 256 or name in ("amp", "lt", "gt", "quot")
} | {"apos": "'"}
"""Names that count without their semicolon: what Latin-1 has."""
_LONGEST = max(map(len, ALWAYS))
WITH_SEMICOLON = {name: chr(point) for name, point in html.entities.name2codepoint.items()}
"""All names; those that are not among ALWAYS need it."""


def decode(text: str) -> str:
    """A piece of text with its references replaced; a name may run into the word behind it ("&copyright")."""
    return _replaced(text, _in_text) if "&" in text else text


def decode_value(text: str) -> str:
    """The value of an attribute, references replaced; here a name must stand alone ("?a=1&copy=2")."""
    return _replaced(text, _in_value) if "&" in text else text


def _replaced(text: str, character: Callable[[re.Match[str]], str]) -> str:
    decoded = _REFERENCE.sub(character, text)
    if "&#" in text and _SURROGATE.search(decoded):
        return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return decoded


def _in_value(reference: re.Match[str]) -> str:
    decimal, hexadecimal, name = reference.groups()
    if name:
        return _named(reference[0], name)
    return _numbered(reference[0], decimal or hexadecimal, 10 if decimal else 16)


def _in_text(reference: re.Match[str]) -> str:
    character = _in_value(reference)
    if character != reference[0] or not reference[3]:
        return character
    name = reference[3]
    for length in range(min(len(name) - 1, _LONGEST), 1, -1):
        if name[:length] in ALWAYS:
            return ALWAYS[name[:length]] + reference[0][1 + length :]
    return character


def _named(written: str, name: str) -> str:
    character = ALWAYS.get(name)
    if character:
        return character
    if written.endswith(";"):
        return WITH_SEMICOLON.get(name, written)
    return written


def _numbered(written: str, digits: str, base: int) -> str:
    digits = digits.lstrip("0")
    if not 0 < len(digits) <= 7:
        return written
    point = int(digits, base)
    if point > 0x10FFFF or point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF:
        return written
    return chr(point)
