"""SMTP replies on the wire, both ways (RFC 5321, section 4.2; enhanced codes as in RFC 2034).

A line break in `Reply.text` is a line break of a multi-line reply; each line repeats the codes.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from lazaret.model.errors import Reply
from lazaret.wire.lines import Lines

MAX_TEXT = 510
"""Octets of a reply line without its CRLF (RFC 5321, section 4.5.3.1.5)."""
MAX_LINE_RECEIVED = 4096
"""Octets; generous, because a reply lost means a message sent twice."""
MAX_LINES_RECEIVED = 128

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_LINE = re.compile(rb"([1-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ \t]+|$)")


class ReplyError(Exception):
    """The peer sent what is no SMTP reply, or one without end."""


def encode(reply: Reply) -> bytes:
    """The octets of a reply; lines are at most 510 octets and CRLF, whatever the text holds."""
    text = str(reply)
    if len(text) <= MAX_TEXT and text.isascii() and text.isprintable():
        return text.encode("ascii") + b"\r\n"
    line = text.encode("utf-8", "surrogateescape")
    if len(line) <= MAX_TEXT and not _CONTROL.search(line):
        return line + b"\r\n"
    return _encode_lines(reply)


def _encode_lines(reply: Reply) -> bytes:
    code = b"%d" % reply.code
    prefix = f"{reply.enhanced} ".encode() if reply.enhanced else b""
    room = MAX_TEXT - len(code) - 1 - len(prefix)
    texts = [
        piece
        for line in reply.text.split("\n")
        for piece in _wrap(_CONTROL.sub(b" ", line.encode("utf-8", "surrogateescape")), room)
    ]
    lines = [code + b"-" + prefix + text + b"\r\n" for text in texts[:-1]]
    return b"".join(lines) + code + b" " + prefix + texts[-1] + b"\r\n"


def _wrap(text: bytes, room: int) -> Iterator[bytes]:
    """Pieces of at most `room` octets, cut at a blank where one is near, never within a UTF-8 character."""
    start = 0
    while len(text) - start > room:
        end = start + room
        blank = text.rfind(b" ", end - room // 4, end)
        if blank > start:
            end = blank + 1
        while end > start + room - 4 and text[end] & 0xC0 == 0x80:
            end -= 1
        yield text[start:end]
        start = end
    yield text[start:]


class ReplyReader:
    """Replies out of a stream, in any split."""

    __slots__ = ("_between", "_lines", "_texts")

    def __init__(self) -> None:
        self._lines = Lines(MAX_LINE_RECEIVED)
        self._texts: list[str] = []
        self._between = True
        """Nothing waits: what comes next begins a reply."""

    def receive(self, octets: bytes) -> Iterable[Reply]:
        """The replies that are whole now, each to be taken before more comes. Raises ReplyError."""
        if self._between and len(octets) <= MAX_LINE_RECEIVED and (known := _all_whole(octets)) is not None:
            return known
        return self._read(octets)

    def _read(self, octets: bytes) -> Iterator[Reply]:
        self._between = False
        self._lines.feed(octets)
        while (line := self._lines.pop()) is not None:
            reply = self._add(line)
            if reply is not None:
                yield reply
        self._between = octets.endswith(b"\n") and not self._texts

    def clear(self) -> None:
        """Throws away what waits: a reply sent before TLS must not be taken for one under it."""
        self._lines.clear()
        self._texts.clear()
        self._between = True

    def _add(self, line: bytes) -> Reply | None:
        match = _LINE.fullmatch(line.rstrip(b"\r\n"))
        if match is None or len(self._texts) >= MAX_LINES_RECEIVED:
            raise ReplyError(line[:100].decode("ascii", "backslashreplace").strip() or "overlong line")
        code, separator, text = match.groups(b"")
        self._texts.append(text.decode("utf-8", "surrogateescape"))
        if separator == b"-":
            return None
        texts, self._texts = self._texts, []
        return _decode(int(code), texts)


@lru_cache(256)
def _all_whole(octets: bytes) -> tuple[Reply, ...] | None:
    """The replies of which these octets consist, where each is one line; most say the same each time."""
    *lines, rest = octets.split(b"\n")
    matches = [_LINE.fullmatch(line.rstrip(b"\r")) for line in lines]
    if rest or any(match is None or match[2] == b"-" for match in matches):
        return None
    found = (match.groups(b"") for match in matches if match is not None)
    return tuple(_decode(int(code), [text.decode("utf-8", "surrogateescape")]) for code, _, text in found)


def _decode(code: int, texts: list[str]) -> Reply:
    """The enhanced code counts when it agrees with the reply code; it is taken off every line."""
    match = _ENHANCED.match(texts[0])
    if match is None or int(match[1][0]) != code // 100:
        return Reply(code, "", "\n".join(texts))
    enhanced = match[1]
    if len(texts) == 1:
        return Reply(code, enhanced, texts[0][match.end() :].rstrip())
    return Reply(code, enhanced, "\n".join(t.removeprefix(enhanced).strip() for t in texts))
