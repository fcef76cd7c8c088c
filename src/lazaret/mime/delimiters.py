"""Where does a part of a multipart begin and end? (RFC 2046, section 5.1, with SpamAssassin's leniency)"""

import re
from dataclasses import dataclass

from lazaret.mime import headers
from lazaret.mime.content_type import ContentType, last_content_type

_LINE_LIMIT = 2048
"""A longer line of a part is cut into pieces of this many octets."""


@dataclass(slots=True)
class Delimiter:
    start: int
    end: int
    """After its line end."""
    closing: bool


class Delimiters:
    """The delimiter lines of one boundary (RFC 2046, section 5.1.1)."""

    def __init__(self, body: bytes, boundary: bytes) -> None:
        self._body = body
        self._line = b"--" + boundary
        self._found: re.Pattern[bytes] | None = None

    def after(self, position: int) -> Delimiter | None:
        """The first at or after `position`, which is the start of a line."""
        body, line = self._body, self._line
        while True:
            if not body.startswith(line, position):
                found = body.find(b"\n" + line, position)
                if found < 0:
                    return None
                position = found + 1
            end = body.find(b"\n", position + len(line)) + 1 or len(body)
            rest = body[position + len(line) : end].rstrip()
            if rest in (b"", b"--"):
                return Delimiter(position, end, rest == b"--")
            if end == len(body):
                return None
            # A million lines that only begin as a delimiter are searched by the engine, not step by step.
            if self._found is None:
                self._found = re.compile(b"\n" + re.escape(line) + rb"(?:--)?[ \t\r\f\v]*(?:\n|\Z)")
            next_line = self._found.search(body, end - 1)
            if next_line is None:
                return None
            position = next_line.start() + 1


@dataclass(slots=True)
class PartText:
    """A part as it stands between two delimiters."""

    section: headers.HeaderSection
    body: bytes
    delimiter: Delimiter | None
    """What ends it."""
    separator_missing: bool

    @classmethod
    def read(cls, body: bytes, position: int, scanner: Delimiters, boundary: bytes) -> "PartText":
        delimiter = scanner.after(position)
        end = delimiter.start if delimiter else body.rfind(b"\n", position, len(body) - 1) + 1 or position
        read = headers.regular(body, position, end, crlf=False, most_lines=headers.PART_FIELD_LIMIT)
        if read is not None:
            return cls._rest(read, body, scanner, boundary, delimiter)
        fields, head_end = headers.parse_part(body, position, end)
        if head_end >= end and delimiter:
            # SpamAssassin stores a field when it meets the next line: the last one is lost.
            return cls(headers.HeaderSection(body, fields[:-1], head_end), b"", delimiter, False)
        missing = False
        text_start = head_end
        if head_end < end:
            line_end = body.find(b"\n", head_end) + 1
            missing = body[head_end:line_end] not in (b"\n", b"\r\n")
            text_start = head_end if missing else line_end
        elif fields:
            fields = fields[:-1]
        section = headers.HeaderSection(body, fields, text_start)
        return cls._rest(section, body, scanner, boundary, delimiter, missing=missing)

    @classmethod
    def _rest(
        cls,
        section: headers.HeaderSection,
        body: bytes,
        scanner: Delimiters,
        boundary: bytes,
        delimiter: Delimiter | None,
        *,
        missing: bool = False,
    ) -> "PartText":
        """What follows the head of a part."""
        if delimiter and _renames_boundary(section, boundary):
            delimiter = _after_nested(scanner, delimiter)
        text = body[section.body_start : delimiter.start if delimiter else len(body)]
        if delimiter and text.endswith(b"\n"):
            text = text[:-1]
        return cls(section, _cut_long_lines(text), delimiter, missing)


def _renames_boundary(section: headers.HeaderSection, boundary: bytes) -> bool:
    """The part is a multipart with its parent's boundary; told by its last field only."""
    if not section.names or section.names[-1] != "content-type":
        return False
    return ContentType.parse(last_content_type(section)).boundary == boundary


def _after_nested(scanner: Delimiters, delimiter: Delimiter | None) -> Delimiter | None:
    """The delimiter that follows the closing one of a nested multipart of the same boundary."""
    while delimiter and not delimiter.closing:
        delimiter = scanner.after(delimiter.end)
    return scanner.after(delimiter.end) if delimiter else None


def _cut_long_lines(text: bytes) -> bytes:
    """Cuts lines of more than 2048 octets into pieces; steps from line to line 2048 octets at a time."""
    length = len(text)
    if length <= _LINE_LIMIT:
        return text
    pieces: list[bytes] = []
    kept = position = 0
    while length - position > _LINE_LIMIT:
        line_end = text.rfind(b"\n", position, position + _LINE_LIMIT)
        if line_end >= 0:
            position = line_end + 1
            continue
        pieces.append(text[kept : position + _LINE_LIMIT])
        kept = position = position + _LINE_LIMIT
    if not pieces:
        return text
    pieces.append(text[kept:])
    return b"\n".join(pieces)
