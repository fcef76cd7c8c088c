"""Where may a match of a long expression begin? By its first three octets, so that it is tried nowhere else.

An expression that begins with one of a hundred words is otherwise tried at every octet of a text, and takes
fifty steps there to find that none of them stands there.
"""

import re
from collections.abc import Iterable

from lazaret.rules import perl_regex, widen
from lazaret.rules.book import Regex
from lazaret.rules.perl_regex import Chars, Choice, Edge, Node, RegexError, Repeat, Sequence, Special
from lazaret.rules.required import bits

_OCTETS = 3
_VALUES = 32
"""An octet counts as its last five bits: a small letter as the capital one."""

_LONG = 200
"""Positions of an expression for which it pays."""

_OFTEN = 0.1
"""Of the places of ordinary text, so many at most."""

_MOST = 4_000
_COMMENTS = re.compile(rb"\(\?[a-z]*x")

_Beginnings = frozenset[tuple[tuple[int, ...], bool]]
"""Values, and whether that is a whole text, which something may follow."""

_NO_BEGINNINGS: _Beginnings = frozenset()
_NOTHING: _Beginnings = frozenset([((), True)])
_UNKNOWN: _Beginnings = frozenset([((), False)])


def starts(regex: Regex) -> bytes | None:
    """A bit for each three values, the first being the highest; None: not known, or it would not pay."""
    if "x" in regex.modifiers or _COMMENTS.search(regex.source):
        return None  # A group around it (`anchored`) might end in a comment.
    try:
        node = perl_regex.parse(regex.source, regex.modifiers)
    except RegexError:
        return None
    if widen.size(node) < _LONG:
        return None
    found = {values for values, _ in _beginnings(node)}
    if any(len(values) < _OCTETS for values in found) or sum(map(_chance, found)) > _OFTEN:
        return None
    if len({values[0] for values in found}) == 1:
        return None  # PCRE2 looks for it by itself.
    table = bytearray(_VALUES**_OCTETS // 8)
    for first, second, third in found:
        number = (first * _VALUES + second) * _VALUES + third
        table[number // 8] |= 1 << number % 8
    return bytes(table)


def anchored(expression: bytes) -> bytes:
    """The same, for trying it at one place of a text."""
    return b"\\G(?:" + expression + b")"


def _beginnings(node: Node) -> _Beginnings:
    match node:
        case Chars(mask):
            return frozenset(((octet % _VALUES,), True) for octet in range(256) if mask >> octet & 1)
        case Choice(branches):
            return _limited(_NO_BEGINNINGS.union(*map(_beginnings, branches)))
        case Sequence(items):
            return _chain(map(_beginnings, items))
        case Repeat(item, low, high):
            each = _beginnings(item)
            most = _OCTETS if high is None else min(high, _OCTETS)
            times = range(min(low, _OCTETS), most + 1)
            return _limited(_NO_BEGINNINGS.union(*(_chain([each] * n) for n in times)))
        case Edge() | Special(None, False):
            return _NOTHING
        case Special(item, True) if item is not None:
            return _beginnings(item)
        case _:
            return _UNKNOWN


def _chain(items: Iterable[_Beginnings]) -> _Beginnings:
    """One behind the other; what comes later than three octets is not looked at."""
    chained = _NOTHING
    each = iter(items)
    while open_ones := [values for values, whole in chained if whole and len(values) < _OCTETS]:
        item = next(each, None)
        if item is None:
            break
        longer = {(values, whole) for values, whole in chained if not whole or len(values) == _OCTETS}
        for values in open_ones:
            longer.update(((values + more)[:_OCTETS], whole) for more, whole in item)
        chained = _limited(frozenset(longer))
    return chained


def _limited(found: _Beginnings) -> _Beginnings:
    return found if len(found) <= _MOST else _UNKNOWN


def _chance(values: tuple[int, ...]) -> float:
    """That ordinary text has them at a given place."""
    chance = 1.0
    for value in values:
        chance *= _CHANCES[value]
    return chance


def _octets(value: int) -> int:
    return sum(1 << octet for octet in range(256) if octet % _VALUES == value)


_CHANCES = [2 ** -bits(Chars(_octets(value))) for value in range(_VALUES)]
