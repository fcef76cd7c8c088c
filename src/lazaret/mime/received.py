"""Which host handed the message to which? A parser of one Received field (RFC 5321, section 4.4).

MTAs agree on little but `from`, `by` and the semicolon. What counts here is SpamAssassin's reading,
because rules match the string form of a relay.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from lazaret.mime import ip, kernel, received_auth, received_program
from lazaret.mime.received_formats import FORMATS, IGNORED, NORTON, QMAIL_SCANNER, SIMTA, SUBMITTED
from lazaret.mime.received_template import Outcome, Row, Shape, rows, shape_of

__all__ = ["Outcome", "Relay", "Unrecorded", "parse"]

LENGTH_LIMIT = 8192
"""Octets of a field that are read, as in SpamAssassin; it bounds the cost of every pattern below."""

_DATE = re.compile(
    r"[ ;](?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d+ (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r" \d+ \d+:\d+(?::\d+)? \S+$",
    re.ASCII,
)
_DATE_LENGTH = 80
_TIME_LENGTH = len(":00:00")
_BARE_HANDOVER = re.compile(r"(?i:from) (?!\[[\d.]+\] )\S+ (?i:by) [^\s;]+ ?;", re.ASCII)

_ID = re.compile(r" id <?([^\s<>;]{3,})", re.ASCII)
_BY = re.compile(r" by (\S+)", re.ASCII)
_HELO_CHARS = r"[-A-Za-z0-9.^+_&:=?!@%*$\\/]+"
_HELO = re.compile(rf"\bhelo=({_HELO_CHARS})", re.ASCII)
_GREETING = re.compile(rf"\b(?:HELO|EHLO) ({_HELO_CHARS})", re.ASCII)
_ENVFROM = re.compile(r"(?:return-path:? |envelope-(?:sender|from)[ =])(\S+)\b", re.ASCII | re.IGNORECASE)
_FIRST_WORD = re.compile(r"(\S+)[^-A-Za-z0-9.]", re.ASCII)
_BRACKETED_IP = re.compile(rf"\[({ip.LITERAL})\]", re.ASCII)

_DETAIL_HELO = re.compile(r"helo=(\S+)", re.ASCII)
_DETAIL_IDENT = re.compile(r"ident=(\S*)", re.ASCII)

_UNSAFE = str.maketrans(dict.fromkeys(" \t\n\r\x0b\x0c\0#[]()<>|", "!"))
"""What would break the string form: `[1.2.3.4]` as a greeting becomes `!1.2.3.4!`."""

_UNSAFE_ANY = re.compile(r"[ \t\n\r\x0b\x0c\0#\[\]()<>|]")


_BY_SHAPE = {shape: rows(form for form in FORMATS if shape in form.shapes) for shape in Shape}
_SIMTA = rows([SIMTA])
_NORTON = rows([NORTON])


class Relay(NamedTuple):
    """One hand-over: `ip` connected to `by`. All strings are "" where the field does not tell."""

    ip: str
    rdns: str
    """Name of the address, as `by` looked it up."""
    helo: str
    """`!` stands for brackets and other octets that would break the string form."""
    by: str
    ident: str
    envfrom: str | None
    """Envelope sender; None when the field does not tell, "" for the null sender."""
    intl: bool
    """One of our own hosts: set by the walk along the trust path."""
    id: str
    auth: str
    """How the client authenticated itself."""
    msa: bool
    """A submission server of ours: set by the walk along the trust path."""
    no_rdns: bool = False
    """`by` looked, and the address has no name."""

    def __str__(self) -> str:
        """The form that header rules match (X-Spam-Relays-*)."""
        address, rdns, helo, by, ident, envfrom, intl, message_id, auth, msa, _ = self
        return (
            f"[ ip={address} rdns={rdns} helo={helo} by={by} ident={ident} envfrom={envfrom or ''}"
            f" intl={+intl} id={message_id} auth={auth} msa={+msa} ]"
        )

    @property
    def private(self) -> bool:
        """The address is no host of the internet."""
        return _is_private(self.ip)


_is_private = lru_cache(maxsize=1024)(ip.is_private)
"""Several look at each relay, and the same ones pass on many messages."""


class Unrecorded(NamedTuple):
    """A field that records no relay."""

    why: Outcome
    envfrom: str | None = None
    """From qmail-scanner: the envelope sender of the hand-over that the next field describes."""


_IGNORED = Unrecorded(Outcome.IGNORED)
_UNPARSEABLE = Unrecorded(Outcome.UNPARSEABLE)


def parse(value: bytes) -> Relay | Unrecorded:
    """Reads the value of one Received field. Never raises; linear, and nothing after 8192 octets counts."""
    found: Relay | Unrecorded | tuple[str, str | None] | None = _read_compiled(value)
    if isinstance(found, Relay):
        return found
    if found is None:
        return parse_plain(value)
    return found if isinstance(found, Unrecorded) else _no_format(*found)


def make_ready() -> None:
    """Makes the expressions of all formats, which are otherwise made when a field first needs them."""
    for form in (*FORMATS, SIMTA, NORTON):
        form.pattern  # noqa: B018


def parse_plain(value: bytes) -> Relay | Unrecorded:
    """`parse` in Python."""
    octets = b" ".join(value[:LENGTH_LIMIT].split()).rstrip(b" ;")
    if octets[:5].lower() != b"from " and octets[:6].lower() != b"(from ":
        return _IGNORED
    line = octets.decode("utf-8", "surrogateescape")
    if " with local for" in line or _BARE_HANDOVER.match(line):
        return _IGNORED
    return _read(_without_date(line).replace(")by ", ") by ", 1))


def _without_date(line: str) -> str:
    if ":" not in line.rpartition(" ")[0][-_TIME_LENGTH:]:
        return line
    start = max(0, len(line) - _DATE_LENGTH)
    date = _DATE.search(line, max(start, line.rfind(";", start)))
    return line[: date.start()].rstrip(" ;") if date else line


def _read(line: str) -> Relay | Unrecorded:
    if line.startswith("from "):
        return _after_from(line, line[5:])
    if line.startswith("FROM "):
        return _try(_SIMTA, line, line[5:]) or _whatever_is_there(line, line[5:], None)
    if not line.startswith("(from "):
        return _whatever_is_there(line, line, None)
    text = line[6:]
    if SUBMITTED.match(text) and not NORTON.pattern.match(text):
        return _IGNORED
    return _try(_NORTON, line, text) or _whatever_is_there(line, text, None)


def _after_from(line: str, text: str) -> Relay | Unrecorded:
    envfrom = _envelope_sender(text)
    return _try(_BY_SHAPE[shape_of(text)], line, text, envfrom) or _no_format(line, envfrom)


def _no_format(line: str, envfrom: str | None) -> Relay | Unrecorded:
    text = line[5:]
    if QMAIL_SCANNER.match(text):
        return Unrecorded(Outcome.IGNORED, _tidy_sender(envfrom))
    if IGNORED.match(text):
        return _IGNORED
    first_word = _FIRST_WORD.match(text)
    return _whatever_is_there(line, text, envfrom, first_word[1] if first_word else "")


def _try(
    candidates: tuple[Row, ...], line: str, text: str, envfrom: str | None = None
) -> Relay | Unrecorded | None:
    for hint, absent, form in candidates:
        if hint not in text or (absent and absent in text):
            continue
        match = form.pattern.match(text)
        if match is None:
            continue
        if form.outcome is not Outcome.RELAY:
            return Unrecorded(form.outcome)
        words = match.groupdict()
        if ":" not in (words["ip"] or "") or ip.is_address(words["ip"]):
            return _relay(words, line, envfrom, looked_up=form.looked_up)
    return None


def _whatever_is_there(line: str, text: str, envfrom: str | None, first_word: str = "") -> Relay | Unrecorded:
    """No known format: an address in brackets and a `by` are enough to be of use."""
    addresses = (m[1] for m in _BRACKETED_IP.finditer(text))
    address = next((a for a in addresses if ip.is_address(a)), None)
    by = _BY.search(line)
    if address is None or by is None:
        return _UNPARSEABLE
    helo = _greeting(line) or first_word
    return _relay({"ip": address, "by": by[1], "helo": helo}, line, envfrom, looked_up=False)


def _relay(words: dict[str, str | None], line: str, envfrom: str | None, *, looked_up: bool) -> Relay:
    get = words.get
    helo, ident, message_id = get("helo", get("name")), get("ident") or "", get("id")
    details = get("details")
    if details:
        helo = _group(_DETAIL_HELO, details) or helo
        ident = _group(_DETAIL_IDENT, details)
    if helo is None:
        helo = _greeting(line)
    rdns = (get("rdns") or get("name") or "").rstrip(".")
    if rdns.startswith("[") or rdns.lower() == "unknown":
        rdns = ""
    by = (get("by") or "").removesuffix(";")
    if _UNSAFE_ANY.search(rdns + helo + by + ident):
        rdns, helo, by, ident = map(_safe, (rdns, helo, by, ident))
    # By position: names would cost as much again, and this runs for every hand-over of every message.
    return Relay(
        ip.without_wrapping(get("ip") or ""),
        rdns,
        helo,
        by,
        ident,
        _tidy_sender(get("envfrom") or envfrom),
        False,
        _group(_ID, line) if message_id is None else message_id,
        received_auth.authentication(line),
        False,
        looked_up and not rdns,
    )


def _greeting(line: str) -> str:
    return _group(_HELO, line) or _group(_GREETING, line)


def _group(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _safe(word: str) -> str:
    return word.translate(_UNSAFE)


def _envelope_sender(text: str) -> str | None:
    lowered = text.lower()
    if "envelope-" not in lowered and "return-path" not in lowered:
        return None
    found = _ENVFROM.search(text)
    return found[1] if found else None


def _tidy_sender(sender: str | None) -> str | None:
    return None if sender is None else _safe(sender.lstrip("<").rstrip(">"))


@lru_cache(maxsize=256)
def _bare_address(literal: str) -> str | None:
    """None: it is no address."""
    return ip.without_wrapping(literal) if ip.is_address(literal) else None


def _load() -> Callable[[bytes], Any]:
    """What reads most fields where it could be compiled (received_kernel.c), and says None of the others."""
    if kernel.received is None:
        return lambda value: None
    outcomes = {outcome: Unrecorded(outcome) for outcome in Outcome}
    programs = received_program.shapes(_BY_SHAPE, outcomes)
    login = received_auth.authentication
    try:
        reader = kernel.received.Reader(programs, Relay, _IGNORED, login, _bare_address, received_auth.HINTS)
    except ValueError:
        return lambda value: None  # It lacks an operation: it is of another version.
    read: Callable[[bytes], Any] = reader.read
    return read


_read_compiled = _load()
