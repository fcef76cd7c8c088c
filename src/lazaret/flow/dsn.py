"""The delivery status notification for recipients whom the next hop refused (RFC 3464, RFC 6522).

Headers of the message only, never its body: a notification must not carry what a filter would stop.
"""

import secrets
from collections.abc import Sequence
from email.utils import formatdate

from lazaret.flow.fields import Site, field
from lazaret.model.delivery import Answer, Outgoing
from lazaret.model.envelope import Envelope, Recipient

_MAX_HEADER = 65_536
"""Octets of the message's header section that are sent back."""


def wanted(recipient: Recipient, sender: str) -> bool:
    """Whether the sender asked to be told, or did not ask not to be (RFC 3461, section 4.1)."""
    return bool(sender) and "NEVER" not in recipient.notify.upper().split(",")


def failure(
    envelope: Envelope, header: bytes, failed: Sequence[Answer], *, mail_id: str, site: Site, at: float
) -> Outgoing:
    """The notification to `envelope.sender`; `header`: the header section of the message, with CRLF."""
    boundary = f"----lazaret-{secrets.token_hex(12)}"
    eightbit = not header.isascii()
    octets = b"".join(
        (
            _head(envelope.sender, boundary, mail_id, site, at),
            _part(boundary, b"text/plain; charset=utf-8", _text(failed, site)),
            _part(boundary, b"message/delivery-status", _status(envelope, failed, site, at)),
            _part(boundary, b"text/rfc822-headers", _clipped(header)),
            f"--{boundary}--\r\n".encode("ascii"),
        )
    )
    return Outgoing("", (Recipient(envelope.sender),), octets, body="8BITMIME" if eightbit else "7BIT")


def _head(sender: str, boundary: str, mail_id: str, site: Site, at: float) -> bytes:
    return b"".join(
        (
            field("From", [f'"Content-filter at {site.hostname}"', f"<postmaster@{site.hostname}>"]),
            field("To", [f"<{sender}>"]),
            field("Subject", ["Undeliverable mail"]),
            field("Date", [formatdate(at, localtime=True)]),
            field("Message-ID", [f"<dsn-{mail_id}@{site.hostname}>"]),
            field("Auto-Submitted", ["auto-replied"]),
            field("MIME-Version", ["1.0"]),
            field(
                "Content-Type",
                ["multipart/report;", "report-type=delivery-status;", f'boundary="{boundary}"'],
            ),
            b"\r\n",
        )
    )


def _part(boundary: str, content_type: bytes, octets: bytes) -> bytes:
    return b"--%b\r\nContent-Type: %b\r\n\r\n%b\r\n" % (boundary.encode("ascii"), content_type, octets)


def _text(failed: Sequence[Answer], site: Site) -> bytes:
    lines = [
        f"This is the mail filter at {site.hostname}.",
        "",
        "Your message could not be delivered to:",
        "",
    ]
    for answer in failed:
        lines += [f"    {answer.recipient}", f"    {answer.reply}", ""]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")


def _status(envelope: Envelope, failed: Sequence[Answer], site: Site, at: float) -> bytes:
    wishes = {r.address: r for r in envelope.recipients}
    blocks = [
        field("Reporting-MTA", ["dns;", site.hostname])
        + (field("Original-Envelope-Id", [envelope.envid]) if envelope.envid else b"")
        + field("Arrival-Date", [formatdate(at, localtime=True)])
    ]
    for answer in failed:
        original = wishes[answer.recipient].orcpt
        blocks.append(
            (field("Original-Recipient", [original]) if original else b"")
            + field("Final-Recipient", ["rfc822;", answer.recipient])
            + field("Action", ["failed"])
            + field("Status", [answer.reply.enhanced or "5.0.0"])
            + field("Diagnostic-Code", ["smtp;", *str(answer.reply).split()])
        )
    return b"\r\n".join(blocks)


def _clipped(header: bytes) -> bytes:
    if len(header) <= _MAX_HEADER:
        return header
    return header[: header.rfind(b"\r\n", 0, _MAX_HEADER) + 2]
