"""The first part of plain text."""

import time
from collections.abc import Callable

import pytest

Call = Callable[..., float | str]

SIGNED = b"Subject: s\n\n" + b"x" * 99 + b"\n-- \nAnn, Example Ltd"


def test_text_and_signature_are_measured(call: Call) -> None:
    assert call(SIGNED, "plaintext_body_length", "100", "100")
    assert call(SIGNED, "plaintext_sig_length", "17", "18")
    assert not call(SIGNED, "plaintext_sig_length", "19")
    assert call(SIGNED, "plaintext_body_sig_ratio", "5", "6")
    assert not call(SIGNED, "plaintext_body_sig_ratio", "6")


def test_without_a_signature_everything_is_text(call: Call) -> None:
    raw = b"Subject: s\n\n" + b"x" * 99 + b"\n-- \nA\n"
    assert call(raw, "plaintext_sig_length", "0", "0")
    assert call(raw, "plaintext_body_sig_ratio", "1000000")
    assert not call(b"Content-Type: text/html\n\nx\n", "plaintext_body_length", "0")


@pytest.mark.parametrize(("expected", "least"), [(True, "0"), (True, "2"), (False, "3")])
def test_talk_of_shares_is_counted_once_for_each_kind(call: Call, expected: bool, least: str) -> None:
    text = b"Company Name: Example\nTicker: EXMP\nTicker: X\nPrice : 1\nhello: you\n"
    assert expected == bool(call(b"Subject: s\n\n" + text, "check_stock_info", least))


def test_the_worst_case_is_read_in_a_second(call: Call) -> None:
    for text in (b"\n" * 500_000, b"-- \n" * 200_000, b"abc\n" + b" " * 500_000, b"abc   " * 80_000):
        started = time.process_time()
        call(b"Subject: s\n\n" + text + b"x", "check_stock_info", "1")
        call(b"Subject: s\n\n" + text + b"x", "plaintext_sig_length", "1")
        assert time.process_time() - started < 1.0
