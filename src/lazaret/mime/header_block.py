"""The lines of a regular header section: nothing but fields, none too long, as in nearly all mail.

They are split in a few steps for all fields at once; `header_kernel.c` does the same in one pass.
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from lazaret.mime import kernel
from lazaret.model.lazy import lazy

FIELD_LIMIT = 10_000
"""Lines that are read of a header section: memory must not grow with a header of colons."""
NAME_LIMIT = 256
VALUE_LIMIT = 8192
"""Octets of a name and of a value that are looked at, as in SpamAssassin; the rest of a field is ignored."""

_FOLD = re.compile(rb"\n[ \t]+")
_FIELD_END = re.compile(rb"\n(?![ \t])")
_NAMES = re.compile(rb"[!-~]++")
"""What names may consist of, and the colons between them."""


class PlainBlock:
    """The fields by their places, from 0."""

    def __init__(
        self,
        raw: bytes,
        start: int,
        end: int,
        body_start: int,
        octets: bytes,
        names: Sequence[bytes],
        lines: list[bytes],
    ) -> None:
        self.end = end
        """Before the empty line that ends them."""
        self.body_start = body_start
        """After it."""
        self.names = b":".join(names).decode("ascii").lower().split(":")
        """In lower case, in order."""
        self.by_name: dict[str, list[int]] = {}
        """Name in lower case -> the places of its fields."""
        for place, name in enumerate(self.names):
            self.by_name.setdefault(name, []).append(place)
        plain = b"=?" not in octets and octets.isascii()
        self.encoded: AbstractSet[int] = frozenset(
            place for place, line in enumerate(() if plain else lines) if b"=?" in line or not line.isascii()
        )
        """Whose lines `words.decode_line` may make something else of."""
        self.written_names = names
        """As they stand."""
        self.lines = lines
        """The values unfolded, without blanks round them; not decoded."""
        self._raw = raw
        self._start = start
        self._octets = octets

    def value(self, place: int) -> bytes:
        """The octets after the colon, line ends LF."""
        return self._fields[place].partition(b":")[2]

    @lazy
    def _fields(self) -> list[bytes]:
        return _fields(self._octets)

    def offsets(self) -> list[tuple[int, int, int]]:
        """Of each field its start, its colon and its end in the octets that were read, line ends included."""
        found = []
        start = self._start
        for octets in _fields(self._raw[start : self.end]):
            found.append((start, start + octets.index(b":"), start + len(octets)))
            start += len(octets)
        return found


def read(raw: bytes, start: int, limit: int, crlf: bool, most_lines: int) -> PlainBlock | None:
    """The fields from `start` to an empty line before `limit`; None when they are not that regular."""
    end = raw.find(b"\n\r\n", start, limit) + 1 if crlf else 0
    body_start = end + 2
    lf_end = raw.find(b"\n\n", start, end or limit) + 1
    if lf_end:
        end, body_start = lf_end, lf_end + 1
    if not end or raw.startswith(b"--", start) or raw.find(b"\n--", start, end) >= 0:
        return None
    if raw.count(b"\n", start, end) >= most_lines:
        return None
    octets = raw[start:end].replace(b"\r\n", b"\n")
    # The last line end would make an empty line: no fold follows it.
    lines = _FOLD.sub(b" ", octets[:-1]).split(b"\n")
    names, colons, values = zip(*[line.partition(b":") for line in lines], strict=True)
    joined = b":".join(names)
    if b"" in names or b"" in colons or not _NAMES.fullmatch(joined):
        return None
    if end - start > VALUE_LIMIT and max(map(len, _fields(raw[start:end]))) > VALUE_LIMIT:
        return None
    if len(joined) > NAME_LIMIT and max(map(len, names)) > NAME_LIMIT:
        return None
    return PlainBlock(raw, start, end, body_start, octets, names, [value.strip() for value in values])


def _fields(octets: bytes) -> list[bytes]:
    """The fields as they stand, folds kept."""
    return [field + b"\n" for field in _FIELD_END.split(octets[:-1])]


def with_lf(octets: bytes, start: int) -> bytes:
    """The octets from there on, with CRLF as LF."""
    if kernel.header is None:
        return octets[start:].replace(b"\r\n", b"\n")
    made: bytes = kernel.header.lf(octets, start)
    return made


def has_white_run(octets: bytes, length: int) -> bool:
    """Whether a line end and at least so many white octets, itself counted, stand in a row."""
    return (
        has_white_run_plain(octets, length)
        if kernel.header is None
        else kernel.header.white_run(octets, length)
    )


def has_white_run_plain(octets: bytes, length: int) -> bool:
    """`has_white_run` in Python."""
    # The literal at its start lets the engine skip from line to line.
    return re.search(rb"\n[ \t\r\f\v\n]{%d}" % (length - 1), octets) is not None
