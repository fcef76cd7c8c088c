"""Files within a zip archive, read with bounds: hostile archives are small and hold gigabytes.

Python's zipfile reads the directory. What a file says of itself besides (its name again, its checksum) is
passed over: an office program opens what a strict reader refuses.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_SIGN_OF_ENTRY = b"PK\x01\x02"
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_SIGN_OF_FILE = b"PK\x03\x04"
_ENCRYPTED = 0x1


@dataclass(slots=True)
class Allowance:
    """What may still be unpacked, for all archives of a message together."""

    octets: int = 8_000_000
    entries: int = 10_000


class Archive:
    """An archive in memory."""

    def __init__(self, octets: bytes, limit: int, allowance: Allowance) -> None:
        """ValueError when it is none, or has more entries than are left."""
        entries = octets.count(_SIGN_OF_ENTRY)
        if entries > allowance.entries:
            raise ValueError("too many entries")
        allowance.entries -= entries
        try:
            with zipfile.ZipFile(io.BytesIO(octets)) as archive:
                self._entries = archive.infolist()
        except (
            zipfile.BadZipFile,
            OSError,
            ValueError,
            EOFError,
            NotImplementedError,
            struct.error,
        ) as error:
            raise ValueError("no archive") from error
        self._octets = octets
        self._limit = limit
        self._allowance = allowance

    def members(self) -> "Iterator[Member]":
        """The files, in the order of the directory."""
        for entry in self._entries:
            yield Member(self, entry)

    def read(self, entry: zipfile.ZipInfo) -> bytes:
        """At most `limit` octets of it; b"" when it cannot be read or the allowance is used up."""
        most = min(self._limit, self._allowance.octets)
        readable = most > 0 and not entry.flag_bits & _ENCRYPTED
        packed = self._packed(entry) if readable else memoryview(b"")
        if entry.compress_type == zipfile.ZIP_STORED:
            octets = bytes(packed[:most])
        elif entry.compress_type == zipfile.ZIP_DEFLATED:
            octets = _inflated(packed, most)
        else:
            octets = b""
        self._allowance.octets -= len(octets)
        return octets

    def _packed(self, entry: zipfile.ZipInfo) -> memoryview:
        begin = entry.header_offset
        try:
            sign, name, extra = _LOCAL_HEADER.unpack_from(self._octets, begin)
        except struct.error:
            return memoryview(b"")
        begin += _LOCAL_HEADER.size + name + extra
        whole = memoryview(self._octets)
        return whole[begin : begin + entry.compress_size] if sign == _SIGN_OF_FILE else whole[:0]


def _inflated(packed: memoryview, most: int) -> bytes:
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
    except zlib.error:
        return b""


class Member:
    """A file of an archive, unpacked when it is asked for."""

    __slots__ = ("_archive", "_entry", "_octets", "name")

    def __init__(self, archive: Archive, entry: zipfile.ZipInfo) -> None:
        self._archive = archive
        self._entry = entry
        self._octets: bytes | None = None
        self.name = entry.filename

    @property
    def encrypted(self) -> bool:
        return bool(self._entry.flag_bits & _ENCRYPTED)

    def read(self) -> bytes:
        """Unpacked, as far as the bounds allow."""
        if self._octets is None:
            self._octets = self._archive.read(self._entry)
        return self._octets
