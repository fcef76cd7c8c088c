"""One message to be learned: which message it is, whichever way it came back to us, and its features.

A message that a person moves to Junk is not the one that was examined: it has our fields, those of the
mail server, perhaps a mark in its subject, and other line ends. What stands above our own Received field
is cut off, and the identity is made of what stays the same, so that a message counts once whether it is
taught from the quarantine, from a mailbox or from a file.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lazaret.learn import packing, zones
from lazaret.learn.features import Hasher
from lazaret.mime import headers
from lazaret.mime import message as mime
from lazaret.mime.edit import without_tag
from lazaret.mime.message import Message
from lazaret.mime.trust import Networks
from lazaret.mime.uri_variants import Sites

_SAME = ("message-id", "from", "date")
"""Header fields that nobody changes on the way to a mailbox."""


class Lesson(NamedTuple):
    """What the journal keeps of a message."""

    digest: bytes
    features: bytes
    """As `packing.pack` gives them."""


class Original(NamedTuple):
    """A message as it came in."""

    octets: bytes
    mail_id: str
    """Of our own Received field; "" when the message has none of ours."""


class Reading(NamedTuple):
    """How this site reads messages: the same for teaching as for filtering."""

    hasher: Hasher
    networks: Networks
    sites: Sites | None


@dataclass(frozen=True, slots=True)
class Delivered:
    """What our own delivery puts on a message."""

    hostname: str
    tags: Sequence[re.Pattern[bytes]] = ()
    """The marks before subjects, as in `mime.edit.without_tag`."""


def original(octets: bytes, delivered: Delivered) -> Original:
    """The message below our own topmost Received field, with the subject that it came with."""
    ours = re.compile(
        rb"\sby localhost \(%b \[[0-9a-fA-F.:]+\]\) \(lazaret, [^()]*\)"
        rb"\s+with \S+ id ([A-Za-z0-9_+-]{1,16})\b" % re.escape(delivered.hostname.encode())
    )
    # Most messages of an archive never came this way.
    fields = headers.parse(octets).named("received") if b"(lazaret, " in octets else []
    for field in fields:
        found = ours.search(octets, field.value_start, field.end)
        if found:
            return Original(without_tag(octets[field.end :], delivered.tags), found[1].decode("ascii"))
    return Original(without_tag(octets, delivered.tags), "")


def identity(message: Message) -> bytes:
    """SHA-256 of what makes this message this message."""
    digest = hashlib.sha256()
    for name in _SAME:
        for field in message.header.named(name)[:1]:
            digest.update(b" ".join(message.header.raw[field.value_start : field.end].split()))
        digest.update(b"\n")
    body = message.raw[message.header.body_start :]
    digest.update(body.replace(b"\r\n", b"\n").rstrip())
    return digest.digest()


def lesson(octets: bytes, reading: Reading) -> Lesson:
    """What is learned of a message."""
    message = mime.parse(octets, networks=reading.networks, sites=reading.sites)
    return lesson_of(message, reading.hasher)


def lesson_of(message: Message, hasher: Hasher) -> Lesson:
    """The same of a message that is parsed already."""
    return Lesson(identity(message), packing.pack(hasher.features(zones.view(message))))
