"""What do the fields of a header section say? Each value is unfolded and decoded once, whoever asks."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from lazaret.mime import header_block, kernel, words
from lazaret.mime.header_block import FIELD_LIMIT, NAME_LIMIT, VALUE_LIMIT, PlainBlock
from lazaret.model.lazy import lazy


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
        self._decoded: dict[int, bytes] = {}
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
    def spans(self) -> Sequence[tuple[int, int]]:
        """Where the value of each field begins in `raw`, and where the field ends."""
        return [(field.value_start, field.end) for field in self.fields]

    @lazy
    def written_names(self) -> Sequence[bytes]:
        """The names of the fields, in order."""
        return [field.name.encode("latin-1") for field in self.fields]

    @lazy
    def names(self) -> list[str]:
        """The names of the fields in lower case, in order."""
        return [field.name.lower() for field in self.fields]

    @lazy
    def _by_name(self) -> Mapping[str, Sequence[int]]:
        """Name in lower case -> the places of its fields."""
        by_name: dict[str, list[int]] = {}
        for place, name in enumerate(self.names):
            if name in by_name:
                by_name[name].append(place)
            else:
                by_name[name] = [place]
        return by_name

    @property
    def present(self) -> AbstractSet[str]:
        """The names in lower case, each once."""
        return self._by_name.keys()

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def places(self, name: str) -> Sequence[int]:
        """Where in `fields` those of this name stand, in order; the name is in lower case."""
        return self._by_name.get(name, ())

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
        if place not in self._decoded:
            self._decoded[place] = words.decode(self._value_at(place), self.names[place])
        return self._decoded[place]

    def decoded_values(self, name: str) -> list[bytes]:
        """`decoded` of every field of this name, any case, in order."""
        return [self.decoded(place) for place in self._by_name.get(name.lower(), ())]

    def text(self, name: str) -> bytes | None:
        """All of these, each with a line end; None when there is none. The name is in lower case."""
        places = self._by_name.get(name)
        return b"".join([self.decoded(place) + b"\n" for place in places]) if places else None

    def all_text(self, without: str, most: int) -> bytes | None:
        """Every field with its name and a line end, decoded, but those whose name begins with `without`.

        None: somebody must choose, since that may be more than `most` octets.
        """
        return None

    def last_decoded(self, name: str) -> bytes | None:
        """`decoded` of the last field of this name, which mail programs heed; None when there is none."""
        places = self._by_name.get(name.lower())
        return self.decoded(places[-1]) if places else None

    def raw_fields(self) -> list[bytes]:
        """The octets of every field, its line ends too."""
        return [self.raw[field.start : field.end] for field in self.fields]

    @property
    def whole(self) -> bytes:
        """These octets as one text."""
        return b"".join(self.raw_fields())

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

    missing_separator = cut_off = truncated = False

    def __init__(self, raw: bytes, start: int, block: PlainBlock, *, crlf: bool) -> None:
        self.raw = raw
        self._start = start
        self.body_start = block.body_start
        self.crlf = crlf
        self.names = block.names
        self._by_name = block.by_name
        self._block = block
        self._decoded: dict[int, bytes] = {}

    @lazy
    def fields(self) -> tuple[Field, ...]:
        raw = self.raw
        return tuple(
            Field(raw[start:colon].decode("latin-1"), start, colon + 1, end)
            for start, colon, end in self._block.offsets()
        )

    @lazy
    def written_names(self) -> Sequence[bytes]:
        return self._block.written_names

    def decoded(self, place: int) -> bytes:
        if place not in self._block.encoded:
            return self._block.lines[place]
        if place not in self._decoded:
            self._decoded[place] = words.decode_line(self._block.lines[place], self.names[place])
        return self._decoded[place]

    def all_text(self, without: str, most: int) -> bytes | None:
        lines = [
            name + b": " + self.decoded(place) + b"\n"
            for place, name in enumerate(self.written_names)
            if not self.names[place].startswith(without)
        ]
        return b"".join(lines) if sum(map(len, lines)) <= most else None

    @property
    def whole(self) -> bytes:
        return self.raw[self._start : self._block.end]

    def _value_at(self, place: int) -> bytes:
        return self._block.value(place)


def regular_plain(
    raw: bytes, start: int, limit: int, *, crlf: bool, most_lines: int = FIELD_LIMIT
) -> HeaderSection | None:
    """`regular` in Python."""
    block = header_block.read(raw, start, limit, crlf, most_lines)
    return None if block is None else RegularSection(raw, start, block, crlf=crlf)


if kernel.header is None:
    regular = regular_plain
else:

    class _CompiledSection(kernel.header.Section, HeaderSection):  # type: ignore[misc]
        """What RegularSection is, where the kernel has read it."""

        missing_separator = cut_off = truncated = False

    kernel.header.use(words.decode_line, Field)

    def regular(
        raw: bytes, start: int, limit: int, *, crlf: bool, most_lines: int = FIELD_LIMIT
    ) -> HeaderSection | None:
        """The section from `start` to an empty line before `limit`; None when it is not that regular.

        `crlf`: the empty line may be CRLF. A field of more than VALUE_LIMIT octets in all is not regular.
        """
        section: HeaderSection | None = kernel.header.read(
            _CompiledSection, raw, start, limit, crlf, most_lines, NAME_LIMIT, VALUE_LIMIT
        )
        return section
