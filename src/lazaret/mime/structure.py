"""Which parts does a message have? The MIME tree (RFC 2046), cut where SpamAssassin cuts it."""

import re
from collections import deque
from dataclasses import dataclass

from lazaret.mime import headers
from lazaret.mime.content_type import ContentType, last_content_type
from lazaret.mime.delimiters import Delimiters, PartText
from lazaret.mime.header_block import has_white_run, with_lf
from lazaret.mime.part import Part

__all__ = ["Flag", "Part", "Tree", "mbox_end", "parse"]

PART_LIMIT = 1000
"""Parts of one multipart, as in SpamAssassin."""
TREE_LIMIT = 2000
"""Parts of a message in all."""
FIELD_BUDGET = 20_000
"""Header fields of a message and of those attached to it, after which no more parts are opened."""
DEPTH_LIMIT = 20
"""Levels of multiparts and attached messages that are opened, as in SpamAssassin."""

_BLANK_LINES = re.compile(rb"^[ \t\r\f\v\n]{20,}", re.M)
"""A run of blank lines, and what the next line begins with. To repeat a whole line in the expression would
take memory for each: half a gigabyte for ten megabytes of them."""
_MANY_BLANK_LINES = re.compile(rb"\n(?:[ \t\r\f\v]*+\n){19}")
_MBOX_LINE = re.compile(
    rb"From\s+(?!:)|[\s\d]\d-[a-zA-Z]{3}-\d{4}\s\d\d:\d\d:\d\d[^\n]*,\d+;[\da-f]{12}-\w{8}\r?$"
)
_FIELD_START = re.compile(rb"[!-9;-~]+:")
_EPILOGUE = re.compile(rb"[^\s.]")


class Flag:
    """What is wrong with the form of a message, in SpamAssassin's words."""

    HEAD_BODY_SEPARATOR = "missing_head_body_separator"
    TRUNCATED_HEADER = "truncated_header"
    PART_HEAD_BODY_SEPARATOR = "missing_mime_head_body_separator"
    PART_HEADERS = "missing_mime_headers"
    EPILOGUE = "mime_epilogue_exists"
    TOO_MANY_PARTS = "mimepart_limit_exceeded"


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
        self._fields += len(section.names)
        self._over_budget = self._over_budget or section.cut_off
        body = _body(raw, section)
        kind = ContentType.parse(last_content_type(section))
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
        scanner = Delimiters(body, boundary)
        position = self._opening(body, boundary, scanner)
        count = 0
        while position < len(body):
            if not self._admit():
                return
            head = PartText.read(body, position, scanner, boundary)
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

    def _opening(self, body: bytes, boundary: bytes, scanner: "Delimiters") -> int:
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

    def _child(self, task: _Task, head: "PartText", boundary: bytes) -> None:
        section = head.section
        kind = ContentType.parse(last_content_type(section))
        content_type = kind.name_of_type
        if kind.missing and task.part.content_type == "multipart/digest":
            content_type = "message/rfc822"
        child = Part(section, kind, content_type, task.part.depth + 1)
        task.part.children.append(child)
        self._queue.append(_Task(child, kind.boundary or boundary, head.body, task.levels - 1))


def mbox_end(raw: bytes) -> int:
    """The length of a leading "From " line of an mbox; 0 when there is none."""
    if b"From 0123456789\t".find(raw[:1]) < 0:
        return 0
    line_end = raw.find(b"\n") + 1 or len(raw)
    return line_end if _MBOX_LINE.match(raw[:line_end]) else 0


def _body(raw: bytes, section: headers.HeaderSection) -> bytes:
    """The body with line ends LF when the message's are CRLF, and at most 20 blank lines in a row."""
    start = section.body_start
    body = with_lf(raw, start) if section.crlf else raw[start:]
    return _BLANK_LINES.sub(_twenty_lines, body) if _has_many_blank_lines(body) else body


def _has_many_blank_lines(body: bytes) -> bool:
    return has_white_run(body, 20) and _MANY_BLANK_LINES.search(body) is not None


def _twenty_lines(found: re.Match[bytes]) -> bytes:
    """Keeps the ends of a run of blank lines; one line more where the body begins with it."""
    white = found[0]
    end = len(white) if found.end() == len(found.string) else white.rfind(b"\n") + 1
    run = white[:end]
    closed = run.endswith(b"\n")
    count = run.count(b"\n") + (not closed)
    head = 2 if found.start() == 0 else 1
    if count <= 19 + head or run.count(b"\n") < 20:
        return white
    kept = [*run.split(b"\n", head)[:head], *run.rsplit(b"\n", 19 + closed)[1:]]
    return b"\n".join(kept) + white[end:]
