"""Which octets of a message are learned from, and in which zone does each stand?

A word means one thing in From and another in the text, so each piece of a message carries its own name,
and pieces belong to zones that are judged one by one. What the own site or another filter wrote is left
out: it says where a message was kept or what somebody thought of it, not what it is. Dates are left out
too: next year's mail has others.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import accumulate, compress
from operator import itemgetter
from typing import NamedTuple

from lazaret.learn import form, way
from lazaret.learn.form import FIELD_OCTETS
from lazaret.mime import words
from lazaret.mime.message import Message

FIELDS_LIMIT = 80
HEADER_OCTETS = 4_000
"""Header fields that are looked at, and octets of all together."""
RELAYS_LIMIT = 12
"""Received fields."""
TEXT_OCTETS = 8_000
PART_OCTETS = 6_000
"""Octets of text, of all parts and of each."""
LINKS_LIMIT = 24
LINK_OCTETS = 120
PARTS_LIMIT = 16
NAME_OCTETS = 100
"""Links, octets of each, MIME parts and octets of the names of attachments."""
HEADER_GRAM_OCTETS = 2_000
TEXT_GRAM_OCTETS = 4_000
SHORT_GRAM_OCTETS = 300
"""How much is cut into runs of four octets."""

_OWN_OR_VERDICT = re.compile(
    r"delivered-to|x-original-to|return-path|envelope-|x-envelope-|x-quarantine-id|delivery-date"
    r"|apparently-to|x-spam|x-virus|x-amavis|x-lazaret|x-rspamd?|x-bogosity|x-dspam|x-crm114|x-mailscanner"
    r"|x-barracuda|x-ironport|x-forefront|x-microsoft-antispam|x-ms-exchange|x-proofpoint|x-sophos|x-razor"
    r"|x-pyzor|x-dcc|x-greylist|x-policyd|x-scanned|x-antispam|x-antivirus|x-junk|x-ham|x-gm-|x-received"
    r"|x-google-smtp|status\Z|x-status|x-uid|x-keywords|x-mozilla|x-evolution|x-gmail|x-folder"
    r"|content-length|lines\Z|xref|authentication-results|arc-|received-spf|dkim-filter|domainkey-status"
    r"|x-loop|x-originalarrivaltime"
)
"""Written on arrival, by the mail store, or by a filter."""
_DELIVERY = re.compile(rb"\bwith LMTP|\(lazaret[,)]|\(Dovecot\)", re.I)
_DELIVERY_HINTS = (b"with lmtp", b"(lazaret", b"(dovecot)")
"""One of these is in lower case wherever it matches: to look for them is far cheaper."""
_TIME_ZONE = re.compile(rb"[-+]\d{4}.*", re.S)


class Zone(IntEnum):
    """What is judged one by one, and then together. No more than 16: a feature has four bits for it.

    Lessons in journals name zones by these numbers.
    """

    HEADER = 0
    RELAYS = 1
    TEXT = 2
    LINKS = 3
    HEADER_GRAMS = 4
    TEXT_GRAMS = 5
    SUBJECT_GRAMS = 6
    SENDER_GRAMS = 7
    BODY_FORM = 8
    HEADER_FORM = 9
    WORDS = 10
    WAY = 11


ANYWHERE = frozenset({"subject", "text", "link", "site", "from", "title", "attachment"})
"""Pieces whose words count once more in `Zone.WORDS`, wherever they stand."""


class Kind(NamedTuple):
    """Where octets stand."""

    zone: int
    """A `Zone`; plain numbers, because those of an enumeration are slow keys."""
    name: str
    """Words are told apart by it: `from`, `subject`, `text`, `link`."""


class Piece(NamedTuple):
    """Octets out of one place of a message, decoded; line ends and blanks are as they came."""

    zone: int
    name: str
    octets: bytes


class Pieces:
    """Some of them, by columns: a message has sixty."""

    __slots__ = ("kinds", "octets")

    def __init__(self, kinds: list[Kind], octets: list[bytes]) -> None:
        self.kinds = kinds
        self.octets = octets

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> "Pieces":
        """The same, from one after the other."""
        found = cls([], [])
        for zone, name, octets in pieces:
            found.add(Kind(zone, name), [octets])
        return found

    def __iter__(self) -> Iterator[Piece]:
        for (zone, name), octets in zip(self.kinds, self.octets, strict=True):
            yield Piece(zone, name, octets)

    def __len__(self) -> int:
        return len(self.kinds)

    def add(self, kind: Kind, octets: Sequence[bytes]) -> None:
        """More of one kind."""
        self.kinds += [kind] * len(octets)
        self.octets += octets


_is_subject = frozenset({b"subject"}).__contains__
_is_sender = frozenset({b"from", b"reply-to"}).__contains__
_NAMES = Kind(int(Zone.HEADER), "names")
_RELAY, _RECEIVED = Kind(int(Zone.RELAYS), "relay"), Kind(int(Zone.RELAYS), "received")
_LINK, _SITE, _MIME, _ATTACHMENT, _TITLE = (
    Kind(int(Zone.LINKS), name) for name in ("link", "site", "mime", "attachment", "title")
)
_LINK_WITH_SITES = (_LINK, _SITE, _SITE)
_TEXT = Kind(int(Zone.TEXT), "text")
_RUNS = [
    Kind(int(zone), name)
    for zone, name in (
        (Zone.HEADER_GRAMS, "header"),
        (Zone.TEXT_GRAMS, "text"),
        (Zone.SUBJECT_GRAMS, "subject"),
        (Zone.SENDER_GRAMS, "sender"),
    )
]
_BODY_FORM, _HEADER_FORM, _WAY = int(Zone.BODY_FORM), int(Zone.HEADER_FORM), int(Zone.WAY)


class Facts(NamedTuple):
    """Small facts about a message (`form.py`, `way.py`): each counts, and every two of them together."""

    zone: int
    told: tuple[bytes, ...]


class View(NamedTuple):
    """What is learned of one message."""

    pieces: Pieces
    """Cut into words."""
    runs: Pieces
    """Cut into runs of four octets."""
    facts: tuple[Facts, ...] = ()


def view(message: Message) -> View:
    """The pieces of a message. Bounded, whatever the message is."""
    kinds, names, octets = _header(message)
    lines = b"\n".join([*map(b": ".join, zip(names, octets, strict=True)), b""])
    subjects = list(compress(octets, map(_is_subject, names)))
    subject = b"\n".join(subjects)
    sender = b"\n".join(compress(octets, map(_is_sender, names)))
    text = _text(message)
    pieces = Pieces(kinds, octets)
    pieces.add(_NAMES, [b" ".join(names)])
    _add_relays(pieces, message)
    _add_links(pieces, message)
    _add_parts(pieces, message)
    pieces.add(_TEXT, subjects)
    pieces.add(_TEXT, text)
    # A mailbox has other line ends than the wire, and the message is the same.
    runs_of_text = b"\n".join(text).replace(b"\r\n", b"\n")
    runs = [
        lines.replace(b"\r\n", b"\n")[:HEADER_GRAM_OCTETS],
        runs_of_text[:TEXT_GRAM_OCTETS],
        subject[:SHORT_GRAM_OCTETS],
        sender[:SHORT_GRAM_OCTETS],
    ]
    written = form.written(message)
    facts = (
        Facts(_BODY_FORM, form.of_body(message, written, runs_of_text)[: form.FACTS_LIMIT]),
        Facts(_HEADER_FORM, form.of_header(written, subject)[: form.FACTS_LIMIT]),
        Facts(_WAY, way.of_way(message, written)[: form.FACTS_LIMIT]),
    )
    return View(pieces, Pieces(_RUNS, runs), facts)


class _Field(NamedTuple):
    """How a field is called, where its words count and in octets."""

    kind: Kind
    name: bytes


_kind_of, _name_of = itemgetter(0), itemgetter(1)


@lru_cache(maxsize=1024)
def _kept(name: str) -> _Field | None:
    """As what a field is learned from, by its name in lower case; None when it is not."""
    name = name[:40]
    if name == "received" or _OWN_OR_VERDICT.match(name):
        return None
    return _Field(Kind(int(Zone.HEADER), name), name.encode("latin-1", "replace"))


def _header(message: Message) -> tuple[list[Kind], list[bytes], list[bytes]]:
    """Of the fields kinds, names, and what they say."""
    header = message.header
    raw = header.raw
    found = list(map(_kept, header.names[:FIELDS_LIMIT]))
    fields = list(filter(None, found))
    kinds, names = list(map(_kind_of, fields)), list(map(_name_of, fields))
    values = form.cut(raw, compress(header.spans, found))
    if raw.find(b"=?", 0, header.body_start) >= 0:
        values = [
            words.decode(value, name)[:FIELD_OCTETS] if b"=?" in value else value
            for value, name in zip(values, compress(header.names, found), strict=True)
        ]
    at = -1
    for _ in range(names.count(b"date")):
        at = names.index(b"date", at + 1)
        zone = _TIME_ZONE.search(values[at])
        values[at] = zone[0] if zone else b""
    octets = list(map(bytes.strip, values))
    if sum(map(len, octets)) >= HEADER_OCTETS:
        ends = list(accumulate(map(len, octets)))
        last = bisect_left(ends, HEADER_OCTETS)
        octets[last] = octets[last][: len(octets[last]) - (ends[last] - HEADER_OCTETS)]
        return kinds[: last + 1], names[: last + 1], octets[: last + 1]
    return kinds, names, octets


def _add_relays(pieces: Pieces, message: Message) -> None:
    """Who handed the message in, and the way before: without dates.

    Where the trusted networks are configured, what our own hosts wrote is left out. Without them nobody
    knows which these are; then only the last delivery is, which mail has in a mailbox and lacks here.
    """
    relays = message.relays
    for relay in relays.untrusted[:1] or relays.trusted[-1:]:
        known = f"{relay.helo} {relay.rdns} {relay.ip}"[:FIELD_OCTETS]
        pieces.add(_RELAY, [known.encode("utf-8", "replace")])
    header = message.header
    networks = message.networks
    own = relays.trusted_fields + 1 if networks and networks.trusted.configured else 0
    places = header.places("received")[own : own + RELAYS_LIMIT]
    values = form.cut(header.raw, map(header.spans.__getitem__, places))
    whole = b"\n".join(values).lower()
    if any(map(whole.count, _DELIVERY_HINTS)):
        values = [value for value in values if not _DELIVERY.search(value)]
    pieces.add(_RECEIVED, [value.rpartition(b";")[0] or value for value in values])


def _add_links(pieces: Pieces, message: Message) -> None:
    """Each with the sites to which it leads."""
    kinds, octets = pieces.kinds, pieces.octets
    for uri in message.uris[:LINKS_LIMIT]:
        if "domainkeys" not in uri.types:
            sites = sorted(set(uri.hosts.values()))[:2]
            kinds += _LINK_WITH_SITES[: 1 + len(sites)]
            octets += uri.raw[:LINK_OCTETS], *map(_octets_of, sites)


@lru_cache(maxsize=1024)
def _octets_of(site: str) -> bytes:
    return site.encode("utf-8", "replace")[:LINK_OCTETS]


def _add_parts(pieces: Pieces, message: Message) -> None:
    """Of which parts the message is made, and the names of its attachments and of its HTML page."""
    for part in message.parts[:PARTS_LIMIT]:
        kind = f"{part.content_type} {part.charset} {part.disposition}"[:NAME_OCTETS]
        pieces.add(_MIME, [kind.encode("utf-8", "replace")])
    for attachment in message.attachments[: PARTS_LIMIT // 2]:
        pieces.add(_ATTACHMENT, [attachment.name[:NAME_OCTETS].encode("utf-8", "replace")])
    if message.html.html:
        title = " ".join(message.html.title[:2])[: 2 * NAME_OCTETS]
        pieces.add(_TITLE, [title.encode("utf-8", "replace")])


def _text(message: Message) -> list[bytes]:
    left = TEXT_OCTETS
    texts = []
    for rendered in message.rendered:
        limit = min(left, PART_OCTETS)
        octets = rendered.seen[:limit].encode("utf-8", "replace")[:limit]
        if octets:
            texts.append(octets)
        left -= len(octets)
        if left <= 0:
            break
    return texts
