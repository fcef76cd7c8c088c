"""Marks that programs for bulk mail leave in header fields."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazaret.rules.evals import ratware

Call = Callable[..., float | str]


def test_the_time_in_an_outlook_id_is_that_of_the_message(call: Call) -> None:
    def odd(token: int, date: bytes = b"Mon, 1 Jul 2024 12:00:00 +0000") -> bool:
        raw = b"Message-ID: <0000%08x$00000000$00000000@b.org>\nDate: %s\n\n\n" % (token, date)
        return bool(call(raw, "check_outlook_message_id"))

    right = int(1719835200 * 0.0023283064365387 + 27111902.8329849)
    assert not odd(right)
    assert not odd(right + 249)
    assert odd(right + 250)
    assert odd(right, b"nonsense")
    assert not call(b"Message-ID: <1@b.org>\n\n\n", "check_outlook_message_id")


def test_what_should_have_been_filled_in_is_seen(call: Call) -> None:
    assert "X-Note: %RND_TEXT" == call(b"X-Note: %RND_TEXT\n\n\n", "check_unresolved_template")
    assert "" == call(b"Subject: %RND_TEXT\nX-Note: 5%\n\n\n", "check_unresolved_template")


def test_an_id_with_the_senders_address_is_seen(call: Call) -> None:
    raw = b'Message-ID: <%s.a@b.org>\nFrom: "Ann" <%s>\n\n\n'
    assert call(raw % (b"A" * 28, b"a@b.org"), "check_ratware_name_id")
    assert not call(raw % (b"A" * 28, b"c@b.org"), "check_ratware_name_id")


def test_a_turned_recipient_as_envelope_sender_is_seen(call: Call) -> None:
    raw = b"X-Envelope-From: <x-our.org.ann@bulk.net>\nTo: %s\n\n\n"
    assert call(raw % b"ann@mail.our.org", "check_ratware_envelope_from")
    assert not call(raw % b"bob@our.org", "check_ratware_envelope_from")
    assert call((raw % b"Ann@OUR.org").replace(b".ann@", b".aNN@"), "check_ratware_envelope_from")
    assert not call((raw % b"ann@our.org").replace(b".ann@", b".anna@"), "check_ratware_envelope_from")
    assert not call(b"To: ann@our.org\n\n\n", "check_ratware_envelope_from")


@pytest.mark.parametrize(
    ("expected", "envelope"), [(False, b"x@mail.our.org"), (True, b"x@else.org"), (False, b"")]
)
def test_sender_domains_are_compared(call: Call, expected: bool, envelope: bytes) -> None:
    raw = b"X-Envelope-From: <%s>\nFrom: a@OUR.org\n\n\n" % envelope
    assert expected == bool(call(raw, "check_equal_from_domains"))


@pytest.mark.parametrize(
    ("expected", "what", "subject"),
    [
        (True, "user", b"ann, look"),
        (True, "user", b"Re: ann"),
        (False, "user", b"Ann, look"),
        (True, "user", b"Ann"),
        (False, "user", b"look at ann"),
        (True, "address", b"for Ann@our.org only"),
        (False, "address", b"for bann@our.org only"),
    ],
)
def test_a_recipient_in_the_subject_is_seen(call: Call, expected: bool, what: str, subject: bytes) -> None:
    raw = b"To: ann@our.org\nSubject: " + subject + b"\n\n\n"
    assert expected == bool(call(raw, "check_for_to_in_subject", what))


@given(st.lists(st.sampled_from(["ann", "ANN", "re:", "FW:", "w ", " ", ",", ":", "!", "\n", "\u017f"])))
def test_no_form_of_address_is_passed_over(pieces: list[str]) -> None:
    """What is looked at first lets through all that the expression takes."""
    subject = "".join(pieces)
    form = r"(?:re|fw):\s*(?:\w+\s+)?ann$|(?-i:ann)\s*[,:;!?-](?:$|\s)|ann$|,\s*ann[,:;!?-]$"
    if re.match(form, subject, re.IGNORECASE):
        assert ratware._may_be_addressed("ann", subject.lower())
