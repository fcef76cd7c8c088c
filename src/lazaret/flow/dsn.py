"""The delivery status notification for recipients whom the next hop refused (RFC 3464, RFC 6522).

Headers of the message only, never its body: a notification must not carry what a filter would stop.
"""

import secrets
from collections.abc import Sequence
from email.utils import formatdate

from lazaret.flow.fields import Site, field
from lazaret.model.delivery import Answer, Outgoing
from lazaret.model.envelope import Envelope, Recipient
from lazaret.wire.xforward import xtext_decode

_MAX_HEADER = 65_536
"""Octets of the message's header section that are sent back."""


def wanted(recipient: Recipient, sender: str) -> bool:
    """Whether the sender wants word of a failure: when he named what he wants, that must be among it, and
    NEVER names nothing (RFC 3461, section 4.1)."""
    wishes = recipient.notify.upper()
    return bool(sender) and (not wishes or "FAILURE" in wishes.split(","))


def failure(
    envelope: Envelope, header: bytes, failed: Sequence[Answer], *, mail_id: str, site: Site, at: float
) -> Outgoing:
    """The notification to `envelope.sender`; `header`: the header section of the message, as it came."""
    boundary = f"----lazaret-{secrets.token_hex(12)}"
    octets = b"".join(
        (
            _head(envelope.sender, boundary, mail_id, site, at),
            _part(boundary, b"text/plain; charset=utf-8", _text(failed, site)),
            _part(boundary, b"message/delivery-status", _status(envelope, failed, site, at)),
            _part(boundary, b"text/rfc822-headers", _clipped(header)),
            f"--{boundary}--\r\n".encode("ascii"),
        )
    )
    return Outgoing(
        "",
        (Recipient(envelope.sender),),
        octets,
        body="7BIT" if octets.isascii() else "8BITMIME",
        smtputf8=envelope.smtputf8,
    )


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
    encoding = b"" if octets.isascii() else b"Content-Transfer-Encoding: 8bit\r\n"
    head = b"--%b\r\nContent-Type: %b\r\n%b\r\n" % (boundary.encode("ascii"), content_type, encoding)
    return head + octets + b"\r\n"


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
    wishes = {r.address: r for r in reversed(envelope.recipients)}
    blocks = [
        field("Reporting-MTA", ["dns;", site.hostname])
        + _from_xtext("Original-Envelope-Id", envelope.envid)
        + field("Arrival-Date", [formatdate(at, localtime=True)])
    ]
    for answer in failed:
        blocks.append(
            _from_xtext("Original-Recipient", wishes[answer.recipient].orcpt)
            + field("Final-Recipient", ["rfc822;", answer.recipient])
            + field("Action", ["failed"])
            + field("Status", [answer.reply.enhanced or "5.0.0"])
            + field("Diagnostic-Code", ["smtp;", *str(answer.reply).split()])
        )
    return b"\r\n".join(blocks)


def _from_xtext(name: str, value: str) -> bytes:
    """A parameter that travelled as xtext (RFC 3461, section 4); nothing when it did not."""
    return field(name, [xtext_decode(value)]) if value else b""


def _clipped(header: bytes) -> bytes:
    if len(header) <= _MAX_HEADER:
        return header
    return header[: header.rfind(b"\r\n", 0, _MAX_HEADER) + 2]
