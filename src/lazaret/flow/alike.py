"""Marks by which near-duplicates are known: MinHash over runs of three words (Broder 1997), in four bands.

Two texts with nine of ten runs in common share a mark in 97 of 100 cases, with half of them in 12, with
a fifth in one of a thousand. Digits and the recipient's own name count for nothing. Bounded: a few thousand
characters are read, and four numbers are kept.
"""

import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lazaret.mime.message import Message
from lazaret.model import words
from lazaret.model.address import split

BANDS, ROWS = 4, 5
MAX_TEXT = 4096
"""Characters that are read."""
FEW_WORDS = 12
"""A shorter text has too few runs to compare: it is alike when all of it is, and the sender's domain."""
_RECIPIENTS = 20
_MASK = (1 << 64) - 1


def _mixed(number: int) -> int:
    """SplitMix64: every bit of the number moves about half of the bits of the result."""
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


# Kept in databases: with other numbers no message would be known to be like an older one.
_SEEDS = np.array([_mixed(number) | 1 for number in range(BANDS * ROWS)], dtype=np.uint64)[:, None]
_PLACES = tuple(np.uint64(_mixed(1000 + place) | 1) for place in range(3))
_ODD = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(33)


def marks(message: Message, sender: str, recipients: Sequence[str]) -> tuple[int, ...]:
    """The marks of a message, signed numbers of 64 bits; of its text as a reader sees it."""
    return marks_of(
        message.visible_text,
        subject=message.decoded("Subject"),
        sender=sender,
        recipients=recipients,
        attachments=len(message.attachments),
    )


def marks_of(
    text: str, *, subject: str, sender: str, recipients: Sequence[str], attachments: int
) -> tuple[int, ...]:
    """The same of its parts."""
    own = set(_names(recipients))
    said = [word for word in words.split(text[:MAX_TEXT]) if word not in own]
    telling = [word for word in said if word.isalpha()]
    kind = f"{min(attachments, 3)}"
    if len(telling) < FEW_WORDS:
        shape = [word for word in words.split(subject[:1000]) if word not in own and word.isalpha()]
        whole = "\n".join((kind, split(sender)[1], " ".join(shape), " ".join(telling)))
        return (_signed(_mixed(zlib.crc32(whole.encode()) << 32 | zlib.adler32(whole.encode()))),)
    return _bands(_lowest(telling), kind)


def _names(recipients: Sequence[str]) -> Iterable[str]:
    for address in recipients[:_RECIPIENTS]:
        yield from words.split(address[:320])


def _lowest(telling: Sequence[str]) -> NDArray[np.uint64]:
    """For each of the functions the lowest value over all runs of three words."""
    hashes = np.fromiter((zlib.crc32(word.encode()) for word in telling), np.uint64, len(telling))
    runs = hashes[:-2] * _PLACES[0] + hashes[1:-1] * _PLACES[1] + hashes[2:] * _PLACES[2]
    mixed = (runs ^ (runs >> _SHIFT)) * _ODD
    mixed ^= mixed >> _SHIFT
    lowest: NDArray[np.uint64] = (mixed[None, :] * _SEEDS).min(axis=1)
    return lowest


def _bands(lowest: NDArray[np.uint64], kind: str) -> tuple[int, ...]:
    rows = lowest.reshape(BANDS, ROWS)
    return tuple(
        _signed(
            _mixed(
                zlib.crc32(band.tobytes(), number) << 32 | zlib.crc32(kind.encode() + band.tobytes()[::-1])
            )
        )
        for number, band in enumerate(rows)
    )


def _signed(number: int) -> int:
    """As databases keep it."""
    return number - (1 << 64) if number >> 63 else number
