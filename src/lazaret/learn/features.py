"""From the pieces of a message to numbers: keyed hashes of words, pairs, runs of four octets, and facts.

A feature is 32 bits: four name its zone, 28 are the hash. All of it is arithmetic on whole arrays: a word
is read as up to two numbers of eight octets, each multiplied by a secret odd number; their sum modulo
2**64 is mixed before any bit is dropped. Who does not know the site's secret cannot build words that
collide with others.

Where a compiled kernel is there (kernel.c), it does all of this in one pass, with the same result.
"""

import hashlib
import sys
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lazaret.learn import kernel
from lazaret.learn.zones import ANYWHERE, Facts, Kind, Pieces, View, Zone

Features: TypeAlias = NDArray[np.uint32]
"""Sorted, each once."""
_Hashes: TypeAlias = NDArray[np.uint64]
_Places: TypeAlias = NDArray[np.intp]

HASH_BITS = 28
WORD_OCTETS = 16
"""Longer words count by their beginning."""
WORDS_OCTETS = 24_576
"""Octets that are cut into words; the rest is not looked at."""

_WORD_OCTETS = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'$!-_%") | {
    *range(128, 256)
}
_IN_WORD = bytes(octet in _WORD_OCTETS for octet in range(256))
_LOWER = bytes(range(256)).lower()
_CHUNK = 8
_CHUNKS = WORD_OCTETS // _CHUNK
_KEPT = np.array(
    [
        [(1 << 8 * min(max(length - _CHUNK * number, 0), _CHUNK)) - 1 for length in range(WORD_OCTETS + 1)]
        for number in range(_CHUNKS)
    ],
    np.uint64,
)
"""Which bits of the chunk with this number belong to a word of this length."""
_PLACES_LIMIT = 1024
_FACTS_LIMIT = 4096
"""Facts whose hashes are kept."""
_PADDING = bytes(WORD_OCTETS)

_FORMS = [Kind(int(zone), "") for zone in Zone]
_ZONE_BITS = [zone << HASH_BITS for zone in range(len(Zone))]
_ANYWHERE_BITS = Zone.WORDS << HASH_BITS
_DROPPED = np.uint64(35)
"""Bits of a hash that go: so many that rows of a table, its lowest bits, are those of older lessons."""
_HASH = np.uint64((1 << HASH_BITS) - 1)
_HALF = np.uint64(32)


class Words(NamedTuple):
    """Every word in its order, and every pair of neighbours."""

    features: Features
    pairs: Features
    first: NDArray[np.intp]
    """Of each pair, the number of its first word."""
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    pieces: NDArray[np.intp]
    """Of each word, where it stands in `joined` of the pieces, and the number of its piece."""
    again: Features
    again_of: NDArray[np.intp]
    """What words are wherever they stand, and the number of the word."""


class Told(NamedTuple):
    """Every fact in its order, and every two of them."""

    features: Features
    pairs: Features
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    """Of each pair, the numbers of its facts."""


def joined(pieces: Pieces) -> bytes:
    """The octets in which the places of `Words` count."""
    return b"\n".join([b"", *pieces.octets, b""])[:WORDS_OCTETS]


def _digest(octets: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(octets, key=key, digest_size=8).digest()


class _Hashed(dict[bytes, bytes]):
    """Facts, and their hashes under a key, as this machine writes numbers."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._key = key

    def __missing__(self, fact: bytes) -> bytes:
        digest = _digest(fact, self._key)
        hashed = self[fact] = digest if sys.byteorder == "little" else digest[::-1]
        return hashed


class Hasher:
    """Makes features under one secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.blake2b(secret, person=b"lazaret.learn").digest()
        drawn = np.frombuffer(hashlib.shake_256(self._key).digest(8 * 16), np.uint64) | np.uint64(1)
        self._constants = drawn[: _CHUNKS + 5]
        self._chunk = drawn[:_CHUNKS]
        self._mix, self._pair, self._last, self._run, self._anywhere = drawn[_CHUNKS : _CHUNKS + 5]
        self._known_facts = _Hashed(self._key)
        self._places: dict[Kind, int] = {}
        self._salts = np.zeros(_PLACES_LIMIT, np.uint64)
        self._zones = np.zeros(_PLACES_LIMIT, np.uint32)
        self._again = np.zeros(_PLACES_LIMIT, np.uint32)
        """The zone in which the words of a piece count once more; 0 where they do not."""
        self._made: tuple[View | None, tuple[object, ...]] = (None, ())
        """What the kernel took of the last view: whoever asks for its words has just had its features."""

    def _salted(self, kinds: Sequence[Kind]) -> list[int]:
        """Where in `_salts` and `_zones` each kind finds what tells its words from those of others."""
        known = self._places
        if len(known) + len(kinds) > _PLACES_LIMIT:
            known.clear()  # names of header fields are the sender's to choose
        try:
            return list(map(known.__getitem__, kinds))
        except KeyError:
            self._salt(kinds)
        return list(map(known.__getitem__, kinds))

    def _salt(self, kinds: Sequence[Kind]) -> None:
        """Makes places for the kinds that have none."""
        known = self._places
        for kind in kinds:
            if kind not in known:
                number = known[kind] = len(known)
                name = kind.name.encode("utf-8", "replace")
                self._salts[number] = int.from_bytes(_digest(name, self._key), "little")
                self._zones[number] = kind.zone << HASH_BITS
                self._again[number] = _ANYWHERE_BITS if kind.name in ANYWHERE else 0

    def features(self, view: View) -> Features:
        """All features of a message."""
        if kernel.compiled:
            return self._compiled(view)
        words = self.words(view.pieces)
        told = [self.told(facts) for facts in view.facts]
        found = np.concatenate(
            [words.features, words.pairs, words.again, self._runs(view.runs)]
            + [features for facts in told for features in (facts.features, facts.pairs)]
        )
        found.sort()
        if len(found) < 2:
            return found
        fresh = np.empty(len(found), np.bool_)
        fresh[0] = True
        np.not_equal(found[1:], found[:-1], out=fresh[1:])
        unique: Features = found.compress(fresh)
        return unique

    def named(
        self,
        view: View,
        features: Features,
        shares: NDArray[np.float32],
        names: tuple[list[str], list[list[tuple[str, str]]]],
        *,
        most: int,
        longest: int,
    ) -> dict[tuple[str, str], float]:
        """By the kernel: what the `most` words of the strongest shares, and all facts, add to the score.

        `names`: the groups of the pieces, and of each fact its group and name. Of a word `longest` octets
        are its name. `features` are those of the view, or ValueError.
        """
        assert kernel.compiled
        found: dict[tuple[str, str], float] = kernel.compiled.named(
            self._for_kernel(view), features, shares, *names, most, longest
        )
        return found

    def _compiled(self, view: View) -> Features:
        """All features, by the kernel."""
        assert kernel.compiled
        features: Features = np.frombuffer(kernel.compiled.features(*self._for_kernel(view)), np.uint32)
        return features

    def _for_kernel(self, view: View) -> tuple[object, ...]:
        last, made = self._made
        if last is not view:
            made = self._make_for_kernel(view)
            self._made = view, made
        return made

    def _make_for_kernel(self, view: View) -> tuple[object, ...]:
        kinds = view.pieces.kinds[:_PLACES_LIMIT]
        runs = view.runs
        forms = [_FORMS[zone] for zone, _ in view.facts]
        places = self._salted([*kinds, *runs.kinds, *forms])
        first, last = len(kinds), len(kinds) + len(runs)
        return (
            joined(view.pieces),
            list(map(len, view.pieces.octets[:_PLACES_LIMIT])),
            places[:first],
            runs.octets,
            places[first:last],
            [self._hashes_of_facts(facts) for facts in view.facts],
            places[last:],
            self._salts,
            self._zones,
            self._again,
            self._constants,
            _IN_WORD,
        )

    def words(self, pieces: Pieces) -> Words:
        """The words of all pieces with their places; upper and lower case are alike."""
        octets = joined(pieces)
        inside = np.frombuffer(octets.translate(_IN_WORD), np.bool_)
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        edges += 1
        starts, ends = edges[0::2], edges[1::2]
        starts = starts[: len(ends)]  # a word that the limit has cut
        hashes = self._hashes(
            octets.translate(_LOWER) + _PADDING, starts, np.minimum(ends - starts, WORD_OCTETS)
        )
        kinds = pieces.kinds[:_PLACES_LIMIT]
        borders = list(accumulate([len(octets) + 1 for octets in pieces.octets[:_PLACES_LIMIT]], initial=1))
        counts = np.diff(starts.searchsorted(borders))
        numbers = np.arange(len(kinds)).repeat(counts)
        places = np.array(self._salted(kinds), np.intp).repeat(counts)
        salts, zones = self._salts[places], self._zones[places]
        first = np.flatnonzero(numbers[1:] == numbers[:-1])
        both = hashes[:-1] * self._pair
        both += hashes[1:]
        both += salts[:-1]
        again = self._again[places]
        again_of = np.flatnonzero(again)
        anywhere = hashes[again_of] + self._anywhere
        hashes += salts
        return Words(
            self._finish(hashes, zones),
            self._finish(both[first], zones[first]),
            first,
            starts,
            ends,
            numbers,
            self._finish(anywhere, again[again_of]),
            again_of,
        )

    def told(self, facts: Facts) -> Told:
        """Every fact, and every two of them: what one says depends on the others."""
        hashes = np.frombuffer(self._hashes_of_facts(facts), np.uint64)
        (place,) = self._salted([_FORMS[facts.zone]])
        salt, zone = self._salts[place], self._zones[place : place + 1]
        first, second = np.triu_indices(len(hashes), 1)
        both = hashes[first] * self._pair
        both += hashes[second]
        both += salt
        return Told(self._finish(hashes + salt, zone), self._finish(both, zone), first, second)

    def _hashes_of_facts(self, facts: Facts) -> bytes:
        """Of each fact 64 bits, as this machine writes numbers."""
        known = self._known_facts
        if len(known) > _FACTS_LIMIT:
            known.clear()  # shapes are the sender's to choose
        return b"".join(map(known.__getitem__, facts.told))

    def _hashes(self, octets: bytes, starts: _Places, lengths: _Places) -> _Hashes:
        """Of the words that begin at `starts`; the octets go on for WORD_OCTETS after the last one."""
        chunks: _Hashes = np.ndarray((len(octets) - _CHUNK + 1,), "<u8", octets, strides=(1,))
        hashes: _Hashes = (chunks[starts] & _KEPT[0][lengths]) * self._chunk[0]
        longer = np.flatnonzero(lengths > _CHUNK)
        for number in range(1, _CHUNKS):
            if not len(longer):
                break
            part = chunks[starts[longer] + _CHUNK * number] & _KEPT[number][lengths[longer]]
            hashes[longer] += part * self._chunk[number]
            longer = longer[lengths[longer] > _CHUNK * (number + 1)]
        hashes ^= hashes >> _HALF
        hashes *= self._mix
        hashes ^= hashes >> _HALF
        return hashes

    def _runs(self, pieces: Pieces) -> Features:
        """Every run of four octets, upper and lower case apart."""
        kinds = [kind for kind, octets in zip(pieces.kinds, pieces.octets, strict=True) if len(octets) >= 4]
        if not kinds:
            return np.zeros(0, np.uint32)
        found = [
            np.ndarray((len(octets) - 3,), "<u4", octets, strides=(1,))
            for octets in pieces.octets
            if len(octets) >= 4
        ]
        lengths = [len(runs) for runs in found]
        hashes = np.concatenate(found).astype(np.uint64)
        hashes *= self._run
        places = self._salted(kinds)
        hashes += self._salts[places].repeat(lengths)
        hashes ^= hashes >> _HALF
        return self._finish(hashes, self._zones[places].repeat(lengths))

    def _finish(self, hashes: _Hashes, zones: Features) -> Features:
        hashes *= self._last
        hashes >>= _DROPPED
        hashes &= _HASH
        features: Features = hashes.astype(np.uint32)
        features |= zones
        return features


def zone_bounds(features: Features) -> NDArray[np.intp]:
    """Where each zone begins among the features, and where the last one ends."""
    return np.append(features.searchsorted(_ZONE_STARTS), len(features))


_ZONE_STARTS = np.array(_ZONE_BITS, np.uint32)
