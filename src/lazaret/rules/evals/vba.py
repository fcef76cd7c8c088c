"""Visual Basic in the container files of old Office (MS-CFB), and its source text (MS-OVBA 2.4.1).

olefile reads the container, and is strict here: what loops or claims more than there is, is left alone.
"""

import struct
from collections.abc import Iterator

CONTAINER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FIRST_WORDS = b"\x00Attribut\x00"
"""So a module begins once it is compressed: a flag octet, eight letters, a flag octet."""
_BEFORE_FIRST_WORDS = 3
_SIGNATURE = 1
_CHUNK = 4096
_CHUNKS = 500
_STREAMS = 500
_MOST_READ = 4_000_000
_MOST_SOURCE = 1_000_000


def sources(octets: bytes, most: int = _MOST_SOURCE) -> list[bytes] | None:
    """The source of every module, as far as it can be read; None when the file holds no Visual Basic.

    Little more than `most` octets of source are unpacked.
    """
    found: list[bytes] = []
    seen = False
    left = most
    for name, stream in _streams(octets):
        begin = stream.find(_FIRST_WORDS)
        seen = seen or begin >= 0 or name == "_vba_project"
        if begin >= _BEFORE_FIRST_WORDS and left > 0:
            found.append(decompress(stream[begin - _BEFORE_FIRST_WORDS :], left))
            left -= len(found[-1])
    return found if seen else None


def decompress(container: bytes, most: int = _MOST_SOURCE) -> bytes:
    """The text in a CompressedContainer, as far as it is whole; at most `most` octets and a chunk."""
    if container[:1] != bytes([_SIGNATURE]):
        return b""
    text = bytearray()
    position = 1
    for _ in range(_CHUNKS):
        if position + 2 > len(container) or len(text) >= most:
            break
        header = int.from_bytes(container[position : position + 2], "little")
        end = position + (header & 0x0FFF) + 3
        if (header >> 12) & 0b111 != 0b011:
            break
        if header & 0x8000:
            text += _chunk(container[position + 2 : end])
        else:
            text += container[position + 2 : position + 2 + _CHUNK]
        position = end
    return bytes(text)


def _chunk(packed: bytes) -> bytes:
    """One chunk: flag octets, each before eight letters or references to earlier text of the chunk."""
    text = bytearray()
    position = 0
    while position < len(packed) and len(text) < _CHUNK:
        flags = packed[position]
        position += 1
        for bit in range(8):
            if position >= len(packed) or len(text) >= _CHUNK:
                break
            if not flags >> bit & 1:
                text.append(packed[position])
                position += 1
                continue
            if position + 2 > len(packed) or not text:
                return bytes(text)
            token = packed[position] | packed[position + 1] << 8
            position += 2
            bits = max((len(text) - 1).bit_length(), 4)
            length = (token & (0xFFFF >> bits)) + 3
            offset = (token >> (16 - bits)) + 1
            if offset > len(text):
                return bytes(text)
            begin = len(text) - offset
            earlier = bytes(text[begin : begin + length])
            text += (earlier * (length // offset + 1))[:length]
    return bytes(text[:_CHUNK])


def _streams(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """Name in lower case and content of the streams of a container, within bounds; none of a damaged one."""
    if not octets.startswith(CONTAINER):
        return
    import olefile  # type: ignore[import-untyped]  # Takes 10 ms to load; few messages hold such a file.

    try:
        container = olefile.OleFileIO(octets, raise_defects=olefile.DEFECT_INCORRECT)
    except (OSError, ValueError, IndexError, KeyError, RecursionError, struct.error, OverflowError):
        return
    left = _MOST_READ
    with container:
        for path in container.listdir()[:_STREAMS]:
            try:
                left -= container.get_size(path)
                if left < 0:
                    return
                yield path[-1].lower(), container.openstream(path).read()
            except (OSError, ValueError, IndexError, KeyError, struct.error, OverflowError):
                continue
