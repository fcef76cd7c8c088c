"""Which way did a message come, for who it says it is from? Small facts, as in `learn/form.py`.

Not which hosts it passed, which `zones` tells word by word, but how the one that handed it in and the one
where it began are called, and whether these are the sender's: what is true of senders never seen before.
A newsletter comes from a host of its sender's, and links to it; spam comes from anybody's, which calls
itself something else. How many hosts there were is left out: it says at which mailbox mail was collected.
"""

from functools import lru_cache
from itertools import filterfalse
from operator import attrgetter
from typing import NamedTuple

from lazaret.learn.form import Written, numbered
from lazaret.mime.hostnames import Registry
from lazaret.mime.message import Message
from lazaret.mime.received import Relay

RELAYS_LIMIT = 24
_NAME_LIMIT = 255
_NUMBERED = 4
"""So many digits in its first label, and a host is one of many."""
_is_private = attrgetter("private")

_RELATIONS = 4
_RELAY_NAME_MESSAGE_ID = numbered(b"relay-name-message-id", _RELATIONS)
_RELAY_HELO_MESSAGE_ID = numbered(b"relay-helo-message-id", _RELATIONS)
_RELAY_NAME_REPLY_TO = numbered(b"relay-name-reply-to", _RELATIONS)
_RELAY_NAME_LINKS = numbered(b"relay-name-links", 2)
_SENDER_ON_THE_WAY = numbered(b"sender-on-the-way", 1)
_MESSAGE_ID_ON_THE_WAY = numbered(b"message-id-on-the-way", 1)


class _Told(NamedTuple):
    """The facts about one relay, by their numbers."""

    name: tuple[bytes, ...]
    helo: tuple[bytes, ...]
    helo_name: tuple[bytes, ...]
    name_sender: tuple[bytes, ...]
    helo_sender: tuple[bytes, ...]


def _told(place: bytes) -> _Told:
    facts = (b"name", b"helo", b"helo-name", b"name-sender", b"helo-sender")
    return _Told(*(numbered(b"%b-%b" % (place, fact), _RELATIONS) for fact in facts))


_OF_RELAY, _OF_ORIGIN = _told(b"relay"), _told(b"origin")


def of_way(message: Message, written: Written) -> tuple[bytes, ...]:
    """How hosts on the way relate to sender, Message-ID and links. Nothing where no relay is known."""
    relays = message.relays
    untrusted = relays.untrusted[:RELAYS_LIMIT]
    handed_in = untrusted[:1] or relays.trusted[-1:]
    if not handed_in:
        return ()
    registry = message.registry
    sender = _host(registry, written.sender_domain.decode("latin-1"))
    message_id = _host(registry, written.message_id_domain.decode("latin-1"))
    reply = _host(registry, written.reply_domain.decode("latin-1"))
    passed = {_host(registry, relay.by[:_NAME_LIMIT]).site for relay in untrusted} - {""}
    relay = _named(registry, handed_in[0])
    oldest = (untrusted or handed_in)[-1]
    first = _named(registry, next(filterfalse(_is_private, reversed(untrusted)), oldest))
    return (
        *_of_relay(_OF_RELAY, relay, sender),
        *_of_relay(_OF_ORIGIN, first, sender),
        _RELAY_NAME_MESSAGE_ID[relay.name.relation(message_id)],
        _RELAY_HELO_MESSAGE_ID[relay.helo.relation(message_id)],
        _RELAY_NAME_REPLY_TO[relay.name.relation(reply)],
        _RELAY_NAME_LINKS[0 if not written.sites else 1 if relay.name.site in written.sites else 2],
        _SENDER_ON_THE_WAY[sender.site in passed],
        _MESSAGE_ID_ON_THE_WAY[message_id.site in passed],
    )


class _Host(NamedTuple):
    """What a host is called, by itself or by others."""

    kind: int
    """0: not at all; 1: as an address; 2: by a name without a dot; 3: by a full one."""
    name: str
    site: str
    """The part that somebody registered; empty for an address or a name without a dot."""

    def relation(self, other: "_Host") -> int:
        """0: it has no name; 1: they are one; 2: of one site; 3: of two; 4: it has no full name."""
        if self.kind < 3:
            return 4 if self.kind else 0
        if self.name == other.name:
            return 1
        return 2 if self.site == other.site else 3


class _Named(NamedTuple):
    """A relay: what it is called, of which kind that is, and what it calls itself."""

    name: _Host
    kind: int
    helo: _Host


@lru_cache(maxsize=2048)
def _host(registry: Registry, name: str) -> _Host:
    """By a name of at most _NAME_LIMIT characters: the same ones stand in many messages."""
    name = name.strip("[]!.").lower()
    if not name:
        return _Host(0, "", "")
    if name.replace(".", "").isdigit():
        return _Host(1, name, "")
    return _Host(3, name, registry.registered(name)) if "." in name else _Host(2, name, "")


def _named(registry: Registry, relay: Relay) -> _Named:
    name = _host(registry, relay.rdns[:_NAME_LIMIT])
    return _Named(name, _kind_of_name(name.name, relay.ip), _host(registry, relay.helo[:_NAME_LIMIT]))


def _of_relay(told: _Told, relay: _Named, sender: _Host) -> tuple[bytes, ...]:
    name, kind, helo = relay
    return (
        told.name[kind],
        told.helo[helo.kind],
        told.helo_name[helo.relation(name)],
        told.name_sender[name.relation(sender)],
        told.helo_sender[helo.relation(sender)],
    )


@lru_cache(maxsize=2048)
def _kind_of_name(name: str, ip: str) -> int:
    """0: none; 1: a host's own; 2: one with a number; 3: one with half of its address in it, as those of
    customers' connections have."""
    if not name:
        return 0
    if sum([len(number) > 1 and number in name for number in ip.split(".")]) >= 2:
        return 3
    return 2 if sum(map(str.isdigit, name.partition(".")[0])) >= _NUMBERED else 1
