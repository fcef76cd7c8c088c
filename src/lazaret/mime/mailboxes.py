"""Which addresses and names stand in From, To and Cc? RFC 5322, section 3.4, read as mail programs do."""

import re
from functools import lru_cache
from typing import NamedTuple

from lazaret.mime import hostnames

_TOKEN = re.compile(
    rb'"(?P<quoted>(?>(?:[^"\\]++|\\.)*))"'
    rb"|(?P<comment>\((?>(?:[^()\\]++|\\.|\((?>(?:[^()\\]++|\\.)*)\))*)\))"
    rb"|<(?P<angle>[^>]*+)>"
    rb"|(?P<unclosed>[\"<].*)"
    rb"|(?P<separator>[,;])"
    rb"|(?P<text>[^\",;<(]++|.)",
    re.S,
)
_GROUP_NAME = re.compile(rb'[^"()<>]+:\s*')
_COMMENT = re.compile(rb"\((?>(?:[^()\\]++|\\.|\((?>(?:[^()\\]++|\\.)*)\))*)\)", re.S)
_ADDRESS = re.compile(
    rb'(?:"(?>(?:[^"\\]++|\\.)*)"|[^@\s<>()\[\],:;]++)@(?:[^"\s<>()\[\],:;]++|\[[\d:.]+\])', re.S
)
_ANGLE_ADDRESS = re.compile(rb"<(" + _ADDRESS.pattern + rb")>", re.S)
_PLAIN_ADDRESS = rb'[^@\s<>()\[\],:;"]++@[^@"\s<>()\[\],:;]++'
_PLAIN_ENTRY = re.compile(
    rb'\s*+(?:(?:"(?P<quoted>[^"]*+)"(?P<blanks>\s*+)|(?P<phrase>[^"<>,;(]*+))<(?P<angle>'
    + _PLAIN_ADDRESS
    + rb")>"
    rb"|(?P<bare>" + _PLAIN_ADDRESS + rb")\s*+(?>(?:\((?P<comment>[^()]*+)\))?))\s*+(?:[,;]|\Z)"
)
"""What nearly all senders write, in text without colons and backslashes."""
_ESCAPE = re.compile(rb"\\(?!\\)")
_REMEMBERED = 512
"""Octets of a value whose mailboxes are remembered; longer ones would cost too much memory."""
_WHITE = b" \t\n\r\x0b\x0c"
_COLON, _BACKSLASH = b":\\"


class Mailbox(NamedTuple):
    """One entry of the list, both in the octets of the field: words of RFC 2047 are not decoded."""

    address: bytes | None
    """local@domain without comments and brackets; None when what stands there is none."""
    name: bytes | None
    """The display name, else the comment after the address."""


class _Entry:
    """What was read since the last comma."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.name = bytearray()
        self.plain = bytearray()
        self.angle: bytes | None = None
        self.comment: bytes | None = None
        self.trailing = False

    def add(self, token: re.Match[bytes]) -> None:
        kind = token.lastgroup
        if kind == "comment":
            self.comment = token["comment"][1:-1]
        elif kind == "angle":
            self.angle = token["angle"] if self.angle is None else self.angle
        elif kind == "unclosed":
            self.trailing = True
        elif self.angle is not None:
            self.trailing = self.trailing or bool(token[0].strip(_WHITE))
        else:
            written = token[0] if self.plain else token[0].lstrip(_WHITE)
            self.plain += written
            self.name += written if kind != "quoted" else _ESCAPE.sub(b"", token["quoted"])

    @property
    def empty(self) -> bool:
        return self.angle is None and self.comment is None and not self.plain.strip(_WHITE)

    def mailbox(self) -> Mailbox:
        address, name = self._address(), bytes(self.name)
        if address is None and self.angle is None and _is_address(bytes(self.plain).strip(_WHITE)):
            return Mailbox(_one_at(bytes(self.plain).strip(_WHITE)), self.comment)
        if address is None and _names_a_host(name):
            return Mailbox(_one_at(name), self.comment)
        if not name or name == address:
            return Mailbox(address, self.comment)
        return Mailbox(address, name)

    def _address(self) -> bytes | None:
        if self.angle is None:
            return None
        address = _COMMENT.sub(b"", self.angle).strip(_WHITE)
        return _one_at(address) if _is_address(address) else None


def parse(value: bytes) -> tuple[Mailbox, ...]:
    """The mailboxes of a raw field value, in order. Linear; never raises."""
    return _remembered(value) if len(value) <= _REMEMBERED else _read(value)


def _read(value: bytes) -> tuple[Mailbox, ...]:
    text = value.rstrip(_WHITE)
    if _COLON in text or _BACKSLASH in text:
        return tuple(_read_any(text.replace(b"\\\\", b"")))
    found: list[Mailbox] = []
    position, end = 0, len(text)
    while position < end:
        entry = _PLAIN_ENTRY.match(text, position)
        if entry is None:
            return tuple(_read_any(text))
        position = entry.end()
        quoted, blanks, phrase, angle, bare, comment = entry.groups()
        if bare is not None:
            found.append(Mailbox(bare, comment))
            continue
        name = phrase if quoted is None else quoted + blanks
        found.append(Mailbox(angle, name if name and name != angle else None))
    return tuple(found)


_remembered = lru_cache(maxsize=2048)(_read)
"""Several rules ask for the addresses of one field, and people write again."""


def addresses(value: bytes) -> tuple[bytes, ...]:
    """Those of the mailboxes that have one."""
    return tuple([mailbox.address for mailbox in parse(value) if mailbox.address is not None])


def _read_any(text: bytes) -> list[Mailbox]:
    group = _GROUP_NAME.match(text)
    position = group.end() if group else 0
    found: list[Mailbox] = []
    entry = _Entry(position)
    for token in _TOKEN.finditer(text, position):
        if token["separator"] is None:
            entry.add(token)
            continue
        if entry.trailing:
            break
        if not entry.empty:
            found.append(entry.mailbox())
        entry = _Entry(token.end())
    if entry.trailing:
        return found + _only_addresses(text[entry.start :])
    return found if entry.empty else [*found, entry.mailbox()]


def _only_addresses(text: bytes) -> list[Mailbox]:
    """What is left when words stand after an address: no names, but every address in angle brackets."""
    return [Mailbox(_one_at(m[1]), None) for m in _ANGLE_ADDRESS.finditer(text) if _is_address(m[1])]


def _is_address(text: bytes) -> bool:
    return _ADDRESS.fullmatch(text) is not None and not text.startswith(b'""@') and text.count(b'"') != 1


def _names_a_host(text: bytes) -> bool:
    if not _is_address(text):
        return False
    host = hostnames.to_ascii(text.split(b"@")[1])
    return hostnames.is_name(host.decode("latin-1"))


def _one_at(address: bytes) -> bytes:
    return b"@".join(address.split(b"@")[:2])
