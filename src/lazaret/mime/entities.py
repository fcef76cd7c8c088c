"""Which character does an HTML entity stand for? HTML 4 names, with the leniency of HTML::Parser."""

import html.entities
import re

_REFERENCE = re.compile(r"&(?:#([0-9]++)|#[xX]([0-9a-fA-F]++)|([A-Za-z0-9]++));?+")
_SURROGATE = re.compile("[\ud800-\udfff]")

_ALWAYS = {
    name: chr(point)
    for name, point in html.entities.name2codepoint.items()
    if point < 256 or name in ("amp", "lt", "gt", "quot")
} | {"apos": "'"}
"""Names that count without their semicolon: what Latin-1 has."""
_WITH_SEMICOLON = {name: chr(point) for name, point in html.entities.name2codepoint.items()}


def decode(text: str) -> str:
    """The text with its references replaced; what is no reference stays as written."""
    if "&" not in text:
        return text
    decoded = _REFERENCE.sub(_character, text)
    if _SURROGATE.search(decoded):
        return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return decoded


def _character(reference: re.Match[str]) -> str:
    decimal, hexadecimal, name = reference.groups()
    if name:
        return _named(reference[0], name)
    digits = (decimal or hexadecimal).lstrip("0")
    if not 0 < len(digits) <= 7:
        return reference[0]
    point = int(digits, 10 if decimal else 16)
    if point > 0x10FFFF or point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF:
        return reference[0]
    return chr(point)


def _named(written: str, name: str) -> str:
    character = _ALWAYS.get(name)
    if character:
        return character
    if written.endswith(";"):
        return _WITH_SEMICOLON.get(name, written)
    return written
