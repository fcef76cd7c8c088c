"""What the lines of a PDF say that are not packed: images, author, links, and digests to know it again by.

It is read as Mail::SpamAssassin::Plugin::PDFInfo reads it, line by line and as text. However a line is made,
it is gone through once for each thing that is looked for.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

_BOM = b"\xef\xbb\xbf"
_MAGIC = re.compile(rb".{0,1024}%PDF-(\d\.\d)", re.DOTALL)
_HEAD = re.compile(rb"[^\n]+")
_TELLING = re.compile(
    rb"^[^\n]*?(?:/(?:Image|Encrypt|Width|URI|Author|Creat|ModDate|Producer|Title)|\(http|cm$)[^\n]*",
    re.MULTILINE,
)
MOST_LINES = 50_000
_HEAD_LINES = 69
_PLACED = re.compile(rb"(\d+)\s+\d+\s+\d+\s+(\d+)\s+\d+\s+\d+\s+cm")
_NOT_IN_DIGEST = re.compile(rb"%|/(?:Height|Width|(?:(?:Media|Crop)Box))")
_MEASURED = re.compile(rb"/Width\s(\d+)/Height\s(\d+)")
_HALF_MEASURED = re.compile(rb"/(?:Width|Height)\s\d")
"""A line that begins so is taken for one side of an image, and one side alone is none."""
_NAMES = re.compile(rb"^/([A-Za-z]+)", re.MULTILINE)
_SPACE = b" \t\r\f\v"

_DETAILS = {
    "author": re.compile(rb"/Author\s{0,2}([(<])"),
    "creator": re.compile(rb"/Creator\s{0,2}([(<])"),
    "producer": re.compile(rb"/Producer\s{0,2}([(<])"),
    "title": re.compile(rb"/Title\s{0,2}([(<])"),
}
_DATES = {
    "created": re.compile(rb"/CreationDate\s{0,2}\(D:(\d+)"),
    "modified": re.compile(rb"/ModDate\s{0,2}\(D:(\d+)"),
}
_LINK = re.compile(rb"(?:/S\s{0,2}/URI\s{0,2}|\A\s*)/URI\s{0,2}([(<])")
_BARE_LINK = re.compile(rb"\(https?://")
_END_OF_TEXT = re.compile(rb"(?<!\\)\)")
_END_OF_LINK = b")>>"
_SHORTEST, _LONGEST = 8, 256
_MOST_LINKS = 20
_MOST_VALUES = 1000

_HEX = re.compile(rb"[0-9A-Fa-f]{2}")
_OCTAL = re.compile(rb"(?<!\\)\\([0-3][0-7][0-7])")
_ESCAPED = re.compile(rb"\\([()\\])")
_WIDE = (b"\xfe\xff", b"\xff\xfe")
_RAW_LENGTH = 4096
_DIGITS = 15


@dataclass(slots=True)
class Pdf:
    """What was found in one file."""

    version: str
    lines: int = 0
    """How many lines told something."""
    encrypted: bool = False
    images: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Height and width of each, in digits."""
    details: dict[str, list[bytes]] = field(default_factory=dict)
    """What it says of its author, title and the like, every time that it says so."""
    links: dict[bytes, None] = field(default_factory=dict)
    digest: str = ""
    digest_of_head: str = ""
    """Without what changes from copy to copy; "" when there is nothing else."""
    digest_of_names: str = ""
    """Of the names at the beginnings of lines."""

    @property
    def area(self) -> int:
        """Pixels of all images together."""
        return sum(number(height) * number(width) for height, width in self.images)


def number(digits: bytes) -> int:
    """Of so many digits as a size can have."""
    return int(digits[:_DIGITS])


def read(octets: bytes, most: int = MOST_LINES) -> Pdf | None:
    """None when it is no PDF. After `most` lines that tell something the others are passed over."""
    octets = octets.removeprefix(_BOM)
    magic = _MAGIC.match(octets)
    return _Reader(Pdf(magic[1].decode()), most).read(octets) if magic else None


class _Reader:
    def __init__(self, pdf: Pdf, most: int) -> None:
        self._pdf = pdf
        self._most = most
        self._image = False
        """Whether an image was announced whose size is still to come."""
        self._head: list[bytes] = []
        self._in_head = True

    def read(self, octets: bytes) -> Pdf:
        position = 0
        for count, found in enumerate(_HEAD.finditer(octets)):
            if not self._in_head or count == _HEAD_LINES:
                break
            self._line(self._noted(found[0]))
            position = found.end()
        for found in islice(_TELLING.finditer(octets, position), self._most):
            self._line(found[0])
            self._pdf.lines += 1
        self._pdf.digest = _md5(octets)
        self._pdf.digest_of_head = _md5(b"".join(self._head))
        self._pdf.digest_of_names = _md5(b"".join(_NAMES.findall(octets)))
        return self._pdf

    def _noted(self, line: bytes) -> bytes:
        """The line as it is read further; the digest of the head has it without the blanks at its end."""
        if not _NOT_IN_DIGEST.match(line) and not _PLACED.fullmatch(line):
            line = line.rstrip(_SPACE)
            self._head.append(line)
        self._in_head = b"stream" not in line
        return line

    def _line(self, line: bytes) -> None:
        pdf = self._pdf
        self._image = self._image or b"/Image" in line
        pdf.encrypted = pdf.encrypted or line.startswith(b"/Encrypt")
        if self._image:
            self._size(line)
        if b"/" not in line:
            return
        if (b"/URI" in line or b"(http" in line) and len(pdf.links) < _MOST_LINKS and self._link(line):
            return
        for detail, begin in _DETAILS.items():
            value = next(_strings(line, begin), None)
            if value is not None:
                self._note(detail, value)
        for detail, date in _DATES.items():
            found = date.search(line)
            if found:
                self._note(detail, found[1][:_LONGEST])

    def _size(self, line: bytes) -> None:
        placed = _PLACED.fullmatch(line)
        measured = None if _HALF_MEASURED.match(line) else _MEASURED.search(line)
        size = (placed[2], placed[1]) if placed else (measured[2], measured[1]) if measured else None
        if size and all(map(number, size)):
            self._pdf.images.append(size)
            self._image = self._in_head = False

    def _link(self, line: bytes) -> bool:
        """Notes a link. True for a line with a link that is none: it is read no further."""
        found = _first_link(line)
        if found is None:
            return False
        if found.find(b".") > 0 and b"\0" not in found:
            self._pdf.links[found] = None
            return False
        return True

    def _note(self, detail: str, value: bytes) -> None:
        values = self._pdf.details.setdefault(detail, [])
        if len(values) < _MOST_VALUES:
            values.append(value)


def _first_link(line: bytes) -> bytes | None:
    """In a dictionary of its own, or in parentheses before the end of one: whichever comes first."""
    declared = next(_places(line, _LINK), None)
    bare = _bare_link(line, declared[0] if declared else len(line))
    if bare is not None:
        return _text(bare)
    return _text(declared[1]) if declared else None


def _bare_link(line: bytes, before: int) -> bytes | None:
    for found in _BARE_LINK.finditer(line, 0, before):
        shortest = found.end() + _SHORTEST
        end = line.rfind(_END_OF_LINK, shortest, found.end() + _LONGEST + len(_END_OF_LINK))
        if end >= 0:
            return line[found.start() + 1 : end]
    return None


def _strings(line: bytes, begin: re.Pattern[bytes]) -> Iterator[bytes]:
    """The values of an entry, as text."""
    for _, value in _places(line, begin):
        yield _text(value)


def _places(line: bytes, begin: re.Pattern[bytes]) -> Iterator[tuple[int, bytes]]:
    """Where an entry begins, and its value with its brackets. What is not closed is none."""
    last = {b"(": line.rfind(b")"), b"<": line.rfind(b">")}
    for found in begin.finditer(line):
        opened = found.end() - 1
        if last[found[1]] < opened:
            continue
        if found[1] == b"<":
            yield found.start(), line[opened : line.index(b">", opened) + 1]
            continue
        closed = _END_OF_TEXT.search(line, found.end())
        if closed is None:
            last[b"("] = -1
        else:
            yield found.start(), line[opened : closed.end()]


def _text(value: bytes) -> bytes:
    """Without brackets and escapes, and without the zeros of UTF-16."""
    value = value[:_RAW_LENGTH]
    if value.startswith(b"<"):
        text = _narrow(bytes.fromhex(b"".join(_HEX.findall(value)).decode()))
    else:
        text = value.removeprefix(b"(").removesuffix(b")")
        text = _narrow(_OCTAL.sub(lambda found: bytes([int(found[1], 8)]), text))
        text = _ESCAPED.sub(rb"\1", text)
    return text[:_LONGEST]


def _narrow(text: bytes) -> bytes:
    return text[2:].replace(b"\0", b"") if text.startswith(_WIDE) else text


def _md5(octets: bytes) -> str:
    return hashlib.md5(octets, usedforsecurity=False).hexdigest().upper() if octets else ""
