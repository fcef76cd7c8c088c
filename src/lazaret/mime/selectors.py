"""What does a header rule look at? Selectors such as `From:addr`, `ALL`, `X-Spam-Relays-External`, `ToCc`.

A selector is the name of a field, or of a value put together from several, and modifiers in any order:
raw, addr, name, host, domain, ip, revip, first, last.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from lazaret.mime import envelope_sender, header_text, hostnames, ip, mailboxes, trust, words
from lazaret.mime.hostnames import Registry
from lazaret.mime.message import Message
from lazaret.mime.received import Relay
from lazaret.mime.trust import Relays

_MESSAGE_IDS = ("X-Message-Id", "Resent-Message-Id", "X-Original-Message-ID", "Message-Id")
"""Lists move the Message-ID to another field when they send on."""

_AFTER_LAST_AT = re.compile(rb".*@(\S+)", re.S)
_WORD = re.compile(rb"\S+")
_TLD_END = re.compile(rb"\.([A-Za-z0-9-]+)(?![A-Za-z0-9-]|\.[A-Za-z0-9])(?![._-])")
_HOST_LIMIT = 251


@dataclass(frozen=True, slots=True)
class Selector:
    """A selector taken apart."""

    name: str
    raw: bool = False
    address: bool = False
    phrase: bool = False
    host: bool = False
    domain: bool = False
    address_literal: bool = False
    reversed_literal: bool = False
    first: bool = False
    last: bool = False


@lru_cache(maxsize=1024)
def parse(selector: str) -> Selector:
    """Takes a selector apart; modifiers that do not exist are passed over, as SpamAssassin does."""
    name, *modifiers = selector.split(":")
    return Selector(
        name,
        raw="raw" in modifiers,
        address="addr" in modifiers,
        phrase="name" in modifiers,
        host="host" in modifiers or "domain" in modifiers,
        domain="domain" in modifiers,
        address_literal="ip" in modifiers or "revip" in modifiers,
        reversed_literal="revip" in modifiers,
        first="first" in modifiers,
        last="last" in modifiers,
    )


def get(message: Message, selector: str) -> bytes | None:
    """What a rule matches: all values as one text; None when the message has none.

    Values that do not end in a line end, those of `:addr` and the like, are joined by one.
    """
    return text_reader(selector)(message)


def values(message: Message, selector: str) -> list[bytes]:
    """The values one by one, in the order of the fields."""
    return list(_reader(selector)(message))


_Reader = Callable[[Message], Sequence[bytes]]
_TextReader = Callable[[Message], bytes | None]


@lru_cache(maxsize=1024)
def text_reader(selector: str) -> Callable[[Message], bytes | None]:
    """What `get` does for a selector: in fewer steps where the values need not be made one by one."""
    if selector in _TEXTS:
        return _TEXTS[selector]
    name = selector.lower()
    if ":" not in name and not _is_special(selector):
        return _NOTHING if header_text.is_verdict(name) else lambda message: message.header.text(name)
    field = parse(selector).name
    if parse(selector) == Selector(field, address=True) and not (
        _is_special(field) or header_text.is_verdict(field)
    ):
        return _addresses_of(field)
    read = _reader(selector)

    def joined(message: Message) -> bytes | None:
        found = read(message)
        if not found:
            return None
        if len(found) == 1:
            return found[0]
        return (b"" if found[0].endswith(b"\n") else b"\n").join(found)

    return joined


def _addresses_of(name: str) -> _TextReader:
    """The addresses in a field as one text: what is asked for most, in one step."""

    def read(message: Message) -> bytes | None:
        values = message.header.values(name)
        if not values:
            return None
        found = [box.address for value in values for box in mailboxes.parse(value) if box.address is not None]
        return b"\n".join(found) if found else None

    return read


@lru_cache(maxsize=1024)
def _reader(selector: str) -> _Reader:
    """What reads the values: put together once from the source and the modifiers that are given."""
    wanted = parse(selector)
    read = _source(wanted)
    if wanted.first or wanted.last:
        read = _one_of(read, slice(1) if wanted.first else slice(-1, None))
    if wanted.address:
        read = _addresses_in(read)
    elif wanted.phrase:
        read = _names_in(read, raw=wanted.raw)
    if wanted.host:
        return _hosts_in(read, wanted)
    return _literals_in(read, wanted) if wanted.address_literal else read


def _source(wanted: Selector) -> _Reader:
    name = wanted.name
    special = _SPECIAL.get(name) or _SPECIAL_ANY_CASE.get(name.lower())
    if special:
        return special(wanted)
    if header_text.is_verdict(name):
        return lambda message: []
    if wanted.raw or wanted.address or wanted.phrase:
        return lambda message: message.header.values(name)
    return lambda message: [value + b"\n" for value in message.header.decoded_values(name)]


def _is_special(name: str) -> bool:
    """It stands for more than the fields of that name."""
    return name in _SPECIAL or name.lower() in _SPECIAL_ANY_CASE


def _one_of(read: _Reader, which: slice) -> _Reader:
    return lambda message: read(message)[which]


def _texts_of(*names: str) -> _TextReader:
    """The values of several fields as one text; the names are in lower case."""
    return lambda message: b"".join(filter(None, map(message.header.text, names))) or None


def _fields(*names: str) -> "_Special":
    """The values of several fields; raw ones on one line."""

    def special(wanted: Selector) -> _Reader:
        if wanted.raw:
            return lambda message: [
                header_text.unfold(value) for name in names for value in message.header.values(name)
            ]
        return lambda message: [
            value + b"\n" for name in names for value in message.header.decoded_values(name)
        ]

    return special


def _envelope_sender(wanted: Selector) -> _Reader:
    def read(message: Message) -> list[bytes]:
        sender = envelope_sender.of(message)
        return [] if sender is None else [sender]

    return read


def _relays(side: str) -> "_Special":
    relays_of: Callable[[Relays], tuple[Relay, ...]] = attrgetter(side)

    def read(message: Message) -> list[bytes]:
        relays = message.relays
        # Both are what is left of one list, so nearly always they are the same.
        if side == "untrusted" or (side == "external" and len(relays.external) == len(relays.untrusted)):
            return [message.untrusted_relays_text]
        return [trust.text(relays_of(relays))]

    return lambda wanted: read


def _domains_of(selector: str) -> "_Special":
    """The hosts of some addresses as the DNS has them, on one line."""

    def read(message: Message) -> list[bytes]:
        hosts = dict.fromkeys(values(message, selector))
        return [b" ".join(map(hostnames.to_ascii, hosts))] if hosts else []

    return lambda wanted: read


def _all(wanted: Selector) -> _Reader:
    if wanted.raw:
        return lambda message: header_text.lines(message.header, raw=True)
    return lambda message: message.header_lines


def _above(fields: Callable[[Message], int]) -> "_Special":
    def special(wanted: Selector) -> _Reader:
        read = _all(wanted)
        return lambda message: header_text.above(list(read(message)), fields(message))

    return special


def _below(fields: Callable[[Message], int]) -> "_Special":
    def special(wanted: Selector) -> _Reader:
        read = _all(wanted)
        return lambda message: header_text.below(list(read(message)), fields(message))

    return special


_Special = Callable[[Selector], _Reader]
_SPECIAL: dict[str, _Special] = {
    "ALL": _all,
    "ALL-TRUSTED": _above(lambda message: message.relays.trusted_fields),
    "ALL-INTERNAL": _above(lambda message: message.relays.internal_fields),
    "ALL-UNTRUSTED": _below(lambda message: message.relays.trusted_fields),
    "ALL-EXTERNAL": _below(lambda message: message.relays.internal_fields),
    "MESSAGEID": _fields(*_MESSAGE_IDS),
}
_SPECIAL_ANY_CASE: dict[str, _Special] = {
    "tocc": _fields("To", "Cc"),
    "envelopefrom": _envelope_sender,
    "x-authordomain": _domains_of("From:addr:host"),
    "x-senderdomain": _domains_of("EnvelopeFrom:first:addr:host"),
    "x-spam-relays-trusted": _relays("trusted"),
    "x-spam-relays-untrusted": _relays("untrusted"),
    "x-spam-relays-internal": _relays("internal"),
    "x-spam-relays-external": _relays("external"),
}
_NOTHING: _TextReader = lambda message: None  # noqa: E731
_TEXTS: dict[str, _TextReader] = {
    "ALL": lambda message: header_text.whole(message.header) or None,
    "ALL:raw": lambda message: message.header.whole or None,
    "MESSAGEID": _texts_of(*map(str.lower, _MESSAGE_IDS)),
    "ToCc": _texts_of("to", "cc"),
}


def _addresses_in(read: _Reader) -> _Reader:
    def addresses(message: Message) -> Sequence[bytes]:
        found = read(message)
        if len(found) == 1:
            return mailboxes.addresses(found[0])
        return [address for value in found for address in mailboxes.addresses(value)]

    return addresses


def _names_in(read: _Reader, *, raw: bool) -> _Reader:
    def names(message: Message) -> Sequence[bytes]:
        found = [m.name for value in read(message) for m in mailboxes.parse(value) if m.name is not None]
        return found if raw else [_shown(name) for name in found]

    return names


def _shown(name: bytes) -> bytes:
    """A display name as people see it: on one line, without the single quotes that some programs add."""
    decoded = words.decode(name)
    line = b" ".join(decoded.split())
    if line.startswith(b"'") and line.endswith(b"'") and len(line) > 1:
        return line[1:-1]
    return line or decoded or name


def _hosts_in(read: _Reader, wanted: Selector) -> _Reader:
    return lambda message: _hosts(read(message), wanted, message.registry)


def _literals_in(read: _Reader, wanted: Selector) -> _Reader:
    return lambda message: _literals(read(message), wanted)


def _hosts(found: Sequence[bytes], wanted: Selector, registry: Registry) -> list[bytes]:
    hosts = []
    for value in found:
        if wanted.address:
            match = _AFTER_LAST_AT.match(value)
            host = match[1] if match else b""
        else:
            host = _host_in(value, registry)
        if host and wanted.domain:
            host = registry.registered(host.lower().decode("latin-1")).encode("latin-1")
        if host:
            hosts.append(host)
    return hosts


def _host_in(value: bytes, registry: Registry) -> bytes:
    """The host after the last @, else the first word that is one: a local part may look like a host."""
    at = value.rfind(b"@")
    after_at = _WORD.match(value, at + 1) if at >= 0 else None
    host = _host_at_start(after_at[0], registry) if after_at else b""
    return host or next(filter(None, (_host_at_start(word, registry) for word in _WORD.findall(value))), b"")


def _host_at_start(word: bytes, registry: Registry) -> bytes:
    ends = [
        match.end()
        for match in _TLD_END.finditer(word, 0, _HOST_LIMIT)
        if match[1].lower().decode("ascii") in registry.tlds
    ]
    host = word[: ends[-1]] if ends else b""
    return host if hostnames.is_name(hostnames.to_ascii(host).decode("latin-1")) else b""


def _literals(found: Sequence[bytes], wanted: Selector) -> list[bytes]:
    literals = (ip.find(value.decode("latin-1")) for value in found)
    shown = (ip.reversed_labels(a) if wanted.reversed_literal else a for a in literals if a)
    return [literal.encode("ascii") for literal in shown if literal]
