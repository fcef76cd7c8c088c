"""Senders that pretend to be somebody else."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]

FROM = b"From: %s\nTo: Ann <ann.smith@home.com>\nSubject: s\n\n\n"


@pytest.mark.parametrize(
    ("expected", "sender"),
    [
        (True, b'"pay@bank.com" <x@evil.org>'),
        (False, b'"pay@mail.bank.com" <x@bank.com>'),
        (False, b"pay@bank.com"),
        (False, b'"pay at bank" <x@evil.org>'),
    ],
)
def test_a_name_with_a_foreign_address_is_seen(call: Call, expected: bool, sender: bytes) -> None:
    assert expected == bool(call(FROM % sender, "lz_name_address"))


@pytest.mark.parametrize(
    ("expected", "sender"),
    [
        (True, b'"Bank.com Service" <x@evil.org>'),
        (False, b'"Bank.com Service" <x@news.bank.com>'),
        (False, b'"x@bank.com" <x@evil.org>'),
        (False, b'"J.R. Hartley" <x@evil.org>'),
    ],
)
def test_a_name_with_a_foreign_host_is_seen(call: Call, expected: bool, sender: bytes) -> None:
    assert expected == bool(call(FROM % sender, "lz_name_domain"))


def test_a_letter_from_its_recipient_is_seen(call: Call) -> None:
    assert call(FROM % b"ANN.smith@home.com", "lz_from_is_to")
    assert not call(FROM % b"bob@home.com", "lz_from_is_to")
    assert not call(FROM % b"ann.smith@home.com, bob@home.com", "lz_from_is_to")


def test_answers_elsewhere_are_seen(call: Call) -> None:
    raw = b"From: a@mail.shop.com\nReply-To: %s\n\n\n"
    assert "b@box.org" == call(raw % b"b@box.org", "lz_replyto_differs")
    assert not call(raw % b"b@shop.com", "lz_replyto_differs")
    assert not call(b"From: a@shop.com\n\n\n", "lz_replyto_differs")


def test_two_fields_may_share_a_domain(call: Call) -> None:
    raw = b"From: a@mail.shop.co.uk\nMessage-Id: <1@%s>\n\n\n"
    assert call(raw % b"srv.shop.co.uk", "lz_same_domain", "MESSAGEID", "From:addr")
    assert not call(raw % b"other.co.uk", "lz_same_domain", "MESSAGEID", "From:addr")
    assert not call(b"Subject: s\n\n\n", "lz_same_domain", "MESSAGEID", "From:addr")


def test_a_signature_may_be_aligned(call: Call) -> None:
    raw = b"DKIM-Signature: v=1; bh=x; d=%s; s=k\nFrom: a@mail.shop.com\n\n\n"
    assert call(raw % b"shop.com", "lz_dkim_aligned")
    assert not call(raw % b"bulk.com", "lz_dkim_aligned")


@pytest.mark.parametrize(
    ("expected", "part", "subject"),
    [
        ("ann.smith@home.com", "addr", b"Re: ANN.SMITH@home.com, urgent"),
        ("", "addr", b"Re: joann.smith@home.com"),
        ("ann.smith", "local", b"Dear ann.smith!"),
        ("", "local", b"Dear Ann"),
        ("home.com", "domain", b"home.com mailbox full"),
        ("", "domain", b"welcome to myhome.com"),
    ],
)
def test_recipients_are_found_as_words(call: Call, expected: str, part: str, subject: bytes) -> None:
    raw = b"From: x@evil.org\nTo: ann.smith@home.com\nSubject: " + subject + b"\n\n\n"
    assert expected == call(raw, "lz_recipient_in", "Subject", part)


def test_the_own_domain_is_no_guess(call: Call) -> None:
    raw = b"From: x@home.com\nTo: ann@home.com\nSubject: home.com\n\n\n"
    assert "" == call(raw, "lz_recipient_in", "Subject", "domain")


def test_recipients_are_found_in_the_text(call: Call) -> None:
    raw = b"From: x@evil.org\nSubject: ann@home.com\n\nHello Ann@Home.com, hello\n"
    assert "ann@home.com" == call(raw, "lz_recipient_in_body", "addr", recipients=("ann@home.com",))
    assert "" == call(raw, "lz_recipient_in_body", "addr")
