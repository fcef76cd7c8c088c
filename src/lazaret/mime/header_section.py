"""What do the fields of a header section say? Each value is unfolded and decoded once, whoever asks."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lazaret.mime import words
from lazaret.model.lazy import lazy

NAME_LIMIT = 256
VALUE_LIMIT = 8192
"""Octets of a name and of a value that are looked at, as in SpamAssassin; the rest of a field is ignored."""

_FOLD = re.compile(rb"\n[ \t]+")
_FIELD_END = re.compile(rb"\n(?![ \t])")
_NAMES = re.compile(rb"[!-~]++")
"""What names may consist of, and the colons between them."""


class Field(NamedTuple):
    """One header field, as offsets into the octets it was read from, whatever the line ends are."""

    name: str
    """As written, Latin-1, without the blanks before the colon."""
    start: int
    value_start: int
    """The first octet after the colon."""
    end: int
    """After the field's last line end, folds included."""


class HeaderSection:
    """The header fields of a message or a part, in order."""

    def __init__(
        self,
        raw: bytes,
        fields: tuple[Field, ...],
        body_start: int,
        *,
        missing_separator: bool = False,
        crlf: bool = False,
        cut_off: bool = False,
    ) -> None:
        self.raw = raw
        """The octets into which the offsets point."""
        self._given = fields
        self.body_start = body_start
        """The first octet after the empty line; len(raw) when nothing follows."""
        self.missing_separator = missing_separator
        """The body began without an empty line before it."""
        self.crlf = crlf
        """The line ends are CRLF, by the first line or the last."""
        self.cut_off = cut_off
        """It has more than FIELD_LIMIT fields; the rest is not in `fields`."""

    @lazy
    def fields(self) -> tuple[Field, ...]:
        """Where each field lies. Who wants names or values only need not ask for it."""
        return self._given

    @lazy
    def written_names(self) -> Sequence[bytes]:
        """The names of the fields, in order."""
        return [field.name.encode("latin-1") for field in self.fields]

    @lazy
    def names(self) -> list[str]:
        """The names of the fields in lower case, in order."""
        return [field.name.lower() for field in self.fields]

    @lazy
    def _by_name(self) -> dict[str, list[int]]:
        """Name in lower case -> the places of its fields."""
        by_name: dict[str, list[int]] = {}
        for place, name in enumerate(self.names):
            if name in by_name:
                by_name[name].append(place)
            else:
                by_name[name] = [place]
        return by_name

    @property
    def present(self) -> Iterable[str]:
        """The names in lower case, each once."""
        return self._by_name

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def named(self, name: str) -> list[Field]:
        """The fields of this name, any case, in order."""
        return [self.fields[place] for place in self._by_name.get(name.lower(), ())]

    def value(self, field: Field) -> bytes:
        """The octets after the colon: folds and leading blanks kept, line ends LF, at most VALUE_LIMIT."""
        octets = self.raw[field.value_start : field.end].replace(b"\r\n", b"\n")
        return octets if len(octets) <= VALUE_LIMIT else octets[:VALUE_LIMIT]

    def values(self, name: str) -> list[bytes]:
        """`value` of every field of this name, any case, in order."""
        places = self._by_name.get(name.lower())
        return [self._value_at(place) for place in places] if places else []

    def _value_at(self, place: int) -> bytes:
        return self.value(self.fields[place])

    def decoded(self, place: int) -> bytes:
        """What `words.decode` makes of the value of `fields[place]`."""
        if place in self._encoded:
            self._encoded.remove(place)
            self._lines[place] = words.decode_line(self._lines[place], self.names[place])
        return self._lines[place]

    def decoded_values(self, name: str) -> list[bytes]:
        """`decoded` of every field of this name, any case, in order."""
        places = self._by_name.get(name.lower())
        if not places:
            return []
        if self._encoded:
            return [self.decoded(place) for place in places]
        lines = self._lines
        return [lines[place] for place in places]

    def all_decoded(self) -> list[bytes]:
        """`decoded` of every field; not to be changed."""
        for place in tuple(self._encoded):
            self.decoded(place)
        return self._lines

    def last_decoded(self, name: str) -> bytes | None:
        """`decoded` of the last field of this name, which mail programs heed; None when there is none."""
        places = self._by_name.get(name.lower())
        return self.decoded(places[-1]) if places else None

    @lazy
    def _lines(self) -> list[bytes]:
        """Every value on one line; decoded when somebody asks."""
        return [words.unfold(self.value(field)) for field in self.fields]

    @lazy
    def _encoded(self) -> set[int]:
        """The places of the values that are still to be decoded."""
        return {place for place, line in enumerate(self._lines) if b"=?" in line or not line.isascii()}

    def raw_fields(self) -> list[bytes]:
        """The octets of every field, its line ends too."""
        return [self.raw[field.start : field.end] for field in self.fields]

    @property
    def truncated(self) -> bool:
        """Some name or value is longer than what is looked at."""
        return self.cut_off or any(
            len(f.name) > NAME_LIMIT
            or len(self.raw[f.value_start : f.end].replace(b"\r\n", b"\n")) > VALUE_LIMIT
            for f in self.fields
            if f.end - f.start > NAME_LIMIT
        )


class RegularSection(HeaderSection):
    """A section of nothing but fields, none too long, as in nearly all mail: read as a whole."""

    def __init__(self, raw: bytes, block: "Block", body_start: int, *, crlf: bool) -> None:
        super().__init__(raw, (), body_start, crlf=crlf)
        self._block = block
        self._lines = block.lines
        self.written_names = block.written_names

    @classmethod
    def read(
        cls, raw: bytes, start: int, end: int, body_start: int, *, crlf: bool
    ) -> "RegularSection | None":
        """Of the lines from `start` to `end`; None when they are not that regular."""
        block = Block.read(raw, start, end)
        return None if block is None else cls(raw, block, body_start, crlf=crlf)

    @lazy
    def names(self) -> list[str]:
        return b":".join(self.written_names).decode("ascii").lower().split(":")

    @lazy
    def fields(self) -> tuple[Field, ...]:
        found: list[Field] = []
        start = self._block.start
        for octets in self.raw_fields():
            end = start + len(octets)
            colon = octets.index(b":")
            found.append(Field(octets[:colon].decode("latin-1"), start, start + colon + 1, end))
            start = end
        return tuple(found)

    def raw_fields(self) -> list[bytes]:
        block = self._block
        if not block.crlf:
            return block.fields
        return _with_line_ends(self.raw[block.start : block.end])

    def _value_at(self, place: int) -> bytes:
        return self._block.fields[place].partition(b":")[2]

    @lazy
    def _encoded(self) -> set[int]:
        block = self._block.octets
        if b"=?" not in block and block.isascii():
            return set()
        return {place for place, line in enumerate(self._lines) if b"=?" in line or not line.isascii()}

    @property
    def truncated(self) -> bool:
        return False


class Block:
    """The lines of a regular section, split in a few steps for all fields at once."""

    def __init__(
        self, start: int, end: int, octets: bytes, names: Sequence[bytes], lines: list[bytes], *, crlf: bool
    ) -> None:
        self.start = start
        self.end = end
        self.octets = octets
        """Line ends LF."""
        self.written_names = names
        self.lines = lines
        """The values unfolded, without blanks round them."""
        self.crlf = crlf
        """Some line end is CRLF."""

    @classmethod
    def read(cls, raw: bytes, start: int, end: int) -> "Block | None":
        octets = raw[start:end]
        crlf = b"\r" in octets
        if crlf:
            octets = octets.replace(b"\r\n", b"\n")
        # The last line end would make an empty line: no fold follows it.
        lines = _FOLD.sub(b" ", octets[:-1]).split(b"\n")
        names, colons, values = zip(*[line.partition(b":") for line in lines], strict=True)
        joined = b":".join(names)
        if b"" in names or b"" in colons or not _NAMES.fullmatch(joined):
            return None
        if len(octets) > VALUE_LIMIT and max(map(len, _with_line_ends(octets))) > VALUE_LIMIT:
            return None
        if len(joined) > NAME_LIMIT and max(map(len, names)) > NAME_LIMIT:
            return None
        return cls(start, end, octets, names, [value.strip() for value in values], crlf=crlf)

    @lazy
    def fields(self) -> list[bytes]:
        """The fields as they stand, folds kept."""
        return _with_line_ends(self.octets)


def _with_line_ends(block: bytes) -> list[bytes]:
    return [field + b"\n" for field in _FIELD_END.split(block[:-1])]
