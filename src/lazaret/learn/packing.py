"""The features of a lesson as the journal keeps them: what a model's table needs, in few octets.

Of a feature its zone and the number of its row are kept (`model.TABLE_BITS`). They are sorted, each is
written as the distance from the one before it, all the first octets of the distances together, then all
the second ones, and so on; deflated, that is about 2 octets a feature.

    format, 1 octet | deflated: all first octets, all second, all third, all fourth
"""

import zlib

import numpy as np

from lazaret.learn.features import HASH_BITS, Features
from lazaret.learn.model import TABLE_BITS, ZONES
from lazaret.model.errors import LazaretError

_FORMAT = b"\x01"
_ROWS = np.uint32((1 << TABLE_BITS) - 1)
_OCTETS = 4
MOST = 1 << 18
"""Features; no message has so many, as what is looked at of each is limited."""


class BadLesson(LazaretError):
    """The octets are no packed features."""


def reduced(features: Features) -> Features:
    """The features without what a table does not tell apart, in the order in which they are unpacked."""
    zones = features & ~np.uint32((1 << HASH_BITS) - 1)
    found: Features = zones | (features & _ROWS)
    found.sort()
    return found


def pack(features: Features) -> bytes:
    """The features as octets."""
    found = reduced(features)
    short = ((found >> np.uint32(HASH_BITS)) << np.uint32(TABLE_BITS)) | (found & _ROWS)
    steps = np.diff(short, prepend=np.uint32(0)).astype("<u4")
    planes = np.ascontiguousarray(steps.view(np.uint8).reshape(-1, _OCTETS).T)
    return _FORMAT + zlib.compress(planes.tobytes(), 1)


def unpack(octets: bytes) -> Features:
    """`reduced` features. BadLesson when they are none."""
    if octets[:1] != _FORMAT:
        raise BadLesson("a lesson is in a format of a later version")
    try:
        inflater = zlib.decompressobj()
        planes = inflater.decompress(octets[1:], _OCTETS * MOST)
    except zlib.error as e:
        raise BadLesson(f"a lesson is damaged: {e}") from e
    if len(planes) % _OCTETS or not inflater.eof:
        raise BadLesson("a lesson is damaged: it is cut off or too long")
    columns = np.frombuffer(planes, np.uint8).reshape(_OCTETS, -1)
    steps = np.ascontiguousarray(columns.T).view("<u4").reshape(-1)
    short = np.cumsum(steps, dtype=np.uint32)
    if len(short) and short.max() >= ZONES << TABLE_BITS:
        raise BadLesson("a lesson is damaged: it has features of no zone")
    found: Features = ((short >> np.uint32(TABLE_BITS)) << np.uint32(HASH_BITS)) | (short & _ROWS)
    return found
