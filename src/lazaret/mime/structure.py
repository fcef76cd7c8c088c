"""Which parts does a message have? The MIME tree (RFC 2046), cut where SpamAssassin cuts it."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from lazaret.mime import headers, transfer, words
from lazaret.mime.content_type import ContentType

PART_LIMIT = 1000
"""Parts of one multipart, as in SpamAssassin."""
TREE_LIMIT = 2000
"""Parts of a message in all."""
FIELD_BUDGET = 20_000
"""Header fields of a message and of those attached to it, after which no more parts are opened."""
DEPTH_LIMIT = 20
"""Levels of multiparts and attached messages that are opened, as in SpamAssassin."""
_LINE_LIMIT = 2048
"""A longer line of a part is cut into pieces of this many octets."""

_BLANK_LINES = re.compile(rb"^(?:[ \t\r\f\v]*+\n){20,}+(?:[ \t\r\f\v]++\Z)?", re.M)
_MBOX_LINE = re.compile(
    rb"From\s+(?!:)|[\s\d]\d-[a-zA-Z]{3}-\d{4}\s\d\d:\d\d:\d\d[^\n]*,\d+;[\da-f]{12}-\w{8}\r?$"
)
_FIELD_START = re.compile(rb"[!-9;-~]+:")
_EPILOGUE = re.compile(rb"[^\s.]")
_DISPOSITION_NAME = re.compile(rb'name=\s*"?([^";]+)"?', re.I)
_HTML_NAME = re.compile(rb"\.s?html?$", re.I)


class Flag:
    """What is wrong with the form of a message, in SpamAssassin's words."""

    HEAD_BODY_SEPARATOR = "missing_head_body_separator"
    TRUNCATED_HEADER = "truncated_header"
    PART_HEAD_BODY_SEPARATOR = "missing_mime_head_body_separator"
    PART_HEADERS = "missing_mime_headers"
    EPILOGUE = "mime_epilogue_exists"
    TOO_MANY_PARTS = "mimepart_limit_exceeded"


@dataclass(eq=False)
class Part:
    """A node of the MIME tree."""

    header: headers.HeaderSection
    """Its offsets point into `header.raw`, the octets of the enclosing part with line ends LF."""
    type: ContentType
    content_type: str
    """Lower case: "text/html". What begins with text/ and is not HTML, a calendar or a vCard is text/plain."""
    depth: int = 0
    body: bytes = b""
    """Still encoded, line ends LF; empty for a node with children."""
    children: list["Part"] = field(default_factory=list)
    leaf: bool = True

    @property
    def charset(self) -> str:
        """As declared; "" when not."""
        return (self.type.charset or b"").decode("latin-1")

    @cached_property
    def name(self) -> bytes:
        """The file name as SpamAssassin reads it."""
        found = _DISPOSITION_NAME.search(self.last("Content-Disposition"))
        return found[1] if found else self.type.name or b""

    @cached_property
    def effective_type(self) -> str:
        """text/html also for what is only named so; `content_type` otherwise."""
        return "text/html" if _HTML_NAME.search(self.name) else self.content_type

    @cached_property
    def octets(self) -> bytes:
        """The body with its transfer encoding taken off; line ends of text are LF."""
        encoding = self.last("Content-Transfer-Encoding").lower()
        if encoding == b"quoted-printable":
            return transfer.quoted_printable(self.body).replace(b"\r\n", b"\n")
        if encoding == b"base64":
            octets = transfer.base64(self.body)
            return octets.replace(b"\r\n", b"\n") if self.is_text else octets
        return self.body

    @property
    def is_text(self) -> bool:
        return self.content_type.startswith(("text/", "message/"))

    @property
    def is_message(self) -> bool:
        return self.content_type in ("message/rfc822", "message/global")

    @cached_property
    def params(self) -> dict[str, str]:
        """The parameters of Content-Type, for people (RFC 2231 decoded)."""
        return words.parameters(self.last("Content-Type"))

    @cached_property
    def disposition(self) -> str:
        """Lower case: inline, attachment; "" when not said."""
        value = self.last("Content-Disposition").partition(b";")[0]
        return value.strip().lower().decode("latin-1")

    @cached_property
    def filename(self) -> str:
        """The file name for people (RFC 2231 and RFC 2047 decoded); "" when there is none."""
        disposition = words.parameters(self.last("Content-Disposition"))
        return disposition.get("filename") or self.params.get("name") or ""

    def last(self, name: str) -> bytes:
        """The decoded value of the last field of this name: mail programs heed the last; b"" when there is none."""
        fields = self.header.named(name)
        return words.decode(self.header.value(fields[-1]), name) if fields else b""

    def walk(self) -> Iterator["Part"]:
        """This part and all below it, depth first."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))


@dataclass(slots=True)
class Tree:
    """The parts of a message, and what was wrong with their form."""

    root: Part
    flags: set[str]
    open_boundaries: dict[bytes, int]
    """Boundary -> 1 when it was opened and never closed."""
    over_budget: bool


def parse(raw: bytes) -> Tree:
    """Cuts a message into its parts. Never raises; linear but for the depth, which is limited."""
    tree = _Cutter().cut(raw)
    section = tree.root.header
    if section.missing_separator:
        tree.flags.add(Flag.HEAD_BODY_SEPARATOR)
    if section.truncated:
        tree.flags.add(Flag.TRUNCATED_HEADER)
    return tree


@dataclass(slots=True)
class _Task:
    part: Part
    boundary: bytes | None
    body: bytes
    levels: int
    """How many more levels may be opened."""


class _Cutter:
    def __init__(self) -> None:
        self._queue: deque[_Task] = deque()
        self._parts = 0
        self._fields = 0
        self._flags: set[str] = set()
        self._boundaries: dict[bytes, int] = {}
        self._over_budget = False

    def cut(self, raw: bytes) -> Tree:
        root = self._message(raw, 0, DEPTH_LIMIT)
        while self._queue:
            self._open(self._queue.popleft())
        return Tree(root, self._flags, self._boundaries, self._over_budget)

    def _message(self, raw: bytes, depth: int, levels: int) -> Part:
        """A whole message: the root, or one that is attached."""
        section = headers.parse(raw, mbox_end(raw))
        self._fields += len(section.fields)
        self._over_budget = self._over_budget or section.cut_off
        body = _body(raw, section)
        kind = ContentType.parse(_last_content_type(section))
        part = Part(section, kind, kind.name_of_type, depth)
        if kind.multipart and body.count(b"\n", 0, -1) and body[: body.find(b"\n")].strip():
            boundary = kind.boundary
            if boundary is None or not body.startswith(b"--" + boundary):
                body = b"\n" + body
        self._queue.append(_Task(part, kind.boundary, body, levels))
        return part

    def _open(self, task: _Task) -> None:
        part = task.part
        if task.levels <= 0:
            self._over_budget = self._over_budget or part.content_type.startswith(("multipart/", "message/"))
        elif part.content_type.startswith("multipart/") and task.boundary is not None:
            self._multipart(task, task.boundary)
            return
        part.body = task.body
        if not part.type.missing:
            part.content_type = part.type.name_of_type
            if part.type.multipart and task.boundary is None:
                part.content_type = "text/plain"
        if part.is_message and task.levels > 0:
            self._attached(task)

    def _attached(self, task: _Task) -> None:
        part = task.part
        octets = part.octets
        if not octets or not self._admit():
            return
        part.children = [self._message(octets, part.depth + 1, task.levels - 1)]
        part.leaf = False
        part.body = b""

    def _admit(self) -> bool:
        self._parts += 1
        admitted = self._parts <= TREE_LIMIT and self._fields <= FIELD_BUDGET
        if not admitted:
            self._over_budget = True
        return admitted

    def _multipart(self, task: _Task, boundary: bytes) -> None:
        part, body = task.part, task.body
        part.leaf = False
        scanner = _Delimiters(body, boundary)
        position = self._opening(body, boundary, scanner)
        count = 0
        while position < len(body):
            if not self._admit():
                return
            head = _PartHead.read(body, position, scanner, boundary)
            delimiter = head.delimiter
            self._child(task, head, boundary)
            if head.separator_missing:
                self._flags.add(Flag.PART_HEAD_BODY_SEPARATOR)
            if delimiter is None:
                return
            position = delimiter.end
            if delimiter.closing:
                self._boundaries[boundary] = self._boundaries.get(boundary, 0) - 1
                if _EPILOGUE.search(body, position):
                    self._flags.add(Flag.EPILOGUE)
                return
            self._expect_field(body, position)
            count += 1
            if count == PART_LIMIT:
                self._flags.add(Flag.TOO_MANY_PARTS)
                self._over_budget = True
                return

    def _opening(self, body: bytes, boundary: bytes, scanner: "_Delimiters") -> int:
        """After the first delimiter line; without one the whole body counts as a part."""
        delimiter = scanner.after(0)
        while delimiter and delimiter.closing:
            delimiter = scanner.after(delimiter.end)
        if delimiter is None:
            return 0
        self._boundaries[boundary] = 1
        self._expect_field(body, delimiter.end)
        return delimiter.end

    def _expect_field(self, body: bytes, position: int) -> None:
        if position < len(body) and not _FIELD_START.match(body, position):
            self._flags.add(Flag.PART_HEADERS)

    def _child(self, task: _Task, head: "_PartHead", boundary: bytes) -> None:
        section = head.section
        kind = ContentType.parse(_last_content_type(section))
        content_type = kind.name_of_type
        if kind.missing and task.part.content_type == "multipart/digest":
            content_type = "message/rfc822"
        child = Part(section, kind, content_type, task.part.depth + 1)
        task.part.children.append(child)
        self._queue.append(_Task(child, kind.boundary or boundary, head.body, task.levels - 1))


@dataclass(slots=True)
class _Delimiter:
    start: int
    end: int
    """After its line end."""
    closing: bool


class _Delimiters:
    """The delimiter lines of one boundary (RFC 2046, section 5.1.1)."""

    def __init__(self, body: bytes, boundary: bytes) -> None:
        self._body = body
        self._line = b"--" + boundary

    def after(self, position: int) -> _Delimiter | None:
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
                return _Delimiter(position, end, rest == b"--")
            if end == len(body):
                return None
            position = end


@dataclass(slots=True)
class _PartHead:
    """A part as it stands between two delimiters."""

    section: headers.HeaderSection
    body: bytes
    delimiter: _Delimiter | None
    """What ends it."""
    separator_missing: bool

    @classmethod
    def read(cls, body: bytes, position: int, scanner: _Delimiters, boundary: bytes) -> "_PartHead":
        delimiter = scanner.after(position)
        end = delimiter.start if delimiter else body.rfind(b"\n", position, len(body) - 1) + 1 or position
        fields, head_end = headers.parse_part(body, position, end)
        if head_end >= end and delimiter:
            # A last field with nothing after it is lost: SpamAssassin stores a field when it meets the next line.
            return cls(headers.HeaderSection(body, fields[:-1], head_end), b"", delimiter, False)
        missing = False
        text_start = head_end
        if head_end < end:
            line_end = body.find(b"\n", head_end) + 1
            missing = body[head_end:line_end].strip(b"\r") != b"\n"
            text_start = head_end if missing else line_end
        elif fields:
            fields = fields[:-1]
        section = headers.HeaderSection(body, fields, text_start)
        if delimiter and _renames_boundary(section, boundary):
            delimiter = _after_nested(scanner, delimiter)
        text = body[text_start : delimiter.start if delimiter else len(body)]
        if delimiter and text.endswith(b"\n"):
            text = text[:-1]
        return cls(section, _cut_long_lines(text), delimiter, missing)


def _renames_boundary(section: headers.HeaderSection, boundary: bytes) -> bool:
    """The part is a multipart with its parent's boundary; told by its last field only."""
    if not section.fields or section.fields[-1].name.lower() != "content-type":
        return False
    return ContentType.parse(_last_content_type(section)).boundary == boundary


def _after_nested(scanner: _Delimiters, delimiter: _Delimiter | None) -> _Delimiter | None:
    """The delimiter that follows the closing one of a nested multipart of the same boundary."""
    while delimiter and not delimiter.closing:
        delimiter = scanner.after(delimiter.end)
    return scanner.after(delimiter.end) if delimiter else None


def _last_content_type(section: headers.HeaderSection) -> bytes | None:
    fields = section.named("content-type")
    return words.decode(section.value(fields[-1]), "content-type") if fields else None


def mbox_end(raw: bytes) -> int:
    """The length of a leading "From " line of an mbox; 0 when there is none."""
    if raw[:1] not in b"From 0123456789\t":
        return 0
    line_end = raw.find(b"\n") + 1 or len(raw)
    return line_end if _MBOX_LINE.match(raw[:line_end]) else 0


def _body(raw: bytes, section: headers.HeaderSection) -> bytes:
    """The body with line ends LF when the message's are CRLF, and at most 20 blank lines in a row."""
    body = raw[section.body_start :]
    if section.crlf:
        body = body.replace(b"\r\n", b"\n")
    return _BLANK_LINES.sub(_twenty_lines, body)


def _twenty_lines(run: re.Match[bytes]) -> bytes:
    """Keeps the ends of a run of blank lines; one line more where the body begins with it."""
    lines = run[0].split(b"\n")
    count = len(lines) - (not lines[-1])
    head = 2 if run.start() == 0 else 1
    if count <= 19 + head:
        return run[0]
    return b"\n".join(lines[:head] + lines[count - 19 :])


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
