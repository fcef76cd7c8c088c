"""spamd, the protocol in which spamc, Exim and others ask SpamAssassin about a message.

A connection carries one request: a line `COMMAND SPAMC/1.5`, fields, an empty line, and the message, up to
its Content-length or to the end of what the client writes. The answer has the same form. The protocol has
no standard; what stands here is how spamd 4.0.1 answers clients of the versions 1.1 to 1.5.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from lazaret.wire.lines import Lines

MAX_LINE = 8192
"""Octets of a line with its end."""
MAX_FIELDS = 100
LARGEST = 256 << 20
"""Octets of a message, where nobody says otherwise."""

_COMMAND = re.compile(rb"([A-Z_]{1,20}) SPAMC/([0-9]{1,3})\.([0-9]{1,3})")
_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:[ \t]*(.*?)[ \t]*", re.DOTALL)
_LENGTH = re.compile(r"[0-9]{1,12}")
_WITHOUT_MESSAGE = frozenset({"PING", "SKIP"})
_COMMANDS = _WITHOUT_MESSAGE | {"CHECK", "SYMBOLS", "REPORT", "REPORT_IFSPAM", "PROCESS", "HEADERS", "TELL"}
_WITH_FIELDS = (1, 3)
"""From this version on a client reads fields before an answer that is a text or a message."""
_WITH_LENGTH = (1, 2)
"""From this version on it reads Content-length before a message."""


class Status(IntEnum):
    """Codes of answers, those of sysexits.h."""

    EX_DATAERR = 65
    EX_UNAVAILABLE = 69
    EX_SOFTWARE = 70
    EX_TEMPFAIL = 75
    EX_PROTOCOL = 76


@dataclass(frozen=True, slots=True)
class SpamdRequest:
    """What a client asks."""

    command: str
    version: tuple[int, int]
    """The client's, (1, 5) for SPAMC/1.5: it decides over the form of the answer."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """By name in small letters; of a name that is repeated the last."""
    octets: bytes = b""
    """The message."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing that can be answered; `text` is the last word to the client."""

    status: Status
    text: str


Event = SpamdRequest | Refused


class SpamdServer:
    """The one request of a connection, in any split."""

    def __init__(self, largest: int = LARGEST) -> None:
        """`largest`: octets of a message, packed or not."""
        self._largest = largest
        self._lines = Lines(MAX_LINE)
        self._command = ""
        self._version = (0, 0)
        self._fields: dict[str, str] = {}
        self._in_message = False
        self._message = bytearray()
        self._length: int | None = None
        self._done = False

    @property
    def held(self) -> int:
        """Octets that are kept."""
        return len(self._message) + len(self._lines)

    def receive(self, octets: bytes) -> Event | None:
        """Takes what came in; the request once it is whole. Afterwards nothing more is heard."""
        if self._done:
            return None
        if self._in_message:
            self._message += octets
        else:
            self._lines.feed(octets)
        return self._ended(self._head() if not self._in_message else self._whole())

    def finish(self) -> Event | None:
        """The client has ended writing: a message without Content-length is whole then."""
        if self._done or not (self._command or self.held):
            return None
        if not self._in_message:
            return self._ended(_bad("the request ends before its message"))
        if self._length is not None and self._length != len(self._message):
            return self._ended(_bad(f"Content-length is {self._length}, got {len(self._message)} octets"))
        return self._ended(self._request())

    def drop(self) -> None:
        """Throws away what came in; nothing more is heard."""
        self._done = True
        self._message.clear()
        self._lines.clear()

    def _ended(self, event: Event | None) -> Event | None:
        if event is not None:
            self.drop()
        return event

    def _head(self) -> Event | None:
        while (line := self._lines.pop()) is not None:
            text = line.removesuffix(b"\n").removesuffix(b"\r")
            if not line:
                return _bad("overlong line")
            if not self._command:
                refused = self._take_command(text)
            elif text:
                refused = self._take_field(text)
            else:
                return self._begin_message()
            if refused or self._command in _WITHOUT_MESSAGE:
                return refused or self._request()
        return None

    def _take_command(self, line: bytes) -> Refused | None:
        match = _COMMAND.fullmatch(line)
        if match is None or match[1].decode("ascii") not in _COMMANDS:
            return _bad("unknown command")
        self._command = match[1].decode("ascii")
        self._version = int(match[2]), int(match[3])
        return None

    def _take_field(self, line: bytes) -> Refused | None:
        match = _FIELD.fullmatch(line)
        if match is None:
            return _bad("header not in 'Name: value' format")
        if len(self._fields) >= MAX_FIELDS:
            return _bad("too many header lines")
        name = match[1].decode("ascii").lower()
        self._fields[name] = match[2].decode("utf-8", "surrogateescape")
        if name == "content-length":
            if not _LENGTH.fullmatch(self._fields[name]):
                return _bad("Content-length is no number")
            self._length = int(self._fields[name])
        return None

    def _begin_message(self) -> Event | None:
        self._in_message = True
        self._message += self._lines.take_all()
        return self._whole()

    def _whole(self) -> Event | None:
        if (len(self._message) if self._length is None else self._length) > self._largest:
            return _too_large(self._largest)
        if self._length is None or len(self._message) < self._length:
            return None
        del self._message[self._length :]  # What else came is not heard, in whatever pieces it came.
        return self._request()

    def _request(self) -> Event:
        octets = bytes(self._message)
        packed = self._fields.get("compress", "").lower()
        if packed and packed != "zlib":
            return _bad(f"unknown compression {packed[:20]!r}")
        if packed:
            unpacked = _unpacked(octets, self._largest)
            if unpacked is None:
                return Refused(Status.EX_DATAERR, "the message cannot be unpacked")
            if len(unpacked) > self._largest:
                return _too_large(self._largest)
            octets = unpacked
        return SpamdRequest(self._command, self._version, dict(self._fields), octets)


def _unpacked(octets: bytes, largest: int) -> bytes | None:
    """At most one octet more than `largest`; None for what is no whole zlib stream."""
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(octets, largest + 1)
    except zlib.error:
        return None
    return unpacked if unpacker.eof or len(unpacked) > largest else None


def _bad(why: str) -> Refused:
    return Refused(Status.EX_PROTOCOL, f"Bad header line: ({why})")


def _too_large(largest: int) -> Refused:
    return Refused(Status.EX_DATAERR, f"the message has more than {largest} octets")


@dataclass(frozen=True, slots=True)
class Judged:
    """What every answer says of a message."""

    is_spam: bool
    score: float
    required: float

    def line(self, yes: str = "True", no: str = "False") -> bytes:
        word = yes if self.is_spam else no
        return f"Spam: {word} ; {self.score:.1f} / {self.required:.1f}\r\n".encode("ascii")


PONG = b"SPAMD/1.5 0 PONG\r\n"


def refusal(status: Status, text: str) -> bytes:
    """The answer to what cannot be answered."""
    return f"SPAMD/1.0 {int(status)} {text}\r\n".encode("ascii", "replace")


def verdict_answer(judged: Judged) -> bytes:
    """To CHECK: no version reads more."""
    return b"SPAMD/1.1 0 EX_OK\r\n" + judged.line() + b"\r\n"


def text_answer(request: SpamdRequest, judged: Judged, text: bytes) -> bytes:
    """To SYMBOLS, REPORT and REPORT_IFSPAM."""
    line = judged.line("Yes", "No") if request.command == "REPORT_IFSPAM" else judged.line()
    if request.version >= _WITH_FIELDS:
        return b"SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\n%b\r\n%b" % (len(text), line, text)
    return b"SPAMD/1.1 0 EX_OK\r\n%b\r\n%b\r\n" % (line, text)


def message_answer(request: SpamdRequest, judged: Judged, octets: bytes) -> bytes:
    """To PROCESS and HEADERS."""
    if request.version >= _WITH_FIELDS:
        head = b"SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\n%b\r\n" % (len(octets), judged.line())
    elif request.version >= _WITH_LENGTH:
        head = b"SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\n\r\n" % len(octets)
    else:
        head = b"SPAMD/1.0 0 EX_OK\r\n"
    return head + octets
