"""Which octets of a message are learned from, and in which zone does each stand?

A word means one thing in From and another in the text, so each piece of a message carries its own name,
and pieces belong to zones that are judged one by one. What the own site or another filter wrote is left
out: it says where a message was kept or what somebody thought of it, not what it is. Dates are left out
too: next year's mail has others.
"""

import re
from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import lru_cache, partial
from typing import NamedTuple

from lazaret.learn import form, way
from lazaret.mime import words
from lazaret.mime.message import Message

FIELDS_LIMIT = 80
FIELD_OCTETS = 400
HEADER_OCTETS = 4_000
"""Header fields that are looked at, octets of each, and of all together."""
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


_HEADER, _RELAYS, _TEXT, _LINKS = map(int, [Zone.HEADER, Zone.RELAYS, Zone.TEXT, Zone.LINKS])
_HEADER_GRAMS, _TEXT_GRAMS = int(Zone.HEADER_GRAMS), int(Zone.TEXT_GRAMS)
_SUBJECT_GRAMS, _SENDER_GRAMS = int(Zone.SUBJECT_GRAMS), int(Zone.SENDER_GRAMS)
_BODY_FORM, _HEADER_FORM, _WAY = int(Zone.BODY_FORM), int(Zone.HEADER_FORM), int(Zone.WAY)
ANYWHERE = frozenset({"subject", "text", "link", "site", "from", "title", "attachment"})
"""Pieces whose words count once more in `Zone.WORDS`, wherever they stand."""


class Piece(NamedTuple):
    """Octets out of one place of a message, decoded; line ends and blanks are as they came."""

    zone: int
    """A `Zone`; plain numbers, because those of an enumeration are slow keys."""
    name: str
    """Words are told apart by it: `from`, `subject`, `text`, `link`."""
    octets: bytes


_piece: Callable[[tuple[int, str, bytes]], Piece] = partial(tuple.__new__, Piece)
"""Makes one without a call of Python: a message has sixty."""


class Facts(NamedTuple):
    """Small facts about a message (`form.py`, `way.py`): each counts, and every two of them together."""

    zone: int
    told: tuple[bytes, ...]


class View(NamedTuple):
    """What is learned of one message."""

    pieces: tuple[Piece, ...]
    """Cut into words."""
    runs: tuple[Piece, ...]
    """Cut into runs of four octets."""
    facts: tuple[Facts, ...] = ()


def view(message: Message) -> View:
    """The pieces of a message. Bounded, whatever the message is."""
    header, lines = _header(message)
    text = _text(message)
    pieces = [*header, *_relays(message), *_links(message), *_parts(message)]
    pieces += [_piece((_TEXT, "text", p.octets)) for p in header if p.name == "subject"]
    subject = b"\n".join([p.octets for p in header if p.name == "subject"])
    sender = b"\n".join([p.octets for p in header if p.name in ("from", "reply-to")])
    pieces += text
    # A mailbox has other line ends than the wire, and the message is the same.
    runs_of_text = b"\n".join([p.octets for p in text]).replace(b"\r\n", b"\n")
    runs = (
        Piece(_HEADER_GRAMS, "header", lines.replace(b"\r\n", b"\n")[:HEADER_GRAM_OCTETS]),
        Piece(_TEXT_GRAMS, "text", runs_of_text[:TEXT_GRAM_OCTETS]),
        Piece(_SUBJECT_GRAMS, "subject", subject[:SHORT_GRAM_OCTETS]),
        Piece(_SENDER_GRAMS, "sender", sender[:SHORT_GRAM_OCTETS]),
    )
    facts = (
        Facts(_BODY_FORM, form.of_body(message, runs_of_text)[: form.FACTS_LIMIT]),
        Facts(_HEADER_FORM, form.of_header(message, subject)[: form.FACTS_LIMIT]),
        Facts(_WAY, way.of_way(message)[: form.FACTS_LIMIT]),
    )
    return View(tuple(pieces), runs, facts)


class _Name(NamedTuple):
    """How a field is called, for people's text and for octets."""

    text: str
    octets: bytes


@lru_cache(maxsize=1024)
def _kept(name: str) -> _Name | None:
    """The name under which a field is learned from, of that in lower case; None when it is not."""
    name = name[:40]
    if name == "received" or _OWN_OR_VERDICT.match(name):
        return None
    return _Name(name, name.encode("latin-1", "replace"))


def _header(message: Message) -> tuple[list[Piece], bytes]:
    """The fields, then their names in order; and all of it as one text."""
    header = message.header
    left = HEADER_OCTETS
    pieces: list[Piece] = []
    names: list[bytes] = []
    lines: list[bytes] = []
    raw, spans = header.raw, header.spans
    for place, written in enumerate(header.names[:FIELDS_LIMIT]):
        name = _kept(written)
        if name is None:
            continue
        start, end = spans[place]
        value = raw[start : min(end, start + FIELD_OCTETS)]
        if b"=?" in value:
            value = words.decode(value, written)[:FIELD_OCTETS]
        if name.text == "date":
            value = b"".join(_TIME_ZONE.findall(value)[:1])
        value = value.strip()[:left]
        pieces.append(_piece((_HEADER, name.text, value)))
        names.append(name.octets)
        lines += (name.octets, b": ", value, b"\n")
        left -= len(value)
        if left <= 0:
            break
    pieces.append(Piece(_HEADER, "names", b" ".join(names)))
    return pieces, b"".join(lines)


def _relays(message: Message) -> Iterator[Piece]:
    """Who handed the message in, and the way before: without dates.

    Where the trusted networks are configured, what our own hosts wrote is left out. Without them nobody
    knows which these are; then only the last delivery is, which mail has in a mailbox and lacks here.
    """
    relays = message.relays
    for relay in relays.untrusted[:1] or relays.trusted[-1:]:
        known = f"{relay.helo} {relay.rdns} {relay.ip}"[:FIELD_OCTETS]
        yield Piece(_RELAYS, "relay", known.encode("utf-8", "replace"))
    header = message.header
    networks = message.networks
    own = relays.trusted_fields + 1 if networks and networks.trusted.configured else 0
    for place in header.places("received")[own : own + RELAYS_LIMIT]:
        start, end = header.spans[place]
        value = header.raw[start : min(end, start + FIELD_OCTETS)]
        if not _DELIVERY.search(value):
            yield _piece((_RELAYS, "received", value.rpartition(b";")[0] or value))


def _links(message: Message) -> Iterator[Piece]:
    for uri in message.uris[:LINKS_LIMIT]:
        if "domainkeys" in uri.types:
            continue
        yield _piece((_LINKS, "link", uri.raw[:LINK_OCTETS]))
        for domain in sorted(set(uri.hosts.values()))[:2]:
            yield _piece((_LINKS, "site", domain.encode("utf-8", "replace")[:LINK_OCTETS]))


def _parts(message: Message) -> Iterator[Piece]:
    """Of which parts the message is made, and the names of its attachments and of its HTML page."""
    for part in message.parts[:PARTS_LIMIT]:
        kind = f"{part.content_type} {part.charset} {part.disposition}"[:NAME_OCTETS]
        yield Piece(_LINKS, "mime", kind.encode("utf-8", "replace"))
    for attachment in message.attachments[: PARTS_LIMIT // 2]:
        yield Piece(_LINKS, "attachment", attachment.name[:NAME_OCTETS].encode("utf-8", "replace"))
    if message.html.html:
        title = " ".join(message.html.title[:2])[: 2 * NAME_OCTETS]
        yield Piece(_LINKS, "title", title.encode("utf-8", "replace"))


def _text(message: Message) -> list[Piece]:
    left = TEXT_OCTETS
    pieces = []
    for rendered in message.rendered:
        limit = min(left, PART_OCTETS)
        octets = rendered.seen[:limit].encode("utf-8", "replace")[:limit]
        if octets:
            pieces.append(Piece(_TEXT, "text", octets))
        left -= len(octets)
        if left <= 0:
            break
    return pieces
