"""Many messages are read by several processes, and nobody can tell but by the clock."""

import os
import signal

import pytest
from tests.learn.mail import mail

from lazaret.learn import bulk
from lazaret.learn.features import Hasher
from lazaret.learn.lesson import Delivered, Reading
from lazaret.mime.trust import Networks

READING, HERE = Reading(Hasher(b"secret"), Networks(), None), Delivered("filter.example")
MAILS = [mail("spam", seed) for seed in range(90)]


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "FEW", 3)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


def test_what_others_read_comes_in_order():
    assert [bulk.read(one, READING, HERE) for one in MAILS] == list(bulk.read_all(MAILS, READING, HERE))


def test_not_more_is_taken_than_can_be_read_soon():
    taken = 0

    def mails():
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield mail("spam", 1) + b"x" * bulk.PIECE_OCTETS

    reading = bulk.read_all(mails(), READING, HERE)
    for _ in range(4):
        next(reading)
    reading.close()

    assert 3 + 2 + 2 >= taken


def test_a_reader_that_is_killed_is_said(monkeypatch):
    reading = bulk.read_all(MAILS * 20, READING, HERE)
    for _ in range(4):
        next(reading)
    for one in children():
        os.kill(one, signal.SIGKILL)

    with pytest.raises(bulk.ReaderDied, match="teach them again"):
        list(reading)


@pytest.mark.parametrize("number", [0, 1, 3, 4])
def test_as_many_as_there_are(number):
    assert number == len(list(bulk.read_all(MAILS[:number], READING, HERE)))


def children() -> list[int]:
    from multiprocessing import active_children

    return [child.pid for child in active_children() if child.pid]
