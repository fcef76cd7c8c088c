"""The header fields that Lazaret puts on top of a message (amavis' own, so that old tools read them).

All are returned as octets with CRLF line ends. Nothing that a peer said reaches a field unchecked:
control characters become `?`, so that no field can be smuggled in.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache, lru_cache
from itertools import starmap
from operator import attrgetter

from lazaret.model.envelope import Envelope, Session
from lazaret.model.verdict import Levels, ScoredHit, Verdict
from lazaret.wire.paths import encode

SPAM_FIELDS = frozenset(
    {
        "x-spam-status",
        "x-spam-level",
        "x-spam-flag",
        "x-spam-score",
        "x-spam-report",
        "x-spam-checker-version",
        "x-spam-tests",
        "x-quarantine-id",
    }
)
"""What a filter found. Fields that a message brings along are taken out: anyone can write them."""

_WIDTH = 78
_MAX_STARS = 64
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
"""Nothing of it is printable, which Python says of a text ten times as fast."""
_NO_WORD = re.compile(r"[^\w.:\-\[\]]", re.ASCII)
_BY_SYMBOL = attrgetter("symbol")
_SYMBOL_AND_SCORE = attrgetter("symbol", "score")


@dataclass(frozen=True, slots=True)
class Site:
    """Who we are, for the fields that name us."""

    hostname: str
    name: str = "lazaret"


def field(name: str, words: Iterable[str], *, separator: str = " ") -> bytes:
    """One header field, folded between words at 78 columns with CRLF TAB."""
    words = list(words)
    if not "".join(words).isprintable():
        words = [_UNSAFE.sub("?", word) for word in words]
    return _octets([_fold(f"{name}: ", words, separator) if words else f"{name}:"])


def _fold(start: str, words: Iterable[str], separator: str) -> str:
    """Lines that begin with `start`, a TAB before each but the first; a word is never broken."""
    end = separator.rstrip() + "\0"
    lines = _lines(end).findall(start + end.join(words) + end)
    return "\r\n\t".join(lines).removesuffix(end).replace("\0\r", "\r").replace("\0", " ")


@cache
def _lines(end: str) -> re.Pattern[str]:
    """As many words as a line has room for, one at least; each ends with `end`, and its NUL is in no word."""
    return re.compile(rf"\A.{{1,{_WIDTH}}}{end}|.{{1,{_WIDTH - 1}}}{end}|[^\0]+\0", re.DOTALL)


def _octets(lines: Sequence[str]) -> bytes:
    return encode("\r\n".join(lines) + "\r\n")


def received(session: Session, envelope: Envelope, mail_id: str, site: Site, at: float) -> bytes:
    """Our Received field (RFC 5321, section 4.4), in the clauses and lines of amavis."""
    peer = _word(session.peer_ip) or "127.0.0.1"
    port = f"port {session.listen_port}" if session.listen_port else "unix socket"
    to = envelope.recipients
    only = f" for <{_UNSAFE.sub('?', to[0].address)}>" if len(to) == 1 else ""
    return _octets(
        [
            f"Received: from {_word(session.peer_helo) or 'unknown'} ([{peer}])",
            f"\tby localhost ({site.hostname} [127.0.0.1]) ({site.name}, {port})",
            f"\twith {session.protocol} id {mail_id}{only};",
            f"\t{_date(int(at))}",
        ]
    )


@lru_cache(2)
def _date(second: int) -> str:
    """RFC 5322, section 3.3. What comes in the same second has the same one."""
    return formatdate(second, localtime=True)


@lru_cache(256)
def _word(text: str) -> str:
    """A peer's word that cannot open a comment or end a clause."""
    return _NO_WORD.sub("?", text)[:255]


def spam_fields(hits: Sequence[ScoredHit], verdict: Verdict, *, marked: bool) -> bytes:
    """X-Spam-Flag, -Score, -Level and -Status of a delivered message.

    As amavis does, the score of a sender on the recipient's lists is shown as what the lists made of it:
    mail programs file by these fields.
    """
    levels = verdict.policy.levels
    limits = f"tagged_above={number(levels.tag)} required={number(levels.mark)}"
    if verdict.blocked:
        return _spam_fields(hits, max(verdict.score, _MAX_STARS), marked, f"{limits} BLACKLISTED")
    if verdict.allowed:
        return _spam_fields(hits, min(verdict.score, 0.0), marked, f"{limits} WHITELISTED")
    return _spam_fields(hits, verdict.score, marked, limits)


def quarantine_fields(
    envelope: Envelope,
    blocked: Sequence[str],
    mail_id: str,
    hits: Sequence[ScoredHit],
    score: float,
    levels: Levels,
) -> bytes:
    """The fields before a stored message, without the Received that ends them."""
    limits = f"tag={number(levels.tag)} tag2={number(levels.mark)} kill={number(levels.quarantine)}"
    return b"".join(
        (
            field("X-Envelope-From", [f"<{envelope.sender}>"]),
            field("X-Envelope-To", [f"<{a}>" for a in envelope.addresses], separator=", "),
            field("X-Envelope-To-Blocked", [f"<{a}>" for a in blocked], separator=", "),
            field("X-Quarantine-ID", [f"<{mail_id}>"]),
            _spam_fields(hits, score, score >= levels.mark, limits),
        )
    )


def _spam_fields(hits: Sequence[ScoredHit], score: float, spam: bool, limits: str) -> bytes:
    stars = min(max(int(score), 0), _MAX_STARS)
    points = number(score)
    return _octets(
        [
            f"X-Spam-Flag: {'YES' if spam else 'NO'}",
            f"X-Spam-Score: {points}",
            f"X-Spam-Level: {'*' * stars}" if stars else "X-Spam-Level:",
            # Tests and autolearn have lines of their own, as the parsers of that field expect.
            f"X-Spam-Status: {'Yes' if spam else 'No'}, score={points} {limits}",
            _fold("\ttests=[", tests(hits), ", ") + "]",
            "\tautolearn=no",
        ]
    )


def tests(hits: Iterable[ScoredHit]) -> list[str]:
    """Each hit with its score, in the order of the symbols."""
    return list(starmap(_test, map(_SYMBOL_AND_SCORE, sorted(hits, key=_BY_SYMBOL))))


@lru_cache(4096)
def _test(symbol: str, score: float) -> str:
    return f"{symbol}={number(score)}"


def resent_fields(
    *, requested_by: str, recipients: Sequence[str], message_id: str, site: Site, at: float
) -> bytes:
    """Resent-* of a release (RFC 5322, section 3.6.6). The message begins below Resent-Message-ID."""
    postmaster = f'"Content-filter at {site.hostname}" <postmaster@{site.hostname}>'
    to = f"<{recipients[0]}>" if len(recipients) == 1 else "undisclosed-recipients:;"
    return b"".join(
        (
            field("Resent-From", [f"<{requested_by}>" if requested_by else postmaster]),
            field("Resent-To", [to]),
            field("Resent-Date", [formatdate(at, localtime=True)]),
            field("Resent-Message-ID", [message_id]),
        )
    )


@lru_cache(4096)
def number(value: float) -> str:
    """A score as amavis writes it: up to 3 decimals, zeros trimmed."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
