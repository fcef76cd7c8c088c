"""Dates that do not fit together."""

from collections.abc import Callable

import pytest

from lazaret.mime import message
from lazaret.rules import RuleSet
from lazaret.rules.evals.dates import parse_date

Call = Callable[..., float | str]
Rules = Callable[[str], RuleSet]

MAIL = b"Received: from a (a [192.0.2.1]) by b with SMTP; Mon, 1 Jul 2024 12:00:00 +0000\nDate: %s\n\n\n"


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (1719835200.0, "Mon, 1 Jul 2024 12:00:00 +0000"),
        (1719835200.0, "1 Jul 24 14:00 +0200 (CEST)"),
        (1719835200.0, "Mon, 01 Jul 2024 08:00:00 EDT"),
        (1719835200.0, "Mon Jul  1 12:00:00 2024"),
        (None, "Mon, 01 July 2024 08:00:00 EDT"),
        (None, "yesterday"),
        (1709294400.0, "31 Feb 2024 12:00:00 +0000"),
        (1719874800.0, "1 Jul 2024 99:00:00 +0000"),
        (None, "0 Jul 2024 12:00:00 +0000"),
        (None, ""),
    ],
)
def test_dates_are_read_leniently(expected: float | None, text: str) -> None:
    assert expected == parse_date(text)


@pytest.mark.parametrize(
    ("expected", "low", "high", "date"),
    [
        (True, "3", "6", b"Mon, 1 Jul 2024 16:00:00 +0000"),
        (False, "6", "12", b"Mon, 1 Jul 2024 16:00:00 +0000"),
        (True, "undef", "-96", b"Mon, 3 Jun 2024 16:00:00 +0000"),
        (False, "undef", "-96", b"nonsense"),
    ],
)
def test_a_shifted_date_is_measured_in_hours(
    call: Call, expected: bool, low: str, high: str, date: bytes
) -> None:
    assert expected == bool(call(MAIL % date, "check_for_shifted_date", low, high))


def test_a_hand_over_before_its_time_is_seen(call: Call) -> None:
    hop = b"Received: from a by b; Mon, 1 Jul 2024 %02d:00:00 +0000\n"
    assert "6 hours" == call(hop % 12 + hop % 18 + b"\n", "lz_received_backwards", "2")
    assert "" == call(hop % 12 + hop % 11 + b"\n", "lz_received_backwards", "2")


def test_no_offset_is_too_large() -> None:
    assert parse_date("1 Jul 2024 12:00:00 +9999") is not None


@pytest.mark.parametrize(
    ("expected", "arguments"), [(True, "'undef', '2'"), (True, "'1', '2'"), (False, "'2', 'undef'")]
)
def test_its_age_is_measured_in_months(rules: Rules, expected: bool, arguments: str) -> None:
    mail = message.parse(MAIL % b"Mon, 1 Jul 2024 12:00:00 +0000")
    now = 1719835200 + 45 * 86400
    ruleset = rules(f"header X eval:received_within_months({arguments})\n")
    assert expected == ("X" in ruleset.evaluate(mail, now).values)
