"""How is a message built, whatever it says? Small facts about its header and its body.

A fact is a name and a step or a shape: `capitals=3`, `date=Aa, 0 Aa 0 0:0:0 -0`. Alone each of them says
little; a message is known by which of them come together, so that features are made of every two
(`features.Hasher`). None of them is a word of the text, so that words which are added to a text move few.
"""

import re
from bisect import bisect_right as _step  # How many of the steps a value reaches.

import numpy as np

from lazaret.mime.html_facts import HtmlFacts
from lazaret.mime.message import Message

FACTS_LIMIT = 64
"""Facts of one kind: every two of them make a feature."""
_VALUE_OCTETS = 400
_SHAPE_OCTETS = 60
_LINKS_LIMIT = 24
_HTML_LINKS_LIMIT = 200
_PARTS_LIMIT = 16


def _kinds() -> bytes:
    table = bytearray(range(256))
    for first, last, kind in (
        (b"a", b"z", b"a"),
        (b"A", b"Z", b"A"),
        (b"0", b"9", b"0"),
        (b"\x80", b"\xff", b"\xff"),
    ):
        table[first[0] : last[0] + 1] = kind * (last[0] - first[0] + 1)
    return bytes(table)


_KINDS = _kinds()
_SAME_KIND = re.compile(rb"([aA0\xff])(?=\1)")
"""One that another of its kind follows: to put one in the place of a run, re would call Python each time."""
_ADDRESS = re.compile(rb"[\w.+=-]{1,80}@([\w.-]{1,200})")
_REPLY = re.compile(rb"(?:re|aw|sv):", re.I)
_FORWARD = re.compile(rb"(?:fwd?|wg):", re.I)
_NUMBER_HOST = re.compile(rb"https?://[\d.]+(?:[/:]|\Z)", re.I)
_PORT = re.compile(rb"https?://[^/]{1,200}:\d", re.I)
_BOUNDARY = re.compile(rb'boundary\s*=\s*"?([^";\s]{1,80})', re.I)


def shape(octets: bytes) -> bytes:
    """What it looks like: letters are `a` and `A`, digits are `0`, each run of them is one."""
    return _SAME_KIND.sub(b"", octets.translate(_KINDS))[:_SHAPE_OCTETS]


def of_header(message: Message, subject: bytes) -> tuple[bytes, ...]:
    """Who writes to whom, and how fields are written. `subject` is decoded."""
    sender, reply, message_id, date = (value(message, n) for n in ("from", "reply-to", "message-id", "date"))
    recipients = b",".join([value(message, "to"), value(message, "cc")])
    domain = domain_of(sender)
    display, _, _ = sender.partition(b"<")
    local = sender.partition(b"@")[0].rpartition(b"<")[2][-30:]
    facts = [
        b"reply-to=%d" % _relation(reply, domain_of(reply), domain),
        b"message-id-domain=%d" % _relation(message_id, domain_of(message_id), domain),
        b"to-own-domain=%d" % _relation(recipients, domain_of(recipients), domain),
        b"recipients=%d" % _step((1, 2, 3, 5, 10), recipients.count(b"@")),
        b"from=" + shape(sender)[:40],
        b"digits-in-address=%d" % any(48 <= octet <= 57 for octet in local),
        b"name=%d" % (0 if b"<" not in sender else 1 if b'"' not in sender else 2),
        b"address-as-name=%d" % (b"@" in display and b"<" in sender),
        b"name-in-capitals=%d" % display.isupper(),
        b"message-id=" + shape(message_id)[:50],
        b"date=" + shape(date)[:50],
        *_of_subject(subject),
        b"subject-encoded=%d" % (b"=?" in value(message, "subject")),
    ]
    return tuple(facts)


def _of_subject(subject: bytes) -> list[bytes]:
    subject = subject.strip()
    kinds = subject.translate(_KINDS)
    capitals, small = kinds.count(b"A"), kinds.count(b"a")
    return [
        b"subject-capitals=%d" % _step((0.01, 0.1, 0.2, 0.4, 0.7, 0.99), capitals / max(capitals + small, 1)),
        b"subject-length=%d" % _step((1, 8, 15, 25, 40, 60, 90), len(subject)),
        b"subject-end=" + kinds[-1:],
        b"subject-begin=" + kinds[:1],
        b"subject-exclamation-marks=%d" % min(subject.count(b"!"), 3),
        b"subject-question=%d" % (b"?" in subject),
        b"subject-dollar=%d" % (b"$" in subject),
        b"subject-per-cent=%d" % (b"%" in subject),
        b"subject-digits=%d" % (b"0" in kinds),
        b"subject-gap=%d" % (b"    " in subject),
        b"subject-eight-bit=%d" % (b"\xff" in kinds),
        b"reply=%d" % bool(_REPLY.match(subject)),
        b"forward=%d" % bool(_FORWARD.match(subject)),
    ]


_SIGNS: tuple[tuple[bytes, int, tuple[int, ...]], ...] = (
    (b"exclamation-marks", ord("!"), (1, 2, 4, 8, 16)),
    (b"question-marks", ord("?"), (1, 2, 4, 8)),
    (b"dollars", ord("$"), (1, 2, 4, 8)),
    (b"per-cents", ord("%"), (1, 3)),
    (b"at-signs", ord("@"), (1, 2, 4)),
    (b"parentheses", ord("("), (1, 3, 8)),
    (b"quotation-marks", ord('"'), (1, 3, 8)),
    (b"semicolons", ord(";"), (1, 3)),
    (b"underscores", ord("_"), (1, 5, 40)),
    (b"asterisks", ord("*"), (1, 5)),
    (b"number-signs", ord("#"), (1, 3)),
)


def of_body(message: Message, text: bytes) -> tuple[bytes, ...]:
    """How the text is written, how many links there are and to where, and which parts there are.

    `text` is what a reader sees of it.
    """
    facts = [*_of_text(text), *_of_links(message)]
    parts = ",".join([f"{part.depth}{part.content_type}" for part in message.parts[:_PARTS_LIMIT]])
    content_type = value(message, "content-type")
    boundary = _BOUNDARY.search(content_type)
    facts += (
        b"html=%d" % message.html.html,
        *_of_html(message.html),
        b"parts=" + parts.encode("utf-8", "replace"),
        b"boundary=" + (shape(boundary[1])[:40] if boundary else b""),
        b"content-type=" + shape(content_type),
        b"transfer-encoding=" + value(message, "content-transfer-encoding").lower()[:20],
    )
    return tuple(facts)


def _of_text(text: bytes) -> list[bytes]:
    octets = len(text)
    counts = np.bincount(np.frombuffer(text, np.uint8), minlength=256).tolist()
    capitals, small, digits = sum(counts[65:91]), sum(counts[97:123]), sum(counts[48:58])
    lines = [len(line) for line in text.split(b"\n")]
    filled = len(lines) - lines.count(0)
    words = counts[32] + filled
    told = [
        b"length=%d" % _step((1, 50, 150, 400, 1000, 2000, 4000, 7900), octets),
        b"lines=%d" % _step((1, 3, 8, 20, 50, 120), counts[10]),
        b"capitals=%d" % _step((0.02, 0.04, 0.06, 0.1, 0.15, 0.25, 0.5), capitals / max(capitals + small, 1)),
        b"digits=%d" % _step((0.001, 0.005, 0.01, 0.02, 0.05, 0.1), digits / max(octets, 1)),
        b"eight-bit=%d" % _step((1, 10, 100, 500), sum(counts[128:])),
        *[b"%b=%d" % (name, _step(steps, counts[sign])) for name, sign, steps in _SIGNS],
        b"quoted-lines=%d" % _step((1, 3, 10), text.count(b"\n>")),
        b"rules-of-dashes=%d" % _step((1, 3), text.count(b"---")),
    ]
    if filled:
        told += [
            b"length-of-words=%d" % _step((4.5, 5.2, 5.6, 6.0, 6.5, 7.5, 9), octets / words),
            b"longest-line=%d" % _step((50, 66, 73, 80, 120, 400), max(lines)),
            b"length-of-lines=%d" % _step((20, 35, 50, 60, 70, 100, 200), octets / filled),
        ]
    return told


def _of_links(message: Message) -> list[bytes]:
    uris = message.uris[:_LINKS_LIMIT]
    sites = {site for uri in uris for site in uri.hosts.values()}
    sender = domain_of(value(message, "from")).decode("latin-1")
    own = any(sender == site or sender.endswith(f".{site}") for site in sites)
    tags = [link.tag for link in message.links[:_HTML_LINKS_LIMIT]]
    return [
        b"links=%d" % _step((1, 2, 4, 8, 16), len(uris)),
        b"sites=%d" % _step((1, 2, 3, 5, 8), len(sites)),
        b"links-to-sender=%d" % (0 if not sites else 1 if own else 2),
        b"links-to-number=%d" % any(_NUMBER_HOST.match(uri.raw) for uri in uris),
        b"links-to-port=%d" % any(_PORT.match(uri.raw) for uri in uris),
        b"links-with-query=%d" % any(b"?" in uri.raw for uri in uris),
        b"images=%d" % _step((1, 2, 5, 10, 20), tags.count("img")),
        b"html-links=%d" % _step((1, 2, 5, 10, 20), tags.count("a")),
    ]


_HTML_STEPS: dict[str, tuple[float, ...]] = {
    "ratio": (0.1, 0.3, 0.5, 0.7, 0.85, 0.95),
    "image_area": (1, 10_000, 100_000, 400_000),
    "length": (500, 2_000, 8_000, 30_000),
    "min_size": (1, 2, 3),
    "max_size": (3, 4, 5, 6, 7),
    "closed_extra_ratio": (0.01, 0.1, 0.3),
}
_HTML_FLAGS = ("font_low_contrast", "font_invalid_color", "form_action_mailto")


def _of_html(facts: HtmlFacts) -> list[bytes]:
    if not facts.html:
        return []
    told = []
    for name, steps in _HTML_STEPS.items():
        value = getattr(facts, name)
        if value is not None:
            told.append(f"html-{name.replace('_', '-')}={_step(steps, value)}".encode())
    for name in _HTML_FLAGS:
        told.append(f"html-{name.replace('_', '-')}={getattr(facts, name):d}".encode())
    return told


def value(message: Message, name: str) -> bytes:
    """The first field of this name on one line; empty without one."""
    header = message.header
    for field in header.named(name)[:1]:
        value = header.raw[field.value_start : min(field.end, field.value_start + _VALUE_OCTETS)]
        return b" ".join(value.split())
    return b""


def domain_of(value: bytes) -> bytes:
    found = _ADDRESS.search(value)
    return found[1].lower().rstrip(b".") if found else b""


def _relation(value: bytes, domain: bytes, sender: bytes) -> int:
    """0: there is no such field; 1: the domain of the sender; 2: a relative of it; 3: another."""
    if not value:
        return 0
    if domain == sender:
        return 1
    return 2 if domain.split(b".")[-2:] == sender.split(b".")[-2:] else 3
