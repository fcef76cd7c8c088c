"""What does a header rule look at? Selectors such as `From:addr`, `ALL`, `X-Spam-Relays-External`, `ToCc`.

A selector is the name of a field, or of a value put together from several, and modifiers in any order:
raw, addr, name, host, domain, ip, revip, first, last.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from lazaret.mime import envelope_sender, header_text, hostnames, ip, mailboxes, words
from lazaret.mime.hostnames import Registry
from lazaret.mime.message import Message
from lazaret.mime.received import Relay

_MESSAGE_IDS = ("X-Message-Id", "Resent-Message-Id", "X-Original-Message-ID", "Message-Id")
"""Lists move the Message-ID to another field when they send on."""

_WHITE = re.compile(rb"\s+")
_SINGLE_QUOTED = re.compile(rb"'(.*?)'", re.S)
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
    found = values(message, selector)
    if not found:
        return None
    return (b"" if found[0].endswith(b"\n") else b"\n").join(found)


def values(message: Message, selector: str) -> list[bytes]:
    """The values one by one, in the order of the fields."""
    wanted = parse(selector)
    found = _values_of(message, wanted)
    if wanted.first:
        found = found[:1]
    elif wanted.last:
        found = found[-1:]
    if wanted.address or wanted.phrase:
        found = [part for value in found for part in _mailbox_parts(value, wanted)]
    if wanted.host:
        return _hosts(found, wanted, message.registry)
    return _addresses(found, wanted) if wanted.address_literal else found


def _values_of(message: Message, wanted: Selector) -> list[bytes]:
    special = _SPECIAL.get(wanted.name) or _SPECIAL_ANY_CASE.get(wanted.name.lower())
    if special:
        return special(message, wanted)
    if header_text.is_verdict(wanted.name):
        return []
    fields = message.header.values(wanted.name)
    if wanted.raw or wanted.address or wanted.phrase:
        return fields
    return [words.decode(value, wanted.name) + b"\n" for value in fields]


def _fields(message: Message, wanted: Selector, *names: str) -> list[bytes]:
    """The values of several fields; raw ones on one line."""
    found: list[bytes] = []
    for name in names:
        for value in message.header.values(name):
            found.append(header_text.unfold(value) if wanted.raw else words.decode(value, name) + b"\n")
    return found


def _message_ids(message: Message, wanted: Selector) -> list[bytes]:
    return _fields(message, wanted, *_MESSAGE_IDS)


def _recipients(message: Message, wanted: Selector) -> list[bytes]:
    return _fields(message, wanted, "To", "Cc")


def _envelope_sender(message: Message, wanted: Selector) -> list[bytes]:
    sender = envelope_sender.of(message)
    return [] if sender is None else [sender]


def _relays(side: str) -> "_Reader":
    def read(message: Message, wanted: Selector) -> list[bytes]:
        relays: tuple[Relay, ...] = getattr(message.relays, side)
        return [" ".join(map(str, relays)).encode("utf-8", "surrogateescape")]

    return read


def _domains_of(selector: str) -> "_Reader":
    """The hosts of some addresses as the DNS has them, on one line."""

    def read(message: Message, wanted: Selector) -> list[bytes]:
        hosts = dict.fromkeys(values(message, selector))
        return [b" ".join(map(hostnames.to_ascii, hosts))] if hosts else []

    return read


def _all(message: Message, wanted: Selector) -> list[bytes]:
    return header_text.lines(message.header, raw=wanted.raw)


def _above(fields: Callable[[Message], int]) -> "_Reader":
    def read(message: Message, wanted: Selector) -> list[bytes]:
        return header_text.above(_all(message, wanted), fields(message))

    return read


def _below(fields: Callable[[Message], int]) -> "_Reader":
    def read(message: Message, wanted: Selector) -> list[bytes]:
        return header_text.below(_all(message, wanted), fields(message))

    return read


_Reader = Callable[[Message, Selector], list[bytes]]
_SPECIAL: dict[str, _Reader] = {
    "ALL": _all,
    "ALL-TRUSTED": _above(lambda message: message.relays.trusted_fields),
    "ALL-INTERNAL": _above(lambda message: message.relays.internal_fields),
    "ALL-UNTRUSTED": _below(lambda message: message.relays.trusted_fields),
    "ALL-EXTERNAL": _below(lambda message: message.relays.internal_fields),
    "MESSAGEID": _message_ids,
}
_SPECIAL_ANY_CASE: dict[str, _Reader] = {
    "tocc": _recipients,
    "envelopefrom": _envelope_sender,
    "x-authordomain": _domains_of("From:addr:host"),
    "x-senderdomain": _domains_of("EnvelopeFrom:first:addr:host"),
    "x-spam-relays-trusted": _relays("trusted"),
    "x-spam-relays-untrusted": _relays("untrusted"),
    "x-spam-relays-internal": _relays("internal"),
    "x-spam-relays-external": _relays("external"),
}


def _mailbox_parts(value: bytes, wanted: Selector) -> list[bytes]:
    found = mailboxes.parse(value)
    if wanted.address:
        return [mailbox.address for mailbox in found if mailbox.address is not None]
    names = [mailbox.name for mailbox in found if mailbox.name is not None]
    return names if wanted.raw else [_shown(name) for name in names]


def _shown(name: bytes) -> bytes:
    """A display name as people see it: on one line, without the single quotes that some programs add."""
    decoded = words.decode(name)
    line = _WHITE.sub(b" ", decoded).strip()
    quoted = _SINGLE_QUOTED.fullmatch(line)
    return quoted[1] if quoted else line or decoded or name


def _hosts(found: list[bytes], wanted: Selector, registry: Registry) -> list[bytes]:
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


def _addresses(found: list[bytes], wanted: Selector) -> list[bytes]:
    literals = (ip.find(value.decode("latin-1")) for value in found)
    shown = (ip.reversed_labels(a) if wanted.reversed_literal else a for a in literals if a)
    return [literal.encode("ascii") for literal in shown if literal]
