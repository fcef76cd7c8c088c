"""The self test: three exit statuses as monitoring knows them, and no traces."""

import pytest
from tests.support.installation import Installation, hop_beside

TABLES = ("msgs", "msgrcpt", "quarantine", "lz_msgs", "lz_msgrcpt", "lz_hits", "lz_words")


def rows(lazaret):
    """How many rows each table has."""
    return {table: lazaret.query(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}  # noqa: S608


def test_both_fates_are_seen_and_no_trace_is_left(house):
    before = rows(house.lazaret)
    lines = house.lazaret.output("selftest").splitlines()

    assert ["OK: the spam was stopped", "OK: the clean message was delivered"] == [
        line.partition(" (")[0].partition(": 250")[0] for line in lines
    ]
    assert before == rows(house.lazaret)
    assert b"This message tests the way." in house.hop.received[-1].octets


def test_a_next_hop_that_takes_no_mail_is_a_warning(house):
    house.hop.rcpt["selftest@lazaret.invalid"] = "550 5.1.2 no such domain"
    try:
        done = house.lazaret.run("selftest")
    finally:
        house.hop.rcpt.clear()

    assert 1 == done.returncode
    assert b"WARNING: the filter let the clean message pass, but the next hop did not: 550" in done.stdout


def test_a_filter_that_does_not_answer_is_critical(bare):
    bare.output("db", "init")
    done = bare.run("selftest", "--set", "listen.smtp=127.0.0.1:2")

    assert 2 == done.returncode
    assert done.stdout.startswith(b"CRITICAL: the filter does not answer: ")
    assert b"" == done.stderr


def test_a_database_that_is_not_there_is_critical(bare):
    done = bare.run("selftest")

    assert 2 == done.returncode
    assert done.stdout.startswith(b"CRITICAL: there is no database ")


def test_spam_that_is_let_through_is_critical(house):
    recipient = "postmaster@home.example"  # in policy.always_deliver
    done = house.lazaret.run("selftest", "--rcpt", recipient)

    assert 2 == done.returncode
    assert b"CRITICAL: the spam was not stopped: mark" in done.stdout


@pytest.fixture
def observing(tmp_path, free_port):
    """A service in the mode that changes nothing, on a Unix socket."""
    with hop_beside() as hop:
        lazaret = Installation(tmp_path, next_hop=hop.at.endpoint.port, smtp=free_port())
        text = lazaret.file.read_text().replace(f"127.0.0.1:{lazaret.smtp}", "unix:filter.sock")
        lazaret.file.write_text('mode = "observe"\n' + text)
        with lazaret.service():
            yield lazaret


def test_in_mode_observe_spam_is_to_be_recognised_only(observing):
    lines = observing.output("selftest").splitlines()

    assert lines[0].startswith('OK: the spam was recognised, and let go because mode is "observe": 250')
    assert lines[1].startswith("OK: the clean message was delivered: 250")
