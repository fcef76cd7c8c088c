"""A parse tree spelled out as an expression for Vectorscan, as short as it can be: its texts are limited."""

from functools import lru_cache

from lazaret.rules.perl_regex import ANY, Chars, Choice, Edge, Node, Repeat, Sequence, Special

_UPPER = ((1 << 26) - 1) << 0x41
_LOWER = _UPPER << 32
_SHORT_HANDS = {
    ((1 << 10) - 1) << 0x30 | _UPPER | _LOWER | 1 << 0x5F: b"\\w",
    ((1 << 10) - 1) << 0x30: b"\\d",
    ((1 << 5) - 1) << 9 | 1 << 0x20: b"\\s",
}


def is_caseless(node: Node) -> bool:
    """Whether every set holds a letter in both cases or not at all."""
    match node:
        case Chars(mask):
            return (mask & _UPPER) << 32 == mask & _LOWER
        case Sequence(parts) | Choice(parts):
            return all(map(is_caseless, parts))
        case Repeat(item):
            return is_caseless(item)
        case Special(item) if item is not None:
            return is_caseless(item)
        case _:
            return True


def spell(node: Node, *, caseless: bool = False) -> bytes:
    """The expression without flags. `caseless`: it will be compiled so, and small letters are enough.

    What is no regular expression is left out, or becomes any text where it takes up text: it widens.
    """
    match node:
        case Chars(mask):
            return _spell_set(mask, caseless)
        case Sequence(items):
            return b"".join(spell(i, caseless=caseless) for i in items)
        case Choice(branches):
            return b"(?:" + b"|".join(spell(b, caseless=caseless) for b in branches) + b")"
        case Repeat(item, low, high):
            return _spell_repeat(spell(item, caseless=caseless), isinstance(item, Chars | Choice), low, high)
        case Special(None, True):
            return b"[\\x00-\\xff]*"
        case Special(item) if item is not None:
            return spell(item, caseless=caseless)
        case Edge(text):
            return text.encode()
        case _:
            return b""


def _spell_repeat(inner: bytes, single: bool, low: int, high: int | None) -> bytes:
    if not inner or inner == b"(?:)":
        return b""
    if not single:
        inner = b"(?:" + inner + b")"
    quantifier = {(0, 1): b"?", (0, None): b"*", (1, None): b"+", (1, 1): b""}.get((low, high))
    if quantifier is None:
        quantifier = b"{%d,%s}" % (low, b"" if high is None else b"%d" % high)
    return inner + quantifier


@lru_cache(4096)
def _spell_set(mask: int, caseless: bool) -> bytes:
    if mask == 0:
        return b"[^\\x00-\\xff]"
    if mask in _SHORT_HANDS:
        return _SHORT_HANDS[mask]
    if mask.bit_count() > 128 and mask != ANY:
        return b"[^" + _ranges(ANY & ~mask) + b"]"
    if caseless and mask != ANY:
        mask &= ~_UPPER
    if mask.bit_count() == 1:
        return _spell_octet(mask.bit_length() - 1)
    return b"[" + _ranges(mask) + b"]"


def _ranges(mask: int) -> bytes:
    spelled = bytearray()
    for known, text in _SHORT_HANDS.items():
        if mask & known == known:
            spelled += text
            mask &= ~known
    octet = 0
    while mask >> octet:
        if not mask >> octet & 1:
            octet += 1
            continue
        last = octet
        while mask >> (last + 1) & 1:
            last += 1
        spelled += _spell_octet(octet)
        if last > octet:
            spelled += (b"-" if last > octet + 1 else b"") + _spell_octet(last)
        octet = last + 1
    return bytes(spelled)


def _spell_octet(octet: int) -> bytes:
    plain = b"%c" % octet
    if plain.isalnum():
        return plain
    return b"\\" + plain if 0x20 < octet < 0x7F else b"\\x%02x" % octet
