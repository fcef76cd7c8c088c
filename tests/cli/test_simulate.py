"""Trying other levels on the history."""

import pytest
from tests.support.installation import MARK, QUARANTINE

SIMON = "simon@home.example"
"""Nobody else writes to him."""


@pytest.fixture(scope="module")
def lazaret(house):
    house.lazaret.send_found(MARK, SIMON, subject="simulate mark")
    mail_id = house.lazaret.send_found(QUARANTINE, SIMON, subject="simulate quarantine")
    house.lazaret.output("release", mail_id)
    return house.lazaret


def test_other_levels_are_tried_and_nothing_is_changed(lazaret):
    (now,) = lazaret.rows("simulate", "--rcpt", SIMON, "--json")
    (mild,) = lazaret.rows("simulate", "--rcpt", SIMON, "--quarantine", "7", "--json")

    assert {"mark": 3.0, "quarantine": 5.0, "kill": 8.0} == now["levels"]
    assert (1, 1, 1) == tuple(now["fates"]["quarantined"][k] for k in ("was", "would_be", "said_ham"))
    assert (1, 0) == (now["false_positives"], mild["false_positives"])
    assert (1, 0) == tuple(mild["fates"]["quarantined"][k] for k in ("was", "would_be"))
    assert 1 == mild["changed"]


def test_the_border_names_the_messages(lazaret):
    text = lazaret.output("simulate", "--rcpt", SIMON)
    above, below = (
        next(n for n, line in enumerate(text.splitlines()) if word in line)
        for word in (
            "simulate quarantine",
            "simulate mark",
        )
    )
    assert above < below
    assert "False positives, at least: " in text


def test_levels_out_of_order_are_refused(lazaret):
    done = lazaret.run("simulate", "--quarantine", "9")
    assert 64 == done.returncode
    assert b"write levels with mark <= quarantine <= kill" in done.stderr


def test_without_history_it_says_so(bare):
    bare.output("db", "init")
    assert "mark 3, quarantine 5, kill 8: no message in this time\n" == bare.output("simulate")
