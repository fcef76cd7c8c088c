"""From the pieces of a message to numbers: keyed hashes of words, pairs of words and runs of four octets.

A feature is 32 bits: three name its zone, 29 are the hash. All of it is arithmetic on whole arrays: the
hash of the word from `i` to `j` is `(P[j] - P[i]) * k**-i` of one running sum P over the whole text
(Karp and Rabin), modulo 2**64, with k and the values of the octets drawn from the site's secret. Who
does not know it cannot build words that collide with others. The words are cut short before the known
weakness of sums modulo 2**64 (Thue-Morse sequences) could bite, and mixed before any bit is dropped.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lazaret.learn.zones import Piece, View, Zone

Features: TypeAlias = NDArray[np.uint32]
"""Sorted, each once."""
_Hashes: TypeAlias = NDArray[np.uint64]

HASH_BITS = 29
WORD_OCTETS = 32
"""Longer words count by their beginning."""
WORDS_OCTETS = 24_576
"""Octets that are cut into words; the rest is not looked at."""

_WORD = np.zeros(256, np.bool_)
_WORD[list(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'$!-_%")] = True
_WORD[128:] = True
_LOWER = np.arange(256, dtype=np.uint8)
_LOWER[ord("A") : ord("Z") + 1] += 32

_DROPPED = np.uint64(64 - HASH_BITS)
_HALF = np.uint64(32)


class Words(NamedTuple):
    """Every word in its order, and every pair of neighbours."""

    features: Features
    pairs: Features
    first: NDArray[np.intp]
    """Of each pair, the number of its first word."""
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    pieces: NDArray[np.uint16]
    """Of each word, where it stands in `joined` of the pieces, and the number of its piece."""


def joined(pieces: Sequence[Piece]) -> bytes:
    """The octets in which the places of `Words` count."""
    return b"\n".join([*(piece.octets for piece in pieces), b""])


class Hasher:
    """Makes features under one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        drawn = np.frombuffer(hashlib.shake_256(b"lazaret features" + secret).digest(8 * 264), np.uint64)
        self._octet_values = drawn[:256].copy()
        odd = drawn[256:] | np.uint64(1)
        self._base, self._mix, self._pair, self._zone_mix, self._run = odd[:5]
        self.salt = lru_cache(maxsize=1024)(self._salt)

    @cached_property
    def _powers(self) -> _Hashes:
        return _powers_of(int(self._base))

    @cached_property
    def _inverse_powers(self) -> _Hashes:
        return _powers_of(pow(int(self._base), -1, 1 << 64))

    def _salt(self, name: str) -> int:
        key = self._secret[:64]
        octets = name.encode("utf-8", "replace")
        return int.from_bytes(hashlib.blake2b(octets, key=key, digest_size=8).digest(), "little")

    def features(self, view: View) -> Features:
        """All features of a message."""
        words = self.words(view.pieces)
        found = np.concatenate([words.features, words.pairs, *(self.runs(piece) for piece in view.runs)])
        found.sort()
        if len(found) < 2:
            return found
        fresh = np.empty(len(found), np.bool_)
        fresh[0] = True
        np.not_equal(found[1:], found[:-1], out=fresh[1:])
        unique: Features = found[fresh]
        return unique

    def words(self, pieces: Sequence[Piece]) -> Words:
        """The words of all pieces, upper and lower case alike."""
        octets = np.frombuffer(joined(pieces), np.uint8)[:WORDS_OCTETS]
        inside = np.zeros(len(octets) + 2, np.bool_)
        np.take(_WORD, octets, out=inside[1:-1])
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        starts, ends = edges[0::2], edges[1::2]
        sums = np.zeros(len(octets) + 1, np.uint64)
        values = self._octet_values[_LOWER][octets]
        values *= self._powers[: len(octets)]
        np.cumsum(values, out=sums[1:])
        cut = np.minimum(ends, starts + WORD_OCTETS)
        hashes = (sums[cut] - sums[starts]) * self._inverse_powers[starts]
        hashes ^= hashes >> _HALF
        hashes *= self._mix
        hashes ^= hashes >> _HALF
        lengths = [len(piece.octets) + 1 for piece in pieces]
        numbers = np.repeat(np.arange(len(pieces), dtype=np.uint16), lengths)[starts]
        salts = np.array([self.salt(piece.name) for piece in pieces], np.uint64)[numbers]
        zones = np.array([piece.zone << HASH_BITS for piece in pieces], np.uint32)[numbers]
        single = self._finish(hashes + salts, zones)
        first = np.flatnonzero(numbers[1:] == numbers[:-1])
        both = (hashes[:-1] * self._pair + hashes[1:] + salts[:-1])[first]
        return Words(single, self._finish(both, zones[first]), first, starts, ends, numbers)

    def runs(self, piece: Piece) -> Features:
        """Every run of four octets, upper and lower case apart."""
        octets = np.frombuffer(piece.octets, np.uint8).astype(np.uint32)
        if len(octets) < 4:
            return np.zeros(0, np.uint32)
        runs = octets[:-3] | octets[1:-2] << np.uint32(8)
        runs |= octets[2:-1] << np.uint32(16)
        runs |= octets[3:] << np.uint32(24)
        hashes = runs.astype(np.uint64) * self._run + np.uint64(self.salt("runs of " + piece.name))
        hashes ^= hashes >> _HALF
        return self._finish(hashes, np.uint32(piece.zone << HASH_BITS))

    def _finish(self, hashes: _Hashes, zones: NDArray[np.uint32] | np.uint32) -> Features:
        hashes = hashes * self._zone_mix
        hashes >>= _DROPPED
        features: Features = hashes.astype(np.uint32) | zones
        return features


def zone_bounds(features: Features) -> NDArray[np.intp]:
    """Where each zone begins among the features, and where the last one ends."""
    return np.searchsorted(features, _ZONE_STARTS)


_ZONE_STARTS = np.array([zone << HASH_BITS for zone in range(len(Zone) + 1)], np.uint32)


def _powers_of(base: int) -> _Hashes:
    powers = np.full(WORDS_OCTETS, base, np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)
