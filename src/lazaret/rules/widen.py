"""Judging expressions, and widening those that a multi-pattern database should not hold as they are.

A widened expression matches everything that the original matches and more, so that a miss is final and a
match is confirmed with the original. Widening costs confirmations; not widening costs seconds of compilation
and megabytes of memory.
"""

from functools import lru_cache

from lazaret.rules.perl_regex import ANY, Chars, Choice, Edge, Node, Repeat, Sequence, Special

_WIDE_REPEAT = 32
"""A repeat that unrolls to more positions than this becomes open-ended."""

_WIDE_CHOICE = 24
_SPELLING_OCTETS = 8
"""A choice with more positions, whose texts are spellings of a letter (at most so many octets), becomes a run
of any of its octets, all above ASCII among them."""

_HIGH = ((1 << 128) - 1) << 128
_HEAD = 4
_MOST_HEADS = 400


def size(node: Node) -> int:
    """Positions after unrolling every bounded repeat: what a database has to hold."""
    match node:
        case Chars():
            return 1
        case Sequence(items):
            return sum(map(size, items))
        case Choice(branches):
            return sum(map(size, branches))
        case Repeat(item, low, high):
            return size(item) * max(high if high is not None else low, 1)
        case Special(item):
            return size(item) if item is not None else 1
        case Edge():
            return 0


def is_regular(node: Node) -> bool:
    """Whether it has no look-around, back reference or atomic group: Vectorscan matches it exactly."""
    match node:
        case Special():
            return False
        case Sequence(parts) | Choice(parts):
            return all(map(is_regular, parts))
        case Repeat(item):
            return is_regular(item)
        case _:
            return True


def widen(node: Node, *, coarse: bool = False) -> bytes:
    """The text of a wider expression, without flags (each set of octets is spelled out).

    Word lists are kept, since they are what a multi-pattern database is good at; when `coarse`, only the
    beginnings of their words.
    """
    items = node.items if isinstance(node, Sequence) else (node,)
    first = items[0] if items else node
    if isinstance(first, Edge) and first.text in ("^", "\\A"):
        return first.text.encode() + _spell(Sequence(items[1:]), coarse)
    return _spell(node, coarse)


def _spell(node: Node, coarse: bool) -> bytes:
    match node:
        case Chars(mask):
            return _spell_set(mask)
        case Sequence(items):
            return b"".join(_spell(i, coarse) for i in items)
        case Choice(branches):
            return _spell_choice(node, branches, coarse)
        case Repeat(item, low, high):
            return _spell_repeat(item, low, high, coarse)
        case Special(None, True):
            return b"[\\x00-\\xff]*"
        case Special(item) if item is not None:
            return _spell(item, coarse)
        case Edge(("\\b" | "\\B") as text) if not coarse:
            return text.encode()
        case _:
            return b""


def _spell_choice(node: Choice, branches: tuple[Node, ...], coarse: bool) -> bytes:
    if size(node) <= _WIDE_CHOICE:
        return b"(?:" + b"|".join(_spell(b, coarse) for b in branches) + b")"
    shortest, longest = _extent(node)
    if longest is not None and longest <= _SPELLING_OCTETS:
        return _spell_set(_octets(node) | _HIGH) + b"{%d,%d}" % (shortest, longest)
    if not coarse:
        return b"(?:" + b"|".join(_spell(b, coarse) for b in branches) + b")"
    heads = sorted({b"".join(map(_spell_set, head)) for head in _heads(node, _HEAD)})
    return b"(?:" + b"|".join(heads) + b")" + _spell_set(_octets(node)) + b"*"


def _heads(node: Node, length: int) -> set[tuple[int, ...]]:
    """The sets that a match can begin with, at most `length` of them; () where it may be empty."""
    match node:
        case Chars(mask):
            return {(mask,)}
        case Choice(branches):
            return _limited(set().union(*(_heads(b, length) for b in branches)))
        case Sequence(items):
            heads: set[tuple[int, ...]] = {()}
            for item in items:
                if all(len(h) >= length for h in heads):
                    break
                following = _heads(item, length)
                heads = _limited(
                    {(h + f)[:length] if len(h) < length else h for h in heads for f in following}
                )
            return heads
        case Repeat(item, low, high):
            once = _heads(item, length)
            if low == 0:
                return _limited(once | {()}) if high == 1 else {()}
            return {h[:1] for h in once} if high != 1 else once
        case Special(item, True) if item is not None:
            return _heads(item, length)
        case Special(None, True):
            return {()}
        case _:
            return {()}


def _limited(heads: set[tuple[int, ...]]) -> set[tuple[int, ...]]:
    """Too many beginnings say nothing any more."""
    return heads if len(heads) <= _MOST_HEADS else {()}


def _spell_repeat(item: Node, low: int, high: int | None, coarse: bool) -> bytes:
    inner = b"(?:" + _spell(item, coarse) + b")"
    if inner == b"(?:)":
        return b""
    positions = size(item)
    if high is not None and positions * high > _WIDE_REPEAT:
        high = None
    if positions * low > _WIDE_REPEAT:
        low = max(_WIDE_REPEAT // positions, 1)
    return inner + b"{%d,%s}" % (low, b"" if high is None else b"%d" % high)


def _extent(node: Node) -> tuple[int, int | None]:
    """Length in octets of the shortest and the longest text (None: no limit)."""
    match node:
        case Chars():
            return 1, 1
        case Sequence(items):
            extents = [_extent(i) for i in items]
            longest = None if any(e[1] is None for e in extents) else sum(e[1] or 0 for e in extents)
            return sum(e[0] for e in extents), longest
        case Choice(branches):
            extents = [_extent(b) for b in branches]
            longest = None if any(e[1] is None for e in extents) else max(e[1] or 0 for e in extents)
            return min(e[0] for e in extents), longest
        case Repeat(item, low, high):
            shortest, longest = _extent(item)
            return shortest * low, None if high is None or longest is None else longest * high
        case Special(None, True):
            return 0, None
        case Special(item) if item is not None:
            return _extent(item)
        case _:
            return 0, 0


def _octets(node: Node) -> int:
    """Every octet that can stand anywhere in a match."""
    match node:
        case Chars(mask):
            return mask
        case Sequence(parts) | Choice(parts):
            mask = 0
            for part in parts:
                mask |= _octets(part)
            return mask
        case Repeat(item):
            return _octets(item)
        case Special(None, True):
            return ANY
        case Special(item) if item is not None:
            return _octets(item)
        case _:
            return 0


def _spell_octet(octet: int) -> bytes:
    plain = b"%c" % octet
    return plain if plain.isalnum() else b"\\x%02x" % octet


@lru_cache(4096)
def _spell_set(mask: int) -> bytes:
    if mask == 0:
        return b"[^\\x00-\\xff]"
    if mask.bit_count() == 1:
        return _spell_octet(mask.bit_length() - 1)
    spelled = bytearray(b"[")
    octet = 0
    while mask >> octet:
        if not mask >> octet & 1:
            octet += 1
            continue
        last = octet
        while mask >> (last + 1) & 1:
            last += 1
        spelled += _spell_octet(octet) if last == octet else b"\\x%02x-\\x%02x" % (octet, last)
        octet = last + 1
    return bytes(spelled + b"]")
