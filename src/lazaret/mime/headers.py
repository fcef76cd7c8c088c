"""Where does each header field lie in the octets? (RFC 5322, section 2.2, read as SpamAssassin does)"""

import re

from lazaret.mime.header_block import FIELD_LIMIT, NAME_LIMIT, VALUE_LIMIT
from lazaret.mime.header_section import Field, HeaderSection, regular

__all__ = ["NAME_LIMIT", "VALUE_LIMIT", "Field", "HeaderSection", "parse", "parse_part", "regular"]

PART_FIELD_LIMIT = 200
"""Fields that are read of a MIME part: memory must not grow with a header of colons."""
_MALFORMED_LIMIT = 3

_REST = rb"[^\n]*+\n?+"
_LINE = re.compile(
    rb"(?P<boundary>--)"
    rb"|(?P<field>[!-9;-~]++[ \t]*+:" + _REST + rb")"
    rb"|(?P<empty>\r?\n)"
    rb"|(?P<malformed>[^\n]++\n?+)"
)
"""The first line of one step of the header section. All quantifiers are possessive: nothing is read twice."""
_FIELD_END = re.compile(rb"\n(?![ \t])")
"""Folds are searched for by their end: to repeat a line in an expression takes memory for each."""

_LF = 0x0A
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_PART_FIELD = re.compile(rb"[!-9;-~]++[ \t]*+:" + _REST)


def parse(raw: bytes, start: int = 0) -> HeaderSection:
    """Reads the header section that begins at `start`. Never raises, one pass.

    Up to three malformed lines are stepped over; a fourth one, or a line that begins with two
    hyphens, is where the body begins, with no empty line before it.
    """
    crlf = raw.endswith(b"\r\n") or raw[start : raw.find(b"\n", start) + 1].endswith(b"\r\n")
    section = regular(raw, start, len(raw), crlf=crlf)
    return _irregular(raw, start, crlf) if section is None else section


def _irregular(raw: bytes, start: int, crlf: bool) -> HeaderSection:
    fields: list[Field] = []
    malformed = 0
    position = start
    end = start
    while step := _LINE.match(raw, end):
        position, end = step.span()
        kind = step.lastgroup
        if kind in ("field", "malformed"):
            end = _folds_end(raw, end, len(raw))
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
        end_of_field = _folds_end(raw, step.end(), limit)
        fields.append(Field(raw[start:colon].decode("latin-1"), start, colon + 1, end_of_field))
        start = end_of_field
    return tuple(fields), start


def _folds_end(raw: bytes, position: int, limit: int) -> int:
    """After the folds of a field whose first line ends at `position`."""
    if raw[position : position + 1] not in (b" ", b"\t") or position >= limit or raw[position - 1] != _LF:
        return position
    found = _FIELD_END.search(raw, position, limit)
    return found.end() if found else limit
