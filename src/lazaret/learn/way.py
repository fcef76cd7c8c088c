"""Which way did a message come, for who it says it is from? Small facts, as in `learn/form.py`.

Not which hosts it passed, which `zones` tells word by word, but how the one that handed it in and the one
where it began are called, and whether these are the sender's: what is true of senders never seen before.
A newsletter comes from a host of its sender's, and links to it; spam comes from anybody's, which calls
itself something else. How many hosts there were is left out: it says at which mailbox mail was collected.
"""

from bisect import bisect_right as _step
from collections.abc import Iterable
from typing import NamedTuple

from lazaret.learn.form import domain_of, numbered, value
from lazaret.mime.hostnames import Registry
from lazaret.mime.message import Message
from lazaret.mime.received import Relay

RELAYS_LIMIT = 24
_LINKS_LIMIT = 24
_NAME_LIMIT = 255
_NUMBERED = 4
"""So many digits in its first label, and a host is one of many."""


_RELATIONS = 4
_RELAY_NAME_MESSAGE_ID = numbered(b"relay-name-message-id", _RELATIONS)
_RELAY_HELO_MESSAGE_ID = numbered(b"relay-helo-message-id", _RELATIONS)
_RELAY_NAME_REPLY_TO = numbered(b"relay-name-reply-to", _RELATIONS)
_RELAY_NAME_LINKS = numbered(b"relay-name-links", 2)
_SENDER_ON_THE_WAY = numbered(b"sender-on-the-way", 1)
_MESSAGE_ID_ON_THE_WAY = numbered(b"message-id-on-the-way", 1)


class _Written(NamedTuple):
    """The facts about one relay, by their numbers."""

    name: tuple[bytes, ...]
    helo: tuple[bytes, ...]
    helo_name: tuple[bytes, ...]
    name_sender: tuple[bytes, ...]
    helo_sender: tuple[bytes, ...]


def _written(place: bytes) -> _Written:
    facts = (b"name", b"helo", b"helo-name", b"name-sender", b"helo-sender")
    return _Written(*(numbered(b"%b-%b" % (place, fact), _RELATIONS) for fact in facts))


_OF_RELAY, _OF_ORIGIN = _written(b"relay"), _written(b"origin")


def of_way(message: Message) -> tuple[bytes, ...]:
    """How hosts on the way relate to sender, Message-ID and links. Nothing where no relay is known."""
    relays = message.relays
    untrusted = relays.untrusted[:RELAYS_LIMIT]
    handed_in = untrusted[:1] or relays.trusted[-1:]
    if not handed_in:
        return ()
    registry = message.registry
    outer = [relay for relay in untrusted if not relay.private]
    sender, message_id, reply = (
        _Host(registry, _domain(message, n)) for n in ("from", "message-id", "reply-to")
    )
    sites = {site for uri in message.uris[:_LINKS_LIMIT] for site in uri.hosts.values()}
    passed = {_Host(registry, relay.by).site for relay in untrusted} - {""}
    relay = _Named(registry, handed_in[0])
    first = _Named(registry, (outer or untrusted or handed_in)[-1])
    facts = [
        *relay.facts(_OF_RELAY, sender),
        *first.facts(_OF_ORIGIN, sender),
        _RELAY_NAME_MESSAGE_ID[relay.name.relation(message_id)],
        _RELAY_HELO_MESSAGE_ID[relay.helo.relation(message_id)],
        _RELAY_NAME_REPLY_TO[relay.name.relation(reply)],
        _RELAY_NAME_LINKS[0 if not sites else 1 if relay.name.site in sites else 2],
        _SENDER_ON_THE_WAY[sender.site in passed],
        _MESSAGE_ID_ON_THE_WAY[message_id.site in passed],
    ]
    return tuple(facts)


class _Host:
    """What a host is called, by itself or by others."""

    __slots__ = ("kind", "name", "site")

    def __init__(self, registry: Registry, name: str) -> None:
        self.name = name[:_NAME_LIMIT].strip("[]!.").lower()
        if not self.name:
            self.kind = 0
        elif self.name.replace(".", "").isdigit():
            self.kind = 1
        else:
            self.kind = 3 if "." in self.name else 2
        self.site = registry.registered(self.name) if self.kind == 3 else ""
        """The part that somebody registered; empty for an address or a name without a dot."""

    def relation(self, other: "_Host") -> int:
        """0: it has no name; 1: they are one; 2: of one site; 3: of two; 4: it has no full name."""
        if not self.kind:
            return 0
        if self.kind < 3:
            return 4
        if self.name == other.name:
            return 1
        return 2 if self.site == other.site else 3


class _Named:
    """A relay: what it is called, and what it calls itself."""

    def __init__(self, registry: Registry, relay: Relay) -> None:
        self.name = _Host(registry, relay.rdns)
        self.helo = _Host(registry, relay.helo)
        self._ip = relay.ip

    def facts(self, written: "_Written", sender: _Host) -> Iterable[bytes]:
        return (
            written.name[self._kind_of_name()],
            written.helo[self.helo.kind],
            written.helo_name[self.helo.relation(self.name)],
            written.name_sender[self.name.relation(sender)],
            written.helo_sender[self.helo.relation(sender)],
        )

    def _kind_of_name(self) -> int:
        """0: none; 1: a host's own; 2: one with a number; 3: one with half of its address in it, as those of
        customers' connections have."""
        name = self.name.name
        if not name:
            return 0
        numbers = [number for number in self._ip.split(".") if len(number) > 1]
        if sum([number in name for number in numbers]) >= 2:
            return 3
        digits = sum(map(str.isdigit, name.partition(".")[0]))
        return 1 + _step((_NUMBERED,), digits)


def _domain(message: Message, name: str) -> str:
    return domain_of(value(message, name)).decode("latin-1")
