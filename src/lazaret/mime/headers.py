"""Where does each header field lie in the octets? (RFC 5322, section 2.2, read as SpamAssassin does)"""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

NAME_LIMIT = 256
VALUE_LIMIT = 8192
"""Octets of a name and of a value that are looked at, as in SpamAssassin; the rest of a field is ignored."""

FIELD_LIMIT = 10_000
PART_FIELD_LIMIT = 200
"""Fields that are read of a message and of a MIME part: memory must not grow with a header of colons."""
_MALFORMED_LIMIT = 3

_FOLDS = rb"[^\n]*+\n?+(?:[ \t][^\n]*+\n?+)*+"
_LINE = re.compile(
    rb"(?P<boundary>--)"
    rb"|(?P<field>[!-9;-~]++[ \t]*+:" + _FOLDS + rb")"
    rb"|(?P<empty>\r?\n)"
    rb"|(?P<malformed>[^\n]++\n?+" + _FOLDS.removeprefix(rb"[^\n]*+\n?+") + rb")"
)
"""One step of the header section. Every quantifier is possessive: no octet is read twice."""

_EMPTY_LINE = re.compile(rb"\n\r?\n")
_PART_FIELD = re.compile(rb"[!-9;-~]++[ \t]*+:" + _FOLDS)


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
        self.fields = fields
        self.body_start = body_start
        """The first octet after the empty line; len(raw) when nothing follows."""
        self.missing_separator = missing_separator
        """The body began without an empty line before it."""
        self.crlf = crlf
        """The line ends are CRLF, by the first line or the last."""
        self.cut_off = cut_off
        """It has more than FIELD_LIMIT fields; the rest is not in `fields`."""

    @cached_property
    def _by_name(self) -> dict[str, list[Field]]:
        by_name: dict[str, list[Field]] = {}
        for field in self.fields:
            by_name.setdefault(field.name.lower(), []).append(field)
        return by_name

    @property
    def names(self) -> Iterable[str]:
        """The names of its fields in small letters, each once."""
        return self._by_name

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def named(self, name: str) -> list[Field]:
        """The fields of this name, any case, in order."""
        return self._by_name.get(name.lower(), [])

    def value(self, field: Field) -> bytes:
        """The octets after the colon: folds and leading blanks kept, line ends LF, at most VALUE_LIMIT."""
        octets = self.raw[field.value_start : field.end].replace(b"\r\n", b"\n")
        return octets if len(octets) <= VALUE_LIMIT else octets[:VALUE_LIMIT]

    def values(self, name: str) -> list[bytes]:
        """`value` of every field of this name, any case, in order."""
        return [self.value(field) for field in self._by_name.get(name.lower(), ())]

    @property
    def truncated(self) -> bool:
        """Some name or value is longer than what is looked at."""
        return self.cut_off or any(
            len(f.name) > NAME_LIMIT
            or len(self.raw[f.value_start : f.end].replace(b"\r\n", b"\n")) > VALUE_LIMIT
            for f in self.fields
            if f.end - f.start > NAME_LIMIT
        )


def parse(raw: bytes, start: int = 0) -> HeaderSection:
    """Reads the header section that begins at `start`. Never raises, one pass.

    Up to three malformed lines are stepped over; a fourth one, or a line that begins with two
    hyphens, is where the body begins, with no empty line before it.
    """
    crlf = raw.endswith(b"\r\n") or raw[start : raw.find(b"\n", start) + 1].endswith(b"\r\n")
    fields: list[Field] = []
    malformed = 0
    position = start
    for step in _LINE.finditer(raw, start):
        position, end = step.span()
        kind = step.lastgroup
        if kind == "field":
            colon = raw.find(b":", position)
            name = raw[position:colon].rstrip(b" \t").decode("latin-1")
            fields.append(Field(name, position, colon + 1, end))
            if len(fields) == FIELD_LIMIT:
                return _cut_off(raw, fields, end, crlf)
            continue
        if kind == "empty" and (crlf or end - position == 1):
            return HeaderSection(raw, tuple(fields), end, crlf=crlf)
        if kind == "boundary":
            return HeaderSection(raw, tuple(fields), position, missing_separator=True, crlf=crlf)
        if raw[position] not in b" \t":
            malformed += 1
            if malformed > _MALFORMED_LIMIT:
                return HeaderSection(raw, tuple(fields), position, missing_separator=True, crlf=crlf)
        colon = raw.find(b":", position, end)
        if colon >= 0:
            fields.append(
                Field(raw[position:colon].rstrip(b" \t").decode("latin-1"), position, colon + 1, end)
            )
    return HeaderSection(raw, tuple(fields), len(raw), missing_separator=len(raw) > 0, crlf=crlf)


def _cut_off(raw: bytes, fields: list[Field], position: int, crlf: bool) -> HeaderSection:
    """The section when it has more fields than are looked at: the body still begins after the empty line."""
    empty = _EMPTY_LINE.search(raw, position - 1)
    body_start = empty.end() if empty else len(raw)
    return HeaderSection(raw, tuple(fields), body_start, missing_separator=not empty, crlf=crlf, cut_off=True)


def parse_part(raw: bytes, start: int = 0, end: int | None = None) -> tuple[tuple[Field, ...], int]:
    """The fields at the head of a MIME part, and where the first line begins that belongs to none.

    Blanks before a colon belong to the name here, so that such a field goes unheeded, as in SpamAssassin.
    """
    fields: list[Field] = []
    limit = len(raw) if end is None else end
    while len(fields) < PART_FIELD_LIMIT:
        step = _PART_FIELD.match(raw, start, limit)
        if not step:
            break
        colon = raw.find(b":", start)
        fields.append(Field(raw[start:colon].decode("latin-1"), start, colon + 1, step.end()))
        start = step.end()
    return tuple(fields), start
