"""Which words must a text contain if an expression is to match? The rarer they are, the better it can be
searched together with others: Vectorscan looks for all words at once, and runs an expression from there.
"""

import math
from functools import cache, lru_cache

from lazaret.rules.perl_regex import ANY, Chars, Choice, Edge, Node, Repeat, Sequence, Special
from lazaret.rules.required import bits

_MOST_IN_SET = 4
_MOST_WORDS = 48
_MOST_REPEATS = 3
_LONGEST_SAID = 30.0
"""Bits beyond which a word is as good as any."""

Words = frozenset[bytes]
"""Small letters stand for capitals too."""


def telling(node: Node) -> float:
    """How much the best set of words says, of which each match contains one: the chance of finding one of
    them at a given place of ordinary text is 2 ** -bits. 0 when there is no such set."""
    return _said(required_words(node))


def required_words(node: Node) -> Words:
    """Of the sets of words of which each match contains one the one that says most; empty without any."""
    return max(_read(node).required, key=_said, default=frozenset())


class _Reading:
    """What is known of the texts of an expression."""

    __slots__ = ("every", "required")

    def __init__(self, every: Words | None, required: tuple[Words, ...] = ()) -> None:
        self.every = every
        """All of them, where they are few."""
        self.required = required if every is None or not all(every) else (*required, every)
        """Sets of words, each text containing a word of each set."""


_NO_TEXT = frozenset([b""])


def _read(node: Node) -> _Reading:
    match node:
        case Chars(mask):
            return _Reading(_of_set(mask))
        case Edge() | Special(None, False):
            return _Reading(_NO_TEXT)
        case Special(item, True) if item is not None:
            return _read(item)
        case Choice(branches):
            return _read_choice([_read(branch) for branch in branches])
        case Repeat(item, low, high):
            return _read_repeat(_read(item), low, high)
        case Sequence(items):
            return _read_sequence([_read(item) for item in items])
        case _:
            return _Reading(None)


@lru_cache(4096)
def _of_set(mask: int) -> Words | None:
    if mask == ANY or mask.bit_count() > 2 * _MOST_IN_SET:
        return None
    octets = {b"%c" % octet for octet in range(256) if mask >> octet & 1}
    words = frozenset(octet.lower() for octet in octets)
    return words if len(words) <= _MOST_IN_SET else None


def _read_choice(branches: list[_Reading]) -> _Reading:
    every = [branch.every for branch in branches]
    all_of_them = frozenset[bytes]().union(*(e for e in every if e is not None))
    known = all(e is not None for e in every) and len(all_of_them) <= _MOST_WORDS
    required = [max(branch.required, key=_said, default=None) for branch in branches]
    joined = frozenset[bytes]().union(*(r for r in required if r is not None))
    usable = all(r is not None for r in required) and len(joined) <= 4 * _MOST_WORDS
    return _Reading(all_of_them if known else None, (joined,) if usable else ())


def _read_repeat(item: _Reading, low: int, high: int | None) -> _Reading:
    required = item.required if low else ()
    if item.every is None or high is None or high > _MOST_REPEATS:
        return _Reading(None, required)
    every: set[bytes] = set()
    texts = _NO_TEXT
    for times in range(high + 1):
        if times >= low:
            every |= texts
        if len(texts) * len(item.every) > _MOST_WORDS:
            return _Reading(None, required)
        texts = frozenset(a + b for a in texts for b in item.every)
    return _Reading(frozenset(every) if len(every) <= _MOST_WORDS else None, required)


def _read_sequence(items: list[_Reading]) -> _Reading:
    """Words grow along items whose texts are few, and begin anew behind one whose texts are many."""
    required: list[Words] = []
    words, whole = _NO_TEXT, True
    for item in items:
        required += item.required
        if item.every is not None and len(words) * len(item.every) <= _MOST_WORDS:
            words = frozenset(a + b for a in words for b in item.every)
            continue
        whole = False
        required.append(words)
        words = item.every if item.every is not None else _NO_TEXT
    best = max((r for r in [*required, words] if all(r)), key=_said, default=None)
    return _Reading(words if whole else None, () if best is None else (best,))


@lru_cache(4096)
def _said(words: Words) -> float:
    chance = sum(2 ** -min(sum(map(_bits, word)), _LONGEST_SAID) for word in words)
    return -math.log2(chance) if chance else 0.0


@cache
def _bits(octet: int) -> float:
    capital = 1 << (octet - 32) if 0x61 <= octet <= 0x7A else 0
    return bits(Chars(1 << octet | capital))
