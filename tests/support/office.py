"""Files as office programs write them, as small as can be: containers of streams, packed Visual Basic."""

import io
import struct
import zipfile
from collections.abc import Mapping

_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_NONE = 0xFFFFFFFF
_LEAST = 4096
"""Streams shorter than this would lie in a container of their own; ours are filled up."""


def packed(source: bytes) -> bytes:
    """Visual Basic as it is stored (MS-OVBA 2.4.1): letters, and references where eight come again."""
    chunks = [_packed_chunk(source[i : i + 4096]) for i in range(0, len(source), 4096)]
    return b"\x01" + b"".join(struct.pack("<H", 0xB000 | len(c) - 1) + c for c in chunks)


def _packed_chunk(text: bytes) -> bytes:
    items: list[bytes] = []
    flags: list[bool] = []
    place = 0
    while place < len(text):
        earlier = text.rfind(text[place : place + 8], 0, place) if place + 8 <= len(text) else -1
        if earlier < 0:
            items.append(text[place : place + 1])
            flags.append(False)
            place += 1
            continue
        bits = max((place - 1).bit_length(), 4)
        items.append(struct.pack("<H", (place - earlier - 1) << (16 - bits) | 8 - 3))
        flags.append(True)
        place += 8
    octets = b""
    for i in range(0, len(items), 8):
        octets += bytes([sum(flag << n for n, flag in enumerate(flags[i : i + 8]))]) + b"".join(
            items[i : i + 8]
        )
    return octets


def container(streams: Mapping[str, bytes], *, scattered: bool = False, looping: bool = False) -> bytes:
    """A compound file (MS-CFB) with these streams side by side.

    `scattered`: each stream lies in it backwards, sector by sector. `looping`: the sectors of each stream
    lead back to its first one, and it claims to have four gigabytes.
    """
    sectors: list[bytes] = []
    chain: list[int] = []
    entries = [_entry("Root Entry", 5, child=1)]
    for number, (name, octets) in enumerate(streams.items(), 1):
        filled = octets.ljust(max(_LEAST, -(-len(octets) // _SECTOR) * _SECTOR), b"\0")
        begin, count = len(sectors), len(filled) // _SECTOR
        pieces = [filled[i * _SECTOR : (i + 1) * _SECTOR] for i in range(count)]
        order = (
            list(reversed(range(begin, begin + count))) if scattered else list(range(begin, begin + count))
        )
        sectors += [b""] * count
        chain += [0] * count
        for piece, place, following in zip(pieces, order, [*order[1:], _END], strict=True):
            sectors[place], chain[place] = piece, following
        if looping:
            chain[order[-1]] = order[0]
        right = number + 1 if number < len(streams) else _NONE
        size = 0xFFFFFF00 if looping else len(filled)
        entries.append(_entry(name, 2, right=right, start=order[0], size=size))
    directory = b"".join(entries).ljust(-(-len(entries) // 4) * _SECTOR, b"\0")
    first_of_directory = len(sectors)
    for i in range(0, len(directory), _SECTOR):
        sectors.append(directory[i : i + _SECTOR])
        chain.append(first_of_directory + i // _SECTOR + 1)
    chain[-1] = _END
    tables = 1
    while tables * _SECTOR // 4 < len(chain) + tables:
        tables += 1
    first_table = len(sectors)
    chain += [_FAT] * tables + [_FREE] * (tables * _SECTOR // 4 - len(chain) - tables)
    listed = [first_table + i for i in range(tables)] + [_FREE] * (109 - tables)
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, tables),
        *(first_of_directory, 0, _LEAST, _END, 0, _END, 0),
    )
    table = struct.pack(f"<{len(chain)}I", *chain)
    return header + struct.pack("<109I", *listed) + b"".join(sectors) + table


def _entry(
    name: str, kind: int, *, right: int = _NONE, child: int = _NONE, start: int = _END, size: int = 0
) -> bytes:
    spelled = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        *(spelled, len(spelled), kind, 1, _NONE, right, child, b"", 0, 0, 0),
        *(start, size),
    )


def archive(files: Mapping[str, bytes], *, encrypted: bool = False) -> bytes:
    """A zip archive; `encrypted`: it says that every file needs a password."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, octets in files.items():
            writer.writestr(name, octets)
    octets = made.getvalue()
    if not encrypted:
        return octets
    for sign, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        begin = octets.find(sign)
        while begin >= 0:
            octets = octets[: begin + place] + b"\x01" + octets[begin + place + 1 :]
            begin = octets.find(sign, begin + 1)
    return octets
