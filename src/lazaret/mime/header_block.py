"""The lines of a regular header section: nothing but fields, none too long, as in nearly all mail.

They are split in a few steps for all fields at once; `header_kernel.c` does the same in one pass, and has
this for its reference.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

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


class Block(Protocol):
    """The fields by their places, from 0."""

    @property
    def body_start(self) -> int:
        """After the empty line that ends them."""

    @property
    def end(self) -> int:
        """Before that empty line."""

    @property
    def names(self) -> list[str]:
        """In lower case, in order; not to be changed, as all that is returned here."""

    @property
    def by_name(self) -> Mapping[str, Sequence[int]]:
        """Name in lower case -> the places of its fields."""

    @property
    def encoded(self) -> AbstractSet[int]:
        """Whose lines `words.decode_line` may make something else of."""

    def line(self, place: int, /) -> bytes:
        """The value unfolded, without blanks round it; not decoded."""

    def value(self, place: int, /) -> bytes:
        """The octets after the colon, line ends LF."""

    def text(self, places: Sequence[int], /) -> bytes:
        """Those lines, each with a line end."""

    def written_names(self) -> Sequence[bytes]:
        """The names as they stand."""

    def offsets(self) -> list[tuple[int, int, int]]:
        """Of each field its start, its colon and its end in the octets that were read, line ends included."""

    def all(self, decoded: Mapping[int, bytes], without: str, most: int, /) -> bytes | None:
        """Every field with name and line end, but those whose name begins with `without`.

        `decoded` says what to take instead of the lines at some places. None: more than `most` octets.
        """


class PlainBlock:
    """Block in Python."""

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
        self.body_start = body_start
        self.names = b":".join(names).decode("ascii").lower().split(":")
        self.by_name: dict[str, list[int]] = {}
        for place, name in enumerate(self.names):
            self.by_name.setdefault(name, []).append(place)
        plain = b"=?" not in octets and octets.isascii()
        self.encoded: AbstractSet[int] = frozenset(
            place for place, line in enumerate(() if plain else lines) if b"=?" in line or not line.isascii()
        )
        self._raw = raw
        self._start = start
        self._octets = octets
        self._written_names = names
        self._lines = lines

    def line(self, place: int, /) -> bytes:
        return self._lines[place]

    def value(self, place: int, /) -> bytes:
        return self._fields[place].partition(b":")[2]

    @lazy
    def _fields(self) -> list[bytes]:
        return _fields(self._octets)

    def text(self, places: Sequence[int], /) -> bytes:
        lines = self._lines
        return b"".join([lines[place] + b"\n" for place in places])

    def written_names(self) -> Sequence[bytes]:
        return self._written_names

    def offsets(self) -> list[tuple[int, int, int]]:
        found = []
        start = self._start
        for octets in _fields(self._raw[start : self.end]):
            found.append((start, start + octets.index(b":"), start + len(octets)))
            start += len(octets)
        return found

    def all(self, decoded: Mapping[int, bytes], without: str, most: int, /) -> bytes | None:
        lines = [
            self._written_names[place] + b": " + decoded.get(place, line) + b"\n"
            for place, line in enumerate(self._lines)
            if not self.names[place].startswith(without)
        ]
        return b"".join(lines) if sum(map(len, lines)) <= most else None


def read_plain(raw: bytes, start: int, limit: int, crlf: bool, most_lines: int) -> PlainBlock | None:
    """`read` in Python."""
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


def read(raw: bytes, start: int, limit: int, *, crlf: bool, most_lines: int = FIELD_LIMIT) -> Block | None:
    """The fields from `start` to an empty line before `limit`; None when they are not that regular.

    `crlf`: the empty line may be CRLF. A field of more than VALUE_LIMIT octets in all is not regular.
    """
    if kernel.header is None:
        return read_plain(raw, start, limit, crlf, most_lines)
    block: Block | None = kernel.header.read(raw, start, limit, crlf, most_lines, NAME_LIMIT, VALUE_LIMIT)
    return block


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
