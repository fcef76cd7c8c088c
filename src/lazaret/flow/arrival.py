"""One message on its way through the filter, and the entry that is written of it."""

import hashlib
import itertools
import os
from collections.abc import Mapping, Sequence

from lazaret.flow.fields import Site, quarantine_fields, received
from lazaret.mime.message import Message
from lazaret.model import mail_id as ids
from lazaret.model.entry import Entry, EntryRecipient
from lazaret.model.envelope import Envelope, Session
from lazaret.model.errors import Reply
from lazaret.model.frozen import frozen_with_lazy
from lazaret.model.lazy import lazy
from lazaret.model.verdict import Category, Report, Verdict

_SEVERITY = (
    Category.VIRUS,
    Category.BANNED,
    Category.UNCHECKED,
    Category.SPAM,
    Category.SPAMMY,
    Category.BAD_HEADER,
    Category.OVERSIZED,
    Category.MTA,
    Category.CLEAN,
)
_count = itertools.count(1)


@frozen_with_lazy
class Arrival:
    """The message, its envelope, and the names it goes by. `octets` are as on the wire."""

    session: Session
    envelope: Envelope
    octets: bytes
    message: Message
    mail_id: str
    secret_id: str
    log_id: str
    time: float
    originating: bool = False
    """Mail of our own users."""

    @lazy
    def digest(self) -> bytes:
        """SHA-256 of the octets as they came in."""
        return hashlib.sha256(self.octets).digest()

    @lazy
    def recipients(self) -> tuple[str, ...]:
        """The recipients, each once: a second RCPT TO of the same address makes no second copy."""
        return tuple(dict.fromkeys(self.envelope.addresses))


def arrive(
    session: Session, envelope: Envelope, octets: bytes, message: Message, at: float, *, originating: bool
) -> Arrival:
    """Gives the message its ids; the log id is the process and its count, as amavis writes it."""
    mail_id, secret_id = ids.generate()
    log_id = f"{os.getpid():05d}-{next(_count):02d}"
    return Arrival(session, envelope, octets, message, mail_id, secret_id, log_id, at, originating)


def entry_of(
    arrival: Arrival,
    report: Report,
    verdicts: Sequence[Verdict],
    replies: Mapping[str, Reply],
    *,
    dsn_sent: str = "N",
    took_ms: float = 0.0,
) -> Entry:
    """The row of history."""
    message = arrival.message
    lowest = min(verdicts, key=lambda v: v.score, default=None)
    return Entry(
        mail_id=arrival.mail_id,
        secret_id=arrival.secret_id,
        log_id=arrival.log_id,
        time=arrival.time,
        session=arrival.session,
        sender=arrival.envelope.sender,
        recipients=tuple(_recipient(v, replies.get(v.recipient)) for v in verdicts),
        size=len(arrival.octets),
        originating=arrival.originating,
        category=min([v.category for v in verdicts], key=_SEVERITY.index, default=Category.CLEAN),
        score=lowest.score if lowest else report.score,
        hits=(*report.hits, *lowest.hits) if lowest else report.hits,
        unavailable=report.unavailable,
        took_ms=took_ms,
        message_id=message.decoded("Message-ID"),
        from_header=message.decoded("From"),
        reply_to=message.decoded("Reply-To"),
        subject=message.decoded("Subject"),
        to_header=", ".join(message.decoded_all("To") + message.decoded_all("Cc")),
        digest=arrival.digest,
        dsn_sent=dsn_sent,
    )


def _recipient(verdict: Verdict, reply: Reply | None) -> EntryRecipient:
    return EntryRecipient(
        address=verdict.recipient,
        local=verdict.policy.local,
        category=verdict.category,
        action=verdict.action,
        score=verdict.score,
        reason=verdict.reason,
        response=str(reply) if reply else "",
        stored=verdict.keep,
        allowed=verdict.allowed,
        blocked=verdict.blocked,
    )


def stored_prefix(arrival: Arrival, report: Report, verdicts: Sequence[Verdict], site: Site) -> bytes:
    """The header fields before a stored message, ending with our Received."""
    kept = [v for v in verdicts if v.keep]
    lowest = min(kept, key=lambda v: v.score)
    return quarantine_fields(
        arrival.envelope,
        [v.recipient for v in kept],
        arrival.mail_id,
        (*report.hits, *lowest.hits),
        lowest.score,
        lowest.policy.levels,
    ) + received(arrival.session, arrival.envelope, arrival.mail_id, site, arrival.time)
