"""Judging expressions, and widening those that a multi-pattern database should not hold as they are.

A widened expression matches everything that the original matches and more, so that a miss is final and a
match is confirmed with the original. Widening costs confirmations; not widening costs seconds of compilation
and megabytes of memory.
"""

from collections.abc import Iterator

from lazaret.rules.perl_regex import ANY, EMPTY, Chars, Choice, Edge, Node, Repeat, Sequence, Special

_WIDE_REPEAT = 32
"""A repeat that unrolls to more positions than this becomes open-ended."""

_HIGH = ((1 << 128) - 1) << 128
_CASES = 2
"""A letter is at most so many octets: the small and the capital one."""

_WIDE_CHOICE = 24
_SPELLING_OCTETS = 8
"""A choice with more positions, whose texts are spellings of a letter (one octet, or a few), becomes
one of their first octets and a run of the others."""


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


def is_wordy(node: Node) -> bool:
    """Whether most of its positions are letters, not sets of octets."""
    letters = sum(mask.bit_count() <= _CASES for mask in _masks(node))
    return 2 * letters >= sum(1 for _ in _masks(node))


def _masks(node: Node) -> Iterator[int]:
    match node:
        case Chars(mask):
            yield mask
        case Sequence(parts) | Choice(parts):
            for part in parts:
                yield from _masks(part)
        case Repeat(item):
            yield from _masks(item)
        case _:
            return


def widen(node: Node) -> Node:
    """A wider expression. Word lists are kept, since they are what a multi-pattern database is good at.

    Only the first item may be a line edge, where Vectorscan takes one.
    """
    items = node.items if isinstance(node, Sequence) else (node,)
    first = items[0] if items else node
    if isinstance(first, Edge) and first.text in ("^", "\\A"):
        return Sequence((first, *map(_widen, items[1:])))
    return _widen(node)


def without_edges(node: Node) -> Node:
    """A wider expression that matches wherever the text stands, whatever comes before it and after it."""
    return _widen(node)


def with_fewer_repeats(node: Node, positions: int) -> Node:
    """A wider expression: what is long and must stand there several times need not do so that often."""
    match node:
        case Sequence(items):
            return Sequence(tuple(with_fewer_repeats(i, positions) for i in items))
        case Choice(branches):
            return Choice(tuple(with_fewer_repeats(b, positions) for b in branches))
        case Repeat(item, low) if low * size(item) > positions >= size(item):
            return Repeat(item, positions // size(item), positions // size(item))
        case _:
            return node


def _widen(node: Node) -> Node:
    match node:
        case Sequence(items):
            return Sequence(tuple(flat for item in items for flat in _flat(_widen(item))))
        case Choice(branches):
            return _widen_choice(node, branches)
        case Repeat(item, low, high):
            return _widen_repeat(_widen(item), low, high)
        case Special(None, True):
            return Repeat(Chars(ANY), 0, None)
        case Special(item, True) if item is not None:
            return _widen(item)
        case Chars() | Edge("\\b" | "\\B"):
            return node
        case _:
            return EMPTY


def _flat(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else (node,)


def _widen_choice(node: Choice, branches: tuple[Node, ...]) -> Node:
    if _is_letter(node):
        return _letter(_first(node), _following(node))
    return Choice(tuple(dict.fromkeys(map(_widen, branches))))


def spells_letters(node: Node) -> bool:
    """Whether letters stand in it in many spellings, as in the FUZZY rules of SpamAssassin."""
    match node:
        case Choice(branches):
            return _is_letter(node) or any(map(spells_letters, branches))
        case Sequence(items):
            return any(map(spells_letters, items))
        case Repeat(item) | Special(item) if item is not None:
            return spells_letters(item)
        case _:
            return False


def _is_letter(node: Choice) -> bool:
    if size(node) <= _WIDE_CHOICE:
        return False
    shortest, longest = _extent(node)
    return shortest == 1 and longest is not None and longest <= _SPELLING_OCTETS


def _letter(first: int, following: int) -> Node:
    """All octets above ASCII count as one: sets that are alike make small databases."""
    sets = [mask | _HIGH if mask & _HIGH else mask for mask in (first, following)]
    return Sequence((Chars(sets[0]), Repeat(Chars(sets[1]), 0, None)))


def _widen_repeat(item: Node, low: int, high: int | None) -> Node:
    positions = size(item)
    if not positions:
        return EMPTY
    if high is not None and positions * high > _WIDE_REPEAT:
        high = None
    if positions * low > _WIDE_REPEAT:
        low = min(low, max(_WIDE_REPEAT // positions, 2))
    return Repeat(item, low, high)


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


def octets(node: Node) -> int:
    """Every octet that can stand anywhere in a match."""
    match node:
        case Chars(mask):
            return mask
        case Sequence(parts) | Choice(parts):
            mask = 0
            for part in parts:
                mask |= octets(part)
            return mask
        case Repeat(item):
            return octets(item)
        case Special(None, True):
            return ANY
        case Special(item) if item is not None:
            return octets(item)
        case _:
            return 0


def _first(node: Node) -> int:
    """Every octet that a match can begin with."""
    match node:
        case Sequence(items):
            mask = 0
            for item in items:
                mask |= _first(item)
                if _extent(item)[0]:
                    break
            return mask
        case Choice(branches):
            mask = 0
            for branch in branches:
                mask |= _first(branch)
            return mask
        case Repeat(item) | Special(item, True) if item is not None:
            return _first(item)
        case _:
            return octets(node)


def _following(node: Node) -> int:
    """Every octet that can stand in a match after its first one."""
    match node:
        case Chars():
            return 0
        case Sequence((first, *rest)):
            mask = _following(first) if _extent(first) == (1, 1) else octets(first)
            return mask | octets(Sequence(tuple(rest)))
        case Choice(branches):
            mask = 0
            for branch in branches:
                mask |= _following(branch)
            return mask
        case _:
            return octets(node)
