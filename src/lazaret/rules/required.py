"""What a text must contain if a long expression is to match: the part of it that says most for its size.

A word list asks for the most telling part of each of its words, a repeated item for the end of one and the
beginning of the next.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

from lazaret.rules.perl_regex import EMPTY, Chars, Choice, Node, Repeat, Sequence, Special
from lazaret.rules.widen import size

_ENOUGH_BITS = 34.0
"""A part that says more is found in ordinary text so rarely that a longer one gains nothing."""

_LEAST_POSITIONS = 24
"""Even one of many branches may be so long."""

_MOST_BETWEEN = 400
_MOST_AT_ONCE = 400
_BEGINNING = 3
_MOST_BEGINNINGS = 1000
_USUAL = {b"etaoinshrdlu ": 0.06, b"cmfgypwbvkxjqz": 0.015, b"0123456789.,-/\n": 0.008}
"""How often an octet stands in mail, about; any other one of ASCII is rarer, and those above rarer still."""

_ASCII, _HIGH = 0.004, 0.0005


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression and how much it says: the chance of finding it by accident is 2 ** -bits."""

    bits: float
    node: Node

    @property
    def worth(self) -> tuple[float, int]:
        """The greater the better: bits as far as they are of use, then shortness."""
        return min(self.bits, _ENOUGH_BITS), -size(self.node)


def part(node: Node, positions: int) -> Part:
    """The most telling part with about so many positions. Every match of `node` contains a match of it."""
    whole = Part(bits(node), node)
    if size(node) <= positions:
        return whole
    match node:
        case Sequence(items):
            return _of_sequence(items, positions)
        case Choice(branches):
            each = max(positions // len(branches), _LEAST_POSITIONS)
            parts = [part(branch, each) for branch in branches]
            return Part(min(p.bits for p in parts), Choice(tuple(dict.fromkeys(p.node for p in parts))))
        case Repeat(item, low) if low >= 2:
            return max(_boundary(item), part(item, positions), key=lambda p: p.worth)
        case Repeat(item, 1) | Special(item, True) if item is not None:
            return part(item, positions)
        case _:
            return Part(0, EMPTY)


def _of_sequence(items: tuple[Node, ...], positions: int) -> Part:
    """The best of its runs of items that are short enough, and of the parts of its long items."""
    best = Part(0, EMPTY)
    for start, item in enumerate(items):
        if size(item) > positions:
            best = max(best, part(item, positions), key=lambda p: p.worth)
            continue
        taken, said = 0, 0.0
        for end in range(start, len(items)):
            taken += size(items[end])
            if taken > positions:
                break
            said += bits(items[end])
            best = max(best, Part(said, Sequence(items[start : end + 1])), key=lambda p: p.worth)
            if said >= _ENOUGH_BITS:
                break
    return best


def _boundary(item: Node) -> Part:
    """Where one text of the item ends and the next one begins: from its largest list to the same again."""
    items = item.items if isinstance(item, Sequence) else (item,)
    largest = max(range(len(items)), key=lambda place: size(items[place]))
    between = items[largest + 1 :] + items[:largest]
    if sum(map(size, between)) > _MOST_BETWEEN:
        return Part(0, EMPTY)
    beginnings = sorted({masks for masks, _ in _beginnings(items[largest], _BEGINNING)})
    again = Choice(tuple(Sequence(tuple(map(Chars, masks))) for masks in beginnings))
    node = Choice(tuple(Sequence((list_, *between, again)) for list_ in _split(items[largest])))
    return Part(bits(node), node)


def _split(node: Node) -> list[Node]:
    """A choice as several that are not too long each: Vectorscan refuses what has too many positions."""
    if not isinstance(node, Choice):
        return [node]
    lists: list[list[Node]] = [[]]
    for branch in sorted(node.branches, key=size):
        if lists[-1] and sum(map(size, lists[-1])) + size(branch) > _MOST_AT_ONCE:
            lists.append([])
        lists[-1].append(branch)
    return [Choice(tuple(branches)) for branches in lists]


_Beginnings = set[tuple[tuple[int, ...], bool]]
"""Sets of octets one after the other; True beside those that are a whole text, which something may follow."""


def _beginnings(node: Node, length: int) -> _Beginnings:
    """What its texts begin with, at most `length` octets."""
    match node:
        case Chars(mask):
            return {((mask,), True)}
        case Choice(branches):
            return _limited(set().union(*(_beginnings(b, length) for b in branches)))
        case Sequence(items):
            return _chain(items, length)
        case Repeat(item, low, high):
            most = length if high is None else min(high, length)
            times = range(min(low, length), most + 1)
            return _limited(set().union(*(_chain((item,) * n, length) for n in times)))
        case Special(item, True):
            return {((), False)} if item is None else _beginnings(item, length)
        case _:
            return {((), True)}


def _chain(items: tuple[Node, ...], length: int) -> _Beginnings:
    chained: _Beginnings = {((), True)}
    for item in items:
        open_ones = {masks for masks, whole in chained if whole and len(masks) < length}
        if not open_ones:
            break
        longer = {(masks, whole) for masks, whole in chained if masks not in open_ones or not whole}
        for more, whole in _beginnings(item, length):
            longer |= {
                ((masks + more)[:length], whole and len(masks + more) <= length) for masks in open_ones
            }
        chained = _limited(longer)
    return chained


def _limited(found: _Beginnings) -> _Beginnings:
    """Too many of them say nothing any more."""
    return found if len(found) <= _MOST_BEGINNINGS else {((), False)}


def bits(node: Node) -> float:
    """How much a match says: the chance of a match at a given place of ordinary text is 2 ** -bits."""
    match node:
        case Chars(mask):
            return _bits_of_set(mask)
        case Sequence(items):
            return sum(map(bits, items))
        case Choice(branches):
            return min(map(bits, branches), default=0)
        case Repeat(item, low):
            return low * bits(item)
        case Special(item, True) if item is not None:
            return bits(item)
        case _:
            return 0


@lru_cache(4096)
def _bits_of_set(mask: int) -> float:
    chance = 0.0
    for octet in range(256):
        if mask >> octet & 1:
            chance += _HIGH if octet > 127 else next((c for t, c in _USUAL.items() if octet in t), _ASCII)
    return -math.log2(min(max(chance, 1e-9), 1.0))
