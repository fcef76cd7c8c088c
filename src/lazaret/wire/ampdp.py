"""AM.PDP, the protocol in which amavisd takes requests to release quarantined mail.

A request or reply is lines `name=value` and an empty line. Requests end their lines with CRLF or LF
(Modoboa sends LF); replies must have CRLF, because the Perl client sees no end without it. Values
are percent-encoded.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lazaret.model.errors import Reply
from lazaret.wire.lines import Lines

MAX_LINE = 16_384
"""Octets of a line with its end."""
MAX_REQUEST = 1_048_576
"""Octets of all names and values of one request: room for some thousand recipients."""

_LINE = re.compile(rb"[ \t]*([^=:\s]+)(?:=|:[ \t]*)(.*)", re.DOTALL)
_HEX = re.compile(rb"%([0-9A-Fa-f]{2})")
_TO_ENCODE = re.compile(rb"[^!-$&-~]")
_MAIL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*={0,2}")
_QUARANTINE_FILE = re.compile(r"(?:[a-z]+-)?([A-Za-z0-9][A-Za-z0-9_+-]{7,}={0,2})(?:\.gz)?")
_PARTITION = re.compile(r"(?P<rest>.*)\[(?P<tag>.*)\]")


@dataclass(frozen=True, slots=True)
class Request:
    """Name -> values, in the order in which they came; a repeated name has several."""

    values: Mapping[str, tuple[str, ...]]

    def get(self, name: str) -> str:
        """The first value; "" when there is none."""
        return self.values.get(name, ("",))[0]

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a name that may be repeated, such as `recipient`."""
        return self.values.get(name, ())


@dataclass(frozen=True, slots=True)
class Violation:
    """The peer speaks something else, or without bounds: close the connection."""

    text: str


Event = Request | Violation


class AmpdpServer:
    """Requests out of one connection, in any split."""

    def __init__(self) -> None:
        self._lines = Lines(MAX_LINE)
        self._attributes = _Attributes()
        self._spoke = False
        """The first line was an attribute, so that this is AM.PDP; a browser's request is not."""
        self._closed = False

    def receive(self, octets: bytes) -> list[Event]:
        """Takes what came in. After a Violation nothing more is heard."""
        events: list[Event] = []
        if self._closed:
            return events
        self._lines.feed(octets)
        while not self._closed and (line := self._lines.pop()) is not None:
            event = self._take(line)
            if event is not None:
                events.append(event)
            self._closed = isinstance(event, Violation)
        return events

    def _take(self, line: bytes) -> Event | None:
        if not line:
            return Violation("overlong line")
        if line in (b"\r\n", b"\n"):
            values, self._attributes = self._attributes.values(), _Attributes()
            return Request(values) if values else None
        attribute = _parse(line)
        if attribute is not None:
            self._spoke = True
            return None if self._attributes.add(*attribute) else Violation("overlong request")
        # amavisd skips a malformed line among good ones; at the beginning it means another protocol.
        return None if self._spoke else Violation("the first line is no attribute")


class AmpdpReplies:
    """The client's side: replies out of one connection."""

    def __init__(self) -> None:
        self._lines = Lines(MAX_LINE)
        self._attributes = _Attributes()

    def receive(self, octets: bytes) -> list[Request]:
        """The replies that are whole now; same shape as a request. ValueError when one has no bounds."""
        replies: list[Request] = []
        self._lines.feed(octets)
        while (line := self._lines.pop()) is not None:
            if line in (b"\r\n", b"\n"):
                replies.append(Request(self._attributes.values()))
                self._attributes = _Attributes()
                continue
            attribute = _parse(line)
            if not line or (attribute is not None and not self._attributes.add(*attribute)):
                raise ValueError("reply without end")
        return replies


class _Attributes:
    """The attributes of one request so far, bounded."""

    __slots__ = ("_size", "_values")

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}
        self._size = 0

    def add(self, name: str, value: str) -> bool:
        """False when it would be too much."""
        self._size += len(name) + len(value)
        if self._size > MAX_REQUEST:
            return False
        self._values.setdefault(name, []).append(value)
        return True

    def values(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(values) for name, values in self._values.items()}


def _parse(line: bytes) -> tuple[str, str] | None:
    match = _LINE.fullmatch(line.removesuffix(b"\n").removesuffix(b"\r"))
    return (_decode(match[1]), _decode(match[2])) if match else None


def _decode(octets: bytes) -> str:
    if b"%" in octets:
        octets = _HEX.sub(lambda m: bytes((int(m[1], 16),)), octets)
    return octets.decode("utf-8", "surrogateescape")


def encode_value(value: str) -> bytes:
    """Every octet outside 0x21-0x24 and 0x26-0x7E as `%xx`."""
    octets = value.encode("utf-8", "surrogateescape")
    return _TO_ENCODE.sub(lambda m: b"%%%02x" % ord(m[0]), octets)


def encode(attributes: Iterable[tuple[str, str]]) -> bytes:
    """A request, or a reply without `setreply`: CRLF lines and the empty line."""
    lines = [name.encode("ascii") + b"=" + encode_value(value) + b"\r\n" for name, value in attributes]
    return b"".join(lines) + b"\r\n"


def encode_fields(attributes: Iterable[tuple[str, ...]]) -> bytes:
    """Lines of a name and the fields of its value, each encoded by itself and joined by a blank."""
    lines = [
        name.encode("ascii") + b"=" + b" ".join(map(encode_value, fields)) + b"\r\n"
        for name, *fields in attributes
    ]
    return b"".join(lines) + b"\r\n"


def encode_replies(replies: Iterable[Reply], rest: Iterable[tuple[str, str]] = ()) -> bytes:
    """`setreply=<code> <enhanced> <text>` per recipient, then `rest`.

    The fields are encoded each by itself and joined by a blank, and nothing comes before the first
    `setreply`: MailZu looks for the octets `setreply=250` at the very beginning.
    """
    lines = [
        b"setreply=%d %s %s\r\n" % (reply.code, encode_value(reply.enhanced), encode_value(reply.text))
        for reply in replies
    ]
    return b"".join(lines) + encode(rest)


def release_request(
    mail_id: str, secret_id: str = "", recipients: Iterable[str] = (), *, request: str = "release"
) -> bytes:
    """The octets that amavisd-release sends for its arguments; ValueError when `mail_id` is none.

    `request`: "release", "requeue" or "report".
    `mail_id` may be what amavis logs: `spam-ID.gz`, `d/ID`, `ID[partition_tag]`.
    """
    partition = _PARTITION.fullmatch(mail_id)
    path = partition["rest"] if partition else mail_id
    kind = _quarantine_kind(path)
    attributes = [("request", request), ("mail_id", _bare_id(path) if kind else path)]
    if not _MAIL_ID.fullmatch(attributes[1][1]):
        raise ValueError(f"invalid mail id {mail_id}")
    if kind:
        attributes.append(("quar_type", kind))
    if secret_id:
        attributes.append(("secret_id", secret_id))
    attributes.append(("mail_file", path))
    if partition:
        attributes.append(("partition_tag", partition["tag"]))
    attributes.extend(("recipient", recipient) for recipient in recipients)
    return encode(attributes)


def _quarantine_kind(path: str) -> str:
    """amavis' letter for a compressed file, a plain file, or "" for an id of the database."""
    if path.endswith(".gz"):
        return "Z"
    return "F" if "/" in path else ""


def _bare_id(path: str) -> str:
    match = _QUARANTINE_FILE.fullmatch(path.rpartition("/")[2])
    return match[1] if match else ""
