"""How is a message built, whatever it says? Small facts about its header and its body.

A fact is a name and a step or a shape: `capitals=3`, `date=Aa, 0 Aa 0 0:0:0 -0`. Alone each of them says
little; a message is known by which of them come together, so that features are made of every two
(`features.Hasher`). None of them is a word of the text, so that words which are added to a text move few.
"""

import re
from bisect import bisect_right as _step  # How many of the steps a value reaches.
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter, getitem
from typing import NamedTuple, TypeAlias

import numpy as np

from lazaret.learn import kernel
from lazaret.mime.html_facts import HtmlFacts
from lazaret.mime.message import Message
from lazaret.mime.urls import Uri

FACTS_LIMIT = 64
"""Facts of one kind: every two of them make a feature."""
FIELD_OCTETS = 400
"""Of a header field, so much is looked at."""
SHAPE_OCTETS = 60
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
_LESS, _QUOTE, _AT, _QUESTION = b'<"@?'
"""As numbers: before Python looks for bytes, it makes the error that they are no number."""
_SAME_KIND = re.compile(rb"([aA0\xff])(?=\1)")
"""One that another of its kind follows: to put one in the place of a run, re would call Python each time."""
_DOMAIN = re.compile(rb"[\w.+=-]@([\w.-]{1,200})")
_REPLY = re.compile(rb"(?:re|aw|sv):", re.I)
_FORWARD = re.compile(rb"(?:fwd?|wg):", re.I)
_NUMBER_HOST = re.compile(rb"https?://[\d.]+(?:[/:]|\Z)", re.I)
_PORT = re.compile(rb"https?://[^/]{1,200}:\d", re.I)
_BOUNDARY = re.compile(rb'boundary\s*=\s*"?([^";\s]{1,80})', re.I)


def numbered(name: bytes, most: int) -> tuple[bytes, ...]:
    """The fact with each number from 0 to `most`: to write it anew for every message takes longer than to
    find out which it is."""
    return tuple([b"%b=%d" % (name, number) for number in range(most + 1)])


def stepped(name: bytes, *steps: float) -> Callable[[float], bytes]:
    """What writes the fact by how many of the steps a value reaches."""
    each = numbered(name, len(steps))
    return lambda value: each[_step(steps, value)]


class Table:
    """Facts whose values come together: they are written in one go."""

    def __init__(self, *facts: tuple[bytes, tuple[float, ...]]) -> None:
        """Each with its name and its steps."""
        self._steps = [steps for _, steps in facts]
        self._written = [numbered(name, len(steps)) for name, steps in facts]

    def told(self, values: Iterable[float]) -> list[bytes]:
        """By how many of the steps each value reaches; where there are fewer values, of the first ones."""
        return list(map(getitem, self._written, map(_step, self._steps, values)))


def shape(octets: bytes, most: int = SHAPE_OCTETS) -> bytes:
    """What it looks like: letters are `a` and `A`, digits are `0`, each run of them is one."""
    if kernel.compiled:
        shaped: bytes = kernel.compiled.shape(octets, most)
        return shaped
    return _SAME_KIND.sub(b"", octets.translate(_KINDS))[: min(most, SHAPE_OCTETS)]


def cut(raw: bytes, spans: Iterable[tuple[int, int]]) -> list[bytes]:
    """What lies between these places; of each, what is looked at."""
    return [raw[start:end][:FIELD_OCTETS] for start, end in spans]


class Written(NamedTuple):
    """What facts of several kinds are told by: first fields, each on one line, their domains, and links."""

    sender: bytes
    reply: bytes
    message_id: bytes
    to: bytes
    copies: bytes
    date: bytes
    subject: bytes
    content_type: bytes
    transfer_encoding: bytes
    sender_domain: bytes
    reply_domain: bytes
    message_id_domain: bytes
    links: Sequence[Uri]
    """The first ones."""
    sites: set[str]
    """Where they lead."""


_FIELDS = (
    "from",
    "reply-to",
    "message-id",
    "to",
    "cc",
    "date",
    "subject",
    "content-type",
    "content-transfer-encoding",
)
"""As in `Written`."""
_raw_of, _hosts_of, _tag_of = attrgetter("raw"), attrgetter("hosts"), attrgetter("tag")


def written(message: Message) -> Written:
    """Of one message; a field that it lacks is empty."""
    header, links = message.header, message.uris[:_LINKS_LIMIT]
    spans = header.spans
    firsts = [spans[places[0]] if places else (0, 0) for places in map(header.places, _FIELDS)]
    fields = list(map(b" ".join, map(bytes.split, cut(header.raw, firsts))))
    sites: set[str] = set().union(*map(dict.values, map(_hosts_of, links)))
    return Written._make((*fields, *map(domain_of, fields[:3]), links, sites))


_REPLY_TO = numbered(b"reply-to", 3)
_MESSAGE_ID_DOMAIN = numbered(b"message-id-domain", 3)
_TO_OWN_DOMAIN = numbered(b"to-own-domain", 3)
_RECIPIENTS = stepped(b"recipients", 1, 2, 3, 5, 10)
_DIGITS_IN_ADDRESS = numbered(b"digits-in-address", 1)
_NAME = numbered(b"name", 2)
_ADDRESS_AS_NAME = numbered(b"address-as-name", 1)
_NAME_IN_CAPITALS = numbered(b"name-in-capitals", 1)
_SUBJECT_ENCODED = numbered(b"subject-encoded", 1)
_DIGIT = re.compile(rb"[0-9]")


def of_header(written: Written, subject: bytes) -> tuple[bytes, ...]:
    """Who writes to whom, and how fields are written. `subject` is decoded."""
    sender, domain = written.sender, written.sender_domain
    recipients = b",".join([written.to, written.copies])
    display, _, _ = sender.partition(b"<")
    local = sender.partition(b"@")[0].rpartition(b"<")[2][-30:]
    return (
        _REPLY_TO[_relation(written.reply, written.reply_domain, domain)],
        _MESSAGE_ID_DOMAIN[_relation(written.message_id, written.message_id_domain, domain)],
        _TO_OWN_DOMAIN[_relation(recipients, domain_of(recipients), domain)],
        _RECIPIENTS(recipients.count(b"@")),
        b"from=" + shape(sender, 40),
        _DIGITS_IN_ADDRESS[_DIGIT.search(local) is not None],
        _NAME[0 if _LESS not in sender else 1 if _QUOTE not in sender else 2],
        _ADDRESS_AS_NAME[_AT in display and _LESS in sender],
        _NAME_IN_CAPITALS[display.isupper()],
        b"message-id=" + shape(written.message_id, 50),
        b"date=" + shape(written.date, 50),
        *_of_subject(subject),
        _SUBJECT_ENCODED[written.subject.find(b"=?") >= 0],
    )


_SUBJECT = Table(
    (b"subject-capitals", (0.01, 0.1, 0.2, 0.4, 0.7, 0.99)),
    (b"subject-length", (1, 8, 15, 25, 40, 60, 90)),
    (b"subject-exclamation-marks", (1, 2, 3)),
    (b"subject-question", (1,)),
    (b"subject-dollar", (1,)),
    (b"subject-per-cent", (1,)),
    (b"subject-digits", (1,)),
    (b"subject-gap", (1,)),
    (b"subject-eight-bit", (1,)),
    (b"reply", (1,)),
    (b"forward", (1,)),
)
_SUBJECT_SIGNS = b"!?$%"


def _of_subject(subject: bytes) -> Sequence[bytes]:
    subject = subject.strip()
    signs, capitals, small, digits, eight_bit, _, _ = _tallied(subject, _SUBJECT_SIGNS)
    gaps = subject.count(b"    ")
    is_reply, is_forward = _REPLY.match(subject) is not None, _FORWARD.match(subject) is not None
    share = capitals / max(capitals + small, 1)
    told = _SUBJECT.told([share, len(subject), *signs, digits, gaps, eight_bit, is_reply, is_forward])
    told[2:2] = (
        b"subject-end=" + subject[-1:].translate(_KINDS),
        b"subject-begin=" + subject[:1].translate(_KINDS),
    )
    return told


_IS_HTML = numbered(b"html", 1)


def of_body(message: Message, written: Written, text: bytes) -> tuple[bytes, ...]:
    """How the text is written, how many links there are and to where, and which parts there are.

    `text` is what a reader sees of it.
    """
    facts = [*_of_text(text), *_of_links(message, written)]
    parts = ",".join([f"{part.depth}{part.content_type}" for part in message.parts[:_PARTS_LIMIT]])
    boundary = _BOUNDARY.search(written.content_type)
    facts += (
        _IS_HTML[message.html.html],
        *_of_html(message.html),
        b"parts=" + parts.encode("utf-8", "replace"),
        b"boundary=" + (shape(boundary[1], 40) if boundary else b""),
        b"content-type=" + shape(written.content_type),
        b"transfer-encoding=" + written.transfer_encoding.lower()[:20],
    )
    return tuple(facts)


_TEXT = Table(
    (b"length", (1, 50, 150, 400, 1000, 2000, 4000, 7900)),
    (b"lines", (1, 3, 8, 20, 50, 120)),
    (b"capitals", (0.02, 0.04, 0.06, 0.1, 0.15, 0.25, 0.5)),
    (b"digits", (0.001, 0.005, 0.01, 0.02, 0.05, 0.1)),
    (b"eight-bit", (1, 10, 100, 500)),
    (b"exclamation-marks", (1, 2, 4, 8, 16)),
    (b"question-marks", (1, 2, 4, 8)),
    (b"dollars", (1, 2, 4, 8)),
    (b"per-cents", (1, 3)),
    (b"at-signs", (1, 2, 4)),
    (b"parentheses", (1, 3, 8)),
    (b"quotation-marks", (1, 3, 8)),
    (b"semicolons", (1, 3)),
    (b"underscores", (1, 5, 40)),
    (b"asterisks", (1, 5)),
    (b"number-signs", (1, 3)),
    (b"quoted-lines", (1, 3, 10)),
    (b"rules-of-dashes", (1, 3)),
    (b"length-of-words", (4.5, 5.2, 5.6, 6.0, 6.5, 7.5, 9)),
    (b"longest-line", (50, 66, 73, 80, 120, 400)),
    (b"length-of-lines", (20, 35, 50, 60, 70, 100, 200)),
)
_SIGNS = b' \n!?$%@(";_*#'
"""A blank, a line end, and what is counted from the exclamation marks on."""


def _of_text(text: bytes) -> list[bytes]:
    octets = len(text)
    counts, capitals, small, digits, eight_bit, filled, longest = _tallied(text, _SIGNS)
    blanks, lines, *signs = counts
    letters = capitals + small
    values = [octets, lines, capitals / max(letters, 1), digits / max(octets, 1), eight_bit, *signs]
    values += (text.count(b"\n>"), text.count(b"---"))
    if filled:
        values += (octets / (blanks + filled), longest, octets / filled)
    return _TEXT.told(values)


_Tally: TypeAlias = tuple[list[int], int, int, int, int, int, int]


def _tallied(text: bytes, signs: bytes) -> _Tally:
    found: _Tally = kernel.compiled.tally(text, signs) if kernel.compiled else tally(text, signs)
    return found


def tally(text: bytes, signs: bytes) -> _Tally:
    """How often each of the signs stands in it, how many octets are A to Z, a to z, 0 to 9 and beyond ASCII,
    how many lines are not empty, and how long the longest is."""
    counts = np.bincount(np.frombuffer(text, np.uint8), minlength=256).tolist()
    kinds = sum(counts[65:91]), sum(counts[97:123]), sum(counts[48:58]), sum(counts[128:])
    lines = [len(line) for line in text.split(b"\n")]
    return [counts[sign] for sign in signs], *kinds, len(lines) - lines.count(0), max(lines)


_LINKS = Table(
    (b"links", (1, 2, 4, 8, 16)),
    (b"sites", (1, 2, 3, 5, 8)),
    (b"links-to-sender", (1, 2)),
    (b"links-to-number", (1,)),
    (b"links-to-port", (1,)),
    (b"links-with-query", (1,)),
    (b"images", (1, 2, 5, 10, 20)),
    (b"html-links", (1, 2, 5, 10, 20)),
)


def _of_links(message: Message, written: Written) -> list[bytes]:
    uris, sites = list(map(_raw_of, written.links)), written.sites
    own = 0
    if sites:
        sender = f".{written.sender_domain.decode('latin-1')}"
        own = 1 if sender.endswith(tuple(map(".".__add__, sites))) else 2
    tags = list(map(_tag_of, message.links[:_HTML_LINKS_LIMIT]))
    return _LINKS.told(
        [
            len(uris),
            len(sites),
            own,
            any(map(_NUMBER_HOST.match, uris)),
            any(map(_PORT.match, uris)),
            _QUESTION in b"".join(uris),
            tags.count("img"),
            tags.count("a"),
        ]
    )


_HTML_STEPS = {
    name: stepped(b"html-" + name.replace("_", "-").encode(), *steps)
    for name, steps in (
        ("ratio", (0.1, 0.3, 0.5, 0.7, 0.85, 0.95)),
        ("image_area", (1, 10_000, 100_000, 400_000)),
        ("length", (500, 2_000, 8_000, 30_000)),
        ("min_size", (1, 2, 3)),
        ("max_size", (3, 4, 5, 6, 7)),
        ("closed_extra_ratio", (0.01, 0.1, 0.3)),
    )
}
_HTML_FLAGS = {
    name: numbered(b"html-" + name.replace("_", "-").encode(), 1)
    for name in ("font_low_contrast", "font_invalid_color", "form_action_mailto")
}


def _of_html(facts: HtmlFacts) -> list[bytes]:
    if not facts.html:
        return []
    told = []
    for name, steps in _HTML_STEPS.items():
        value = getattr(facts, name)
        if value is not None:
            told.append(steps(value))
    told += [each[getattr(facts, name)] for name, each in _HTML_FLAGS.items()]
    return told


def domain_of(value: bytes) -> bytes:
    """That of the first address."""
    found = _DOMAIN.search(value)
    return found[1].lower().rstrip(b".") if found else b""


def _relation(value: bytes, domain: bytes, sender: bytes) -> int:
    """0: there is no such field; 1: the domain of the sender; 2: a relative of it; 3: another."""
    if not value:
        return 0
    if domain == sender:
        return 1
    return 2 if domain.split(b".")[-2:] == sender.split(b".")[-2:] else 3
