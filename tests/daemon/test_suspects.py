"""Which messages were under way in a worker that died."""

import os
import time

from lazaret.daemon.suspects import MARK, PLACES, Suspects, fingerprint

MESSAGE = b"From: a@out.example\r\nSubject: news\r\n\r\nhello\r\n"


def test_a_message_is_known_again_below_the_trace_that_its_mta_puts_on_top():
    first = b"Return-Path: <a@b>\r\nReceived: from x\r\n\tby mx id 1;\r\n\tMon\r\n" + MESSAGE
    again = b"Received: from x\r\n\tby mx id 2;\r\n\tTue\r\nReceived: from y\r\n" + MESSAGE

    assert fingerprint(first) == fingerprint(again) == fingerprint(MESSAGE)
    assert fingerprint(MESSAGE) != fingerprint(MESSAGE + b"\r\n")
    assert MARK == len(fingerprint(b""))


def test_a_fingerprint_costs_linear_time():
    began = time.process_time()
    for hostile in (b"Received:" * 3_000_000, b"Received: a\r\n" * 2_000_000, b"Received: a\n " * 2_000_000):
        fingerprint(hostile)

    assert time.process_time() - began < 3


def test_what_was_under_way_at_a_death_is_suspect_and_nothing_else_is():
    suspects = Suspects()
    suspects.begin(3)
    one, two, done = (fingerprint(b"%d" % n) for n in range(3))
    with suspects.under_way(done):
        pass
    with suspects.under_way(one), suspects.under_way(two):
        assert one not in suspects
        assert 2 == suspects.accuse(3)

    assert [True, True, False] == [one in suspects, two in suspects, done in suspects]
    assert 0 == suspects.accuse(3)


def test_a_message_of_trace_fields_alone_is_suspect_too():
    suspects = Suspects()
    suspects.begin(0)
    for octets in (b"", b"Received: from x\r\n"):
        with suspects.under_way(fingerprint(octets)):
            assert 1 == suspects.accuse(0)
        assert fingerprint(octets) in suspects


def test_another_process_of_ours_knows_the_same_fingerprint():
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(writer, fingerprint(MESSAGE))
        os._exit(0)
    os.waitpid(pid, 0)

    assert fingerprint(MESSAGE) == os.read(reader, 100)


def test_another_worker_is_not_accused():
    suspects = Suspects()
    suspects.begin(3)
    with suspects.under_way(fingerprint(MESSAGE)):
        assert 0 == suspects.accuse(4)

    assert fingerprint(MESSAGE) not in suspects


def test_whoever_is_acquitted_is_no_suspect_until_the_next_death():
    suspects = Suspects()
    suspects.begin(0)
    mark = fingerprint(MESSAGE)
    for _ in range(2):
        with suspects.under_way(mark):
            suspects.accuse(0)
        assert mark in suspects
        suspects.acquit(mark)
        assert mark not in suspects


def test_of_too_many_suspects_the_oldest_are_forgotten():
    suspects = Suspects()
    suspects.begin(0)
    marks = [fingerprint(b"%d" % n) for n in range(PLACES + 5)]
    for mark in marks:
        with suspects.under_way(mark):
            suspects.accuse(0)

    assert [False] * 5 == [mark in suspects for mark in marks[:5]]
    assert all(mark in suspects for mark in marks[5:])
