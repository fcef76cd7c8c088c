"""The notification, read by the standard library as any mail program reads it (RFC 3464)."""

import email
import re
from email.message import Message

from lazaret.flow import dsn
from lazaret.flow.fields import Site
from lazaret.model.delivery import Answer, Outgoing
from lazaret.model.envelope import Envelope, Recipient
from lazaret.model.errors import Reply

HEADER = b"From: a@out.example\r\nSubject: my letter\r\nMessage-ID: <1@out.example>\r\n\r\n"
REFUSED = Reply(550, "5.1.1", "from MTA(smtp:[127.0.0.1]:10025): 550 5.1.1 no such user")
ENVELOPE = Envelope(
    "a@out.example",
    (Recipient("ann@home.example"), Recipient("bob@home.example", orcpt="rfc822;Bob+2BX@home.example")),
    envid="QQ+2B314159",
)
BOTH = (
    Answer("ann@home.example", Reply(552, "", "too big")),
    Answer("bob@home.example", REFUSED),
)


def notice(envelope: Envelope = ENVELOPE, header: bytes = HEADER) -> Outgoing:
    return dsn.failure(
        envelope,
        header,
        BOTH,
        mail_id="9jc5xEn26f99",
        site=Site("f.example"),
        at=0.0,
    )


def parts(outgoing: Outgoing) -> tuple[Message, Message, Message, Message]:
    """The whole, and its three parts."""
    whole = email.message_from_bytes(outgoing.octets)
    text, status, header = whole.get_payload()  # type: ignore[misc]
    return whole, text, status, header  # type: ignore[return-value]


def test_it_goes_to_the_sender_from_nobody():
    outgoing = notice()
    assert ("", ("a@out.example",)) == (outgoing.sender, tuple(r.address for r in outgoing.recipients))
    assert "7BIT" == outgoing.body


def test_it_is_a_report_of_a_delivery_status():
    whole, text, status, header = parts(notice())
    assert [] == whole.defects
    assert ("multipart/report", "delivery-status") == (
        whole.get_content_type(),
        whole.get_param("report-type"),
    )
    assert "auto-replied" == whole["Auto-Submitted"]
    assert "<a@out.example>" == whole["To"]
    assert ["text/plain", "message/delivery-status", "text/rfc822-headers"] == [
        p.get_content_type() for p in (text, status, header)
    ]


def test_each_recipient_has_its_block():
    of_message, ann, bob = parts(notice())[2].get_payload()  # type: ignore[misc]
    assert "dns; f.example" == of_message["Reporting-MTA"]
    assert "QQ+314159" == of_message["Original-Envelope-Id"]
    assert ["rfc822; ann@home.example", "failed", "5.0.0", None] == [
        ann[n] for n in ("Final-Recipient", "Action", "Status", "Original-Recipient")
    ]
    assert ["rfc822; bob@home.example", "failed", "5.1.1", "rfc822;Bob+X@home.example"] == [
        bob[n] for n in ("Final-Recipient", "Action", "Status", "Original-Recipient")
    ]
    assert f"smtp; {REFUSED}" == re.sub(r"\s+", " ", bob["Diagnostic-Code"])


def test_it_says_in_words_who_did_not_get_the_message():
    text = str(parts(notice())[1].get_payload())
    assert "bob@home.example" in text
    assert "550 5.1.1 from MTA(" in text


def test_the_header_of_the_message_comes_back_and_never_its_body():
    """A notification must not carry what a filter would stop."""
    assert HEADER.decode().replace("\r\n", "\n") == str(parts(notice())[3].get_payload()).replace(
        "\r\n", "\n"
    )


def test_a_header_beyond_ascii_is_declared():
    outgoing = notice(header="Subject: żółw\r\n\r\n".encode())
    header = parts(outgoing)[3]
    assert ("8BITMIME", "8bit") == (outgoing.body, header["Content-Transfer-Encoding"])


def test_an_address_beyond_ascii_needs_what_the_message_needed():
    envelope = Envelope("żółw@out.example", (Recipient("bób@home.example"),), smtputf8=True)
    outgoing = dsn.failure(
        envelope, HEADER, [Answer("bób@home.example", REFUSED)], mail_id="x", site=Site("f.example"), at=0.0
    )
    assert (True, "8BITMIME") == (outgoing.smtputf8, outgoing.body)


def test_a_huge_header_is_clipped_at_a_line():
    returned = str(parts(notice(header=b"X-Long: yes\r\n" * 100_000 + b"\r\n"))[3].get_payload())
    assert len(returned) <= 65_536 + 2
    assert returned.rstrip("\r\n").endswith("X-Long: yes")


def test_hostile_addresses_open_no_field():
    evil = "bob\r\nBcc: all@home.example\r\n@home.example"
    envelope = Envelope(
        "a\r\nBcc: all@home.example", (Recipient(evil, orcpt="rfc822;x+0D+0ABcc:y"),), envid="+0Ax"
    )
    octets = dsn.failure(
        envelope, HEADER, [Answer(evil, REFUSED)], mail_id="x", site=Site("f.example"), at=0.0
    ).octets
    whole, _, status, _ = parts(Outgoing("", (), octets))
    assert whole["Bcc"] is None
    assert all(block["Bcc"] is None for block in status.get_payload())  # type: ignore[union-attr]


def test_who_wants_to_be_told():
    assert dsn.wanted(Recipient("a@b"), "sender@x")
    assert dsn.wanted(Recipient("a@b", notify="FAILURE,DELAY"), "sender@x")
    assert not dsn.wanted(Recipient("a@b"), "")
    assert not dsn.wanted(Recipient("a@b", notify="never"), "sender@x")


def test_notify_that_names_no_failure_wants_none():
    """RFC 3461, section 4.1: NOTIFY=SUCCESS asks for no word of a failure."""
    assert not dsn.wanted(Recipient("a@b", notify="SUCCESS"), "sender@x")
    assert not dsn.wanted(Recipient("a@b", notify="DELAY,SUCCESS"), "sender@x")
