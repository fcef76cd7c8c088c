"""Header fields that are too many, missing, shouted or illegal."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]


def test_different_values_of_a_field_are_counted(call: Call) -> None:
    raw = b"Subject: a\nSubject: a\nSubject: b\n\n\n"
    assert call(raw, "check_header_count_range", "Subject", "2", "999")
    assert not call(raw, "check_header_count_range", "Subject", "3", "999")
    assert call(raw, "check_header_count_range", "To", "0", "0")


@pytest.mark.parametrize(
    ("expected", "subject"),
    [
        (True, b"BUY THIS NOW!!"),
        (False, b"BUY this now!!"),
        (False, b"BUYBUYBUYBUY"),
        (False, b"BUY IT"),
        (False, b"12345 67890 123"),
        (True, b"Re: BUY THIS NOW!!"),
        (False, b"=?koi8-r?B?8PLl5Az=?= BUY THIS NOW"),
    ],
)
def test_a_shouted_subject_is_seen(call: Call, expected: bool, subject: bytes) -> None:
    assert expected == bool(call(b"Subject: " + subject + b"\n\n\n", "subject_is_all_caps"))


def test_octets_that_should_be_encoded_are_counted(call: Call) -> None:
    raw = b"Subject: caf\xe9 cr\xe8me\nFrom: a@b.com\n\n\n"
    assert call(raw, "check_illegal_chars", "Subject", "0.00", "2")
    assert not call(raw, "check_illegal_chars", "Subject", "0.50", "2")
    assert not call(raw, "check_illegal_chars", "From", "0.00", "1")
    assert not call(b"Subject: 5\xa3\n\n\n", "check_illegal_chars", "Subject", "0.00", "1")


def test_a_missing_to_is_seen(call: Call) -> None:
    assert call(b"Subject: s\n\n\n", "check_for_missing_to_header")
    assert not call(b"To: a@b.com\n\n\n", "check_for_missing_to_header")


def test_recipients_in_order_or_alike_are_seen(call: Call) -> None:
    names = [f"{letter}nn{n}@host.com" for n, letter in enumerate("abcdefgh")]
    raw = b"To: " + ", ".join(names).encode() + b"\n\n\n"
    assert call(raw, "sorted_recipients")
    assert not call(raw, "similar_recipients", "0.5", "undef")
    alike = b"To: " + b", ".join(b"ann%d@host.com" % n for n in range(6)) + b"\n\n\n"
    assert call(alike, "similar_recipients", "0.9", "undef")


def test_valid_utf8_needs_no_encoding(call: Call) -> None:
    assert not call("Subject: café crème\n\n\n".encode(), "check_illegal_chars", "Subject", "0.00", "1")
    assert call("Subject: café\x01 crème\n\n\n".encode(), "check_illegal_chars", "Subject", "0.00", "1")
