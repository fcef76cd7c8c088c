"""A file of amavisd's quarantine as an entry: envelope, scores, verdict out of the fields on top."""

import hashlib
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from lazaret.flow.alike import marks
from lazaret.mime import headers
from lazaret.mime import message as mime
from lazaret.mime.headers import HeaderSection
from lazaret.mime.message import Message
from lazaret.model import mail_id as ids
from lazaret.model.entry import Entry, EntryRecipient
from lazaret.model.envelope import Session
from lazaret.model.errors import LazaretError
from lazaret.model.verdict import Action, Category
from lazaret.store import text

LOG_ID = "import"
"""`msgs.am_id` of what was taken over: no line of our log has it."""

_ADDRESS = re.compile(rb'<((?>(?:"(?>(?:[^"\\]++|\\.)*)"|[^<>"]++)*))>', re.DOTALL)
_ID = re.compile(rb"\s*+<([^<>\s]{1,16})>")
_FOLD = re.compile(rb"\r?\n[ \t]*+")
_NUMBER = r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)"
_SCORE = re.compile(rf"\bscore={_NUMBER}")
_KILL = re.compile(rf"\bkill={_NUMBER}")
_PLAIN_NUMBER = re.compile(_NUMBER)
_OF_FILE_NAMES = {
    "virus": Category.VIRUS,
    "banned": Category.BANNED,
    "unchecked": Category.UNCHECKED,
    "spam": Category.SPAM,
    "badh": Category.BAD_HEADER,
}
"""How amavisd's own templates of file names begin (`local:spam-%m.gz`)."""
_OF_ALERTS = (
    (b"INFECTED", Category.VIRUS),
    (b"BANNED", Category.BANNED),
)


class NotStoredByAmavis(LazaretError):
    """The file is none of amavisd's quarantine; the text says what it lacks."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of the quarantine, unpacked."""

    name: str
    octets: bytes = b""
    modified: float = 0.0
    """Seconds since 1970."""
    fault: str = ""
    """Why it could not be read; "" when it could."""


def read(file: StoredFile, is_local: Callable[[str], bool]) -> Entry:
    """The entry with the text, octet for octet as amavisd stored it. NotStoredByAmavis."""
    if file.octets.startswith(b"From "):
        raise NotStoredByAmavis("an mbox; amavisd's quarantine has one message a file")
    stored = text.from_amavis(file.octets)
    ours = headers.parse(stored.octets[: stored.prefix] + b"\r\n")
    named = _addresses(ours.values("X-Envelope-To"))
    if not named:
        raise NotStoredByAmavis("no X-Envelope-To field on top: not stored by amavisd")
    # Before 2.6 amavisd did not write the field: a stored message was then blocked for all.
    blocked = _addresses(ours.values("X-Envelope-To-Blocked")) if "X-Envelope-To-Blocked" in ours else named
    message = mime.parse(stored.message)
    status = " ".join(_unfolded(ours, "X-Spam-Status"))
    score = _score(ours, status)
    category = _category(file.name, ours, status, score, kept=bool(blocked))
    sender = next(iter(_addresses(ours.values("X-Envelope-From"))), "")
    return Entry(
        mail_id=_mail_id(ours, file.octets),
        secret_id="",
        log_id=LOG_ID,
        time=_time(message, file.modified),
        session=Session(client_ip=_client(message)),
        sender=sender,
        recipients=tuple(_recipients(named, frozenset(blocked), is_local, category, score, file.name)),
        size=len(stored.message),
        originating=False,
        category=category,
        score=score,
        hits=tuple(text.amavis_tests(stored.octets[: stored.prefix].replace(b"\r\n", b"\n"))),
        unavailable=(),
        took_ms=0.0,
        message_id=message.decoded("Message-ID"),
        from_header=message.decoded("From"),
        reply_to=message.decoded("Reply-To"),
        subject=message.decoded("Subject"),
        to_header=", ".join(message.decoded_all("To") + message.decoded_all("Cc")),
        digest=hashlib.sha256(stored.message).digest(),
        text=stored.octets,
        prefix=stored.prefix,
        body_text=message.visible_text,
        attachments=tuple(a.name for a in message.attachments if a.name),
        alike=marks(message, sender, named),
        imported=True,
    )


def _addresses(values: Iterable[bytes]) -> list[str]:
    found = (address for value in values for address in _ADDRESS.findall(value))
    return list(dict.fromkeys(_FOLD.sub(b"", one).decode("utf-8", "surrogateescape") for one in found))


def _unfolded(section: HeaderSection, name: str) -> list[str]:
    return [_FOLD.sub(b" ", value).decode("latin-1").strip() for value in section.values(name)]


def _mail_id(section: HeaderSection, octets: bytes) -> str:
    """The id that amavisd gave; an old file without one gets the same at every reading."""
    for value in section.values("X-Quarantine-ID"):
        found = _ID.match(value)
        if found and ids.is_valid(found[1].decode("latin-1")):
            return found[1].decode("ascii")
    return hashlib.sha256(octets).hexdigest()[:12]


def _score(section: HeaderSection, status: str) -> float:
    """Without what a list added: X-Spam-Score is 64 for a blocked sender, whatever the tests said."""
    found = _SCORE.search(status)
    if found is None:
        found = _PLAIN_NUMBER.match(next(iter(_unfolded(section, "X-Spam-Score")), ""))
    return float(found[1]) if found else 0.0


def _category(name: str, section: HeaderSection, status: str, score: float, *, kept: bool) -> Category:
    of_name = _OF_FILE_NAMES.get(name.rpartition("/")[2].partition("-")[0])
    if of_name is not None:
        return of_name
    alerts = section.values("X-Amavis-Alert")
    for word, category in _OF_ALERTS:
        if any(alert.lstrip().startswith(word) for alert in alerts):
            return category
    kill = _KILL.search(status)
    if kept and kill and score >= float(kill[1]):
        return Category.SPAM
    if "YES" in _unfolded(section, "X-Spam-Flag"):
        return Category.SPAMMY
    return Category.BAD_HEADER if alerts else Category.CLEAN


def _time(message: Message, modified: float) -> float:
    """When amavisd took the message in, as its own Received field says; else when the file was written."""
    received = next(iter(message.header.values("Received")), b"").rpartition(b";")[2]
    try:
        date = parsedate_to_datetime(received.decode("ascii").strip())
        at = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return modified
    return at if 0 < at <= time.time() else modified


def _client(message: Message) -> str:
    outside = message.relays.untrusted
    return outside[0].ip if outside else ""


def _recipients(
    named: list[str],
    blocked: frozenset[str],
    is_local: Callable[[str], bool],
    category: Category,
    score: float,
    file: str,
) -> Iterable[EntryRecipient]:
    for address in named:
        kept = address in blocked
        what = f"amavisd {'kept' if kept else 'delivered'} it as {category.word}"
        yield EntryRecipient(
            address=address,
            local=is_local(address),
            category=category,
            action=Action.QUARANTINE if kept else Action.DELIVER,
            score=score,
            reason=f"{what} ({score:g} points); imported from {file}",
            stored=kept,
        )
