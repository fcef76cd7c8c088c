"""What kind of part is it? Content-Type (RFC 2045, section 5), read as leniently as SpamAssassin reads it."""

import re
from dataclasses import dataclass
from functools import lru_cache

from lazaret.mime.headers import HeaderSection

_BOUNDARY = re.compile(rb'\bboundary\s*=\s*("[^"]+|[^\s";]+(?=[\s;]|$))', re.I)
_CHARSET = re.compile(rb"""\bcharset\s*=\s*["']?(.*?)["']?(?:;|$)""", re.I)
_NAME = re.compile(rb"""\b(?:file)?name\s*=\s*["']?(.*?)["']?(?:;|$)""", re.I)
_NAME_PIECE = re.compile(rb"""\b(?:file)?name\*(\d{1,4})\s*=\s*["']?(.*?)["']?(?:;|$)""", re.I)
_TYPE = re.compile(rb"[^/]+(?:/[^/\s]*)?")
_TEXT = re.compile(rb"text\b")
_OWN_FORMATS = (b"text/x-vcard", b"text/calendar", b"text/html")
_FORBIDDEN = bytes([*range(0x21), *range(0x7F, 0x100), *b'"(),:;<=>?@[\\]'])


@dataclass(frozen=True, slots=True)
class ContentType:
    """The field's value, taken apart."""

    name_of_type: str
    """Lower case, cleaned: "text/html"; text/plain when missing, or text of another kind."""
    boundary: bytes | None
    charset: bytes | None
    name: bytes | None
    """The file name."""
    missing: bool

    @classmethod
    def parse(cls, value: bytes | None) -> "ContentType":
        """Of the decoded value; None or b"" when the field is missing."""
        if not value or value == b"0":
            return MISSING
        return _remembered(value) if len(value) <= _REMEMBERED else cls.read(value)

    @classmethod
    def read(cls, value: bytes) -> "ContentType":
        """`parse` of a value that is there."""
        boundary = _BOUNDARY.search(value)
        charset = _CHARSET.search(value)
        written = _TYPE.match(value.partition(b";")[0].lstrip())
        name_of_type = written[0].lower() if written else b""
        missing = not name_of_type
        if missing or (_TEXT.match(name_of_type) and name_of_type not in _OWN_FORMATS):
            name_of_type = b"text/plain"
        return cls(
            name_of_type.translate(None, _FORBIDDEN).decode("ascii"),
            boundary[1].replace(b'"', b"") if boundary else None,
            charset[1] if charset else None,
            _name(value),
            missing,
        )

    @property
    def multipart(self) -> bool:
        return self.name_of_type.startswith("multipart/")


MISSING = ContentType("text/plain", None, b"us-ascii", None, True)
_REMEMBERED = 256
"""Octets of a value that is remembered taken apart: most mail is of a few types."""
_remembered = lru_cache(maxsize=1024)(ContentType.read)


def _name(value: bytes) -> bytes | None:
    found = _NAME.search(value)
    if found and found[1]:
        return found[1]
    pieces = {int(number): piece for number, piece in _NAME_PIECE.findall(value)}
    if 0 in pieces:
        return b"".join(pieces[number] for number in sorted(pieces))
    return found[1] if found else None


def last_content_type(section: HeaderSection) -> bytes | None:
    """The decoded value of the last Content-Type, which mail programs heed; None when there is none."""
    return section.last_decoded("content-type")
