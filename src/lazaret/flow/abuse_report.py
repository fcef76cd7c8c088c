"""A stored message as an abuse report, for whoever is responsible for its sender (ARF, RFC 5965)."""

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from email.header import Header
from email.utils import formatdate

from lazaret import __version__
from lazaret.flow import needs
from lazaret.flow.fields import SPAM_FIELDS, Site, field
from lazaret.mime import headers
from lazaret.mime.edit import edited
from lazaret.model import address as addresses
from lazaret.model.delivery import Answer, Outgoing
from lazaret.model.envelope import Recipient
from lazaret.model.errors import UserError
from lazaret.model.quarantine import Item

EX_DATAERR = 65

log = logging.getLogger("lazaret.quarantine")


class AbuseReports:
    """Sends them; each is written to the audit table."""

    def __init__(
        self,
        quarantine: needs.Quarantine,
        relay: needs.Relay,
        site: Site,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._quarantine = quarantine
        self._relay = relay
        self._site = site
        self._clock = clock

    async def send(self, mail_id: str, to: Sequence[str], *, who: str) -> tuple[Answer, ...]:
        """One answer per recipient. NoSuchMessage; UserError without a recipient, or for one that is none.

        The report says nothing of whom the message was for.
        """
        if not to:
            raise UserError(f"{mail_id}: name whom the report is for", EX_DATAERR)
        for address in to:
            if not addresses.is_valid(address):
                raise UserError(f"{address!r} is not a mail address", EX_DATAERR)
        item = (await self._quarantine.detail(mail_id)).item
        text = await self._quarantine.text(mail_id)
        message = edited(text.message, headers.parse(text.message), without=SPAM_FIELDS)
        octets = report(item, message, to, site=self._site, at=self._clock())
        await self._quarantine.audit(who, "report", mail_id, " ".join(to))
        # From nobody: what cannot be delivered is not to come back.
        outgoing = Outgoing(
            "",
            tuple(Recipient(address) for address in to),
            octets,
            body="7BIT" if octets.isascii() else "8BITMIME",
            smtputf8=not "".join(to).isascii(),
        )
        answers = await self._relay.send(outgoing)
        for answer in answers:
            log.info("(%s) report -> <%s> %s", mail_id, answer.recipient, answer.reply)
        return answers


def report(item: Item, message: bytes, to: Sequence[str], *, site: Site, at: float) -> bytes:
    """The report's octets; `message` as it came in."""
    boundary = f"=_lazaret_{secrets.token_hex(12)}"
    subject = Header(f"Abuse report: {item.subject}"[:200], "utf-8" if not item.subject.isascii() else None)
    head = (
        field("From", [f'"Content-filter at {site.hostname}"', f"<postmaster@{site.hostname}>"]),
        field("To", [f"<{address}>" for address in to], separator=", "),
        field("Subject", subject.encode(maxlinelen=1000).split()),
        field("Date", [formatdate(at, localtime=True)]),
        field("Message-ID", [f"<report-{item.mail_id}.{secrets.token_hex(8)}@{site.hostname}>"]),
        field("Auto-Submitted", ["auto-generated"]),
        field("MIME-Version", ["1.0"]),
        field(
            "Content-Type", ["multipart/report;", "report-type=feedback-report;", f'boundary="{boundary}"']
        ),
        b"\r\n",
    )
    parts = (
        (b"text/plain; charset=utf-8", _words(item)),
        (b"message/feedback-report", _facts(item)),
        (b"message/rfc822", message),
    )
    body = b"".join(_part(boundary, kind, octets) for kind, octets in parts)
    return b"".join(head) + body + f"--{boundary}--\r\n".encode("ascii")


def _part(boundary: str, kind: bytes, octets: bytes) -> bytes:
    encoding = b"" if octets.isascii() else b"Content-Transfer-Encoding: 8bit\r\n"
    return b"--%b\r\nContent-Type: %b\r\n%b\r\n%b\r\n" % (boundary.encode("ascii"), kind, encoding, octets)


def _words(item: Item) -> bytes:
    lines = (
        "This is an abuse report for a mail message that was received",
        f"from {item.client_ip or 'an unknown address'} on {formatdate(item.time)}.",
        "The message is attached as it came in.",
    )
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")


def _facts(item: Item) -> bytes:
    """RFC 5965, section 3."""
    found = [
        field("Feedback-Type", ["abuse"]),
        field("User-Agent", [f"Lazaret/{__version__}"]),
        field("Version", ["1"]),
        field("Original-Mail-From", [f"<{item.sender}>"]),
        field("Arrival-Date", [formatdate(item.time)]),
    ]
    if item.client_ip:
        found.append(field("Source-IP", [item.client_ip]))
    return b"".join(found)
