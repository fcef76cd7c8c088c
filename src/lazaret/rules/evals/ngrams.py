"""Which language is a text in? Its most frequent runs of letters are compared with those of each language.

The method is that of Mail::SpamAssassin::Plugin::TextCat (Cavnar and Trenkle, N-Gram-Based Text
Categorization, 1994), octet by octet; so is the file of the languages, which comes with SpamAssassin.
"""

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_WORD = re.compile(rb"""[^0-9\s\-!"#$%&()*+,./:;<=>?@\[\\\]^_`{|}~]+""")
_CAPITAL = re.compile(rb"[A-Z]")
_LETTERS = re.compile(rb"[a-zA-Z\xc0-\xd6\xd8-\xde\xe0-\xf6\xf8-\xfe]{4}")
_END_OF_LANGUAGE = re.compile(rb"0 (.+)")
_LONGEST = 5


def _lower() -> bytes:
    """As if all letters were Latin-1."""
    table = bytearray(range(256))
    for first, last in ((0x41, 0x5A), (0xC0, 0xD6), (0xD8, 0xDE)):
        for octet in range(first, last + 1):
            table[octet] = octet + 0x20
    return bytes(table)


_LOWER = _lower()


@dataclass(frozen=True, slots=True)
class Languages:
    """What is known of every language. `names`: `en`, `zh.big5`; with another form of the same, `en.utf8`."""

    names: tuple[str, ...] = ()
    places: Mapping[bytes, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """Run of letters -> the languages that it is frequent in, by number, and its place there."""


def read(octets: bytes) -> Languages:
    """The languages of a file: runs of letters, the most frequent first, then `0` and the name."""
    names: list[str] = []
    ranks: dict[bytes, int] = {}
    places: dict[bytes, list[tuple[int, int]]] = {}
    count = 0
    for line in octets.split(b"\n"):
        end = _END_OF_LANGUAGE.match(line)
        if not end:
            count += 1
            ranks[line] = count
            continue
        for run, rank in ranks.items():
            places.setdefault(run, []).append((len(names), rank))
        names.append(end[1].decode("latin-1"))
        ranks, count = {}, 0
    return Languages(tuple(names), {run: tuple(found) for run, found in places.items()})


def code(name: str) -> str:
    """`zh.big5` -> `zh`."""
    return name.partition(".")[0]


def frequent(text: bytes, most: int, least: int) -> list[bytes]:
    """The most frequent runs of up to five letters of a word; those seen more than `least` times."""
    pieces: list[bytes] = []
    for word in _words(text):
        for length in range(1, min(_LONGEST, len(word)) + 1):
            pieces += [word[begin : begin + length] for begin in range(len(word) - length + 1)]
    runs = Counter(pieces)
    known = sorted(run for run in runs if runs[run] > least) if least > 0 else sorted(runs)
    known.sort(key=runs.__getitem__, reverse=True)
    return known[:most]


def _words(text: bytes) -> Iterator[bytes]:
    for found in _WORD.finditer(text):
        word = found[0]
        if _CAPITAL.search(word) and _LETTERS.search(word):
            word = word.translate(_LOWER)
        yield b"\0" + word + b"\0"


def distances(
    runs: Sequence[bytes], known: Languages, missing: int, skipped: Container[str] = ()
) -> list[tuple[str, int]]:
    """How far the text is from each language, the nearest first; those in `skipped` are left out.

    `missing`: how far a run is that a language lacks.
    """
    far = [missing * len(runs)] * len(known.names)
    for number, run in enumerate(runs):
        for language, place in known.places.get(run, ()):
            far[language] += abs(place - number) - missing
    nearest: dict[str, int] = {}
    for name, distance in zip(known.names, far, strict=True):
        if code(name) not in skipped:
            shown = code(name) if name.find(".utf8") > 0 else name
            nearest[shown] = min(distance, nearest.get(shown, distance))
    return sorted(nearest.items(), key=lambda item: (item[1], item[0]))
