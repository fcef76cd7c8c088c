"""Hurt is what is done beside the road of mail: releases, purges, reloads, lessons; and the clock."""

import os
import re
import time
from collections import Counter
from contextlib import closing

import pytest
from tests.support.service import until

from lazaret.learn.model_file import Reader, read_secret

from .conftest import Hurt, thorough
from .traffic import Traffic, check, message, number_of

CLOCK = """
import time
real = time.time

def jumping():
    with open({offset!r}) as file:
        return real() + float(file.read() or 0)

time.time = jumping
"""
"""Is imported before all else: a clock that is as far off as a file says."""
DAY_S = 86_400


def stored(hurt: Hurt) -> dict[int, str]:
    """Number -> id of what lies in the quarantine."""
    with closing(hurt.open()) as connection:
        rows = connection.execute("SELECT mail_id, mail_text FROM quarantine WHERE chunk_ind = 1").fetchall()
    return {number_of(bytes(text)): mail_id for mail_id, text in rows}


def nothing(hurt: Hurt, traffic: Traffic) -> None:
    pass


def released(hurt: Hurt) -> Counter[int]:
    """Number -> how many copies of it the next hop got by a release, each with its own octets."""
    found = Counter(
        number_of(got.octets) for got in hurt.hop.hop.received if b"\r\nResent-Message-ID: " in got.octets
    )
    whole = [got.octets.endswith(message(number_of(got.octets))) for got in hurt.hop.hop.received]
    assert all(whole)
    return found


@thorough
@pytest.mark.parametrize(
    ("point", "again", "copies"),
    [
        ("before-claim", False, 1),
        ("after-claim", True, 1),
        ("before-settling", True, 2),
        ("after-settling", False, 1),
    ],
)
def test_a_release_dies_and_is_done_again(hurt: Hurt, point: str, again: bool, copies: int):
    """It may have been sent: then somebody has to say `--again`, and a second copy is his."""
    account = hurt.through(nothing, count=6)
    check(account, what=f"release dies {point}")
    number, mail_id = min(stored(hurt).items())
    hurt.arm(point)
    assert -9 == hurt.run("release", mail_id)
    assert (75 if again else 0) == hurt.run("release", mail_id)
    before = released(hurt)[number]
    if again:
        assert 0 == hurt.run("release", mail_id, "--again")

    assert copies == released(hurt)[number]
    assert before == (copies - 1 if again else copies)


@thorough
@pytest.mark.parametrize("point", ["before-purging", "after-purging"])
def test_a_purge_dies_and_takes_nothing_but_what_is_old(hurt: Hurt, point: str):
    def purge(hurt: Hurt, traffic: Traffic) -> None:
        until(lambda: len(stored(hurt)) >= 6, 60)
        old = dict(sorted(stored(hurt).items())[:5])
        traffic.aged |= set(old)
        with closing(hurt.open()) as connection:
            for mail_id in old.values():
                values = {"age": 400 * DAY_S, "id": mail_id}
                connection.execute("UPDATE msgs SET time_num = time_num - :age WHERE mail_id = :id", values)
        hurt.arm(point)
        assert -9 == hurt.run("db", "purge")
        assert 0 == hurt.run("db", "purge")

    account = hurt.through(purge, pause_s=0.05)
    check(account, what=f"purge dies {point}")
    assert 5 == account.purged
    assert 0 == hurt.run("db", "check")


@thorough
def test_processes_die_in_the_midst_of_a_reload(hurt: Hurt):
    def dies(hurt: Hurt, traffic: Traffic) -> None:
        for _ in range(3):
            before = set(hurt.service.children())
            hurt.service.reload()
            until(lambda before=before: set(hurt.service.children()) - before, 30)
            for pid in set(hurt.service.children()) - before:
                hurt.signal(pid)
        hurt.service.reload()
        time.sleep(0.1)
        hurt.restart()

    check(hurt.through(dies, pause_s=0.05), what="processes die in a reload", duplicates=4 * 8)


@thorough
@pytest.mark.parametrize("point", ["before-file-is-whole", "before-file-takes-its-place"])
def test_the_learner_dies_over_its_snapshot(hurt: Hurt, point: str):
    """Its model is whole afterwards, and knows every lesson of the journal once."""
    lessons = hurt.folder / "lessons"
    for kind in ("spam", "ham"):
        (lessons / kind).mkdir(parents=True)
        for number in range(12):
            (lessons / kind / f"{number}").write_bytes(f"Subject: {kind} {number}\n\nword{number}\n".encode())

    def teach(hurt: Hurt, traffic: Traffic) -> None:
        hurt.arm(point)
        for kind in ("spam", "ham"):
            assert 0 == hurt.run("learn", kind, str(lessons / kind))
            until(lambda: not hurt.armed(point), 30)

    account = hurt.through(teach, pause_s=0.05)
    check(account, what=f"learner dies {point}")
    data = hurt.folder / "data"

    def learned() -> tuple[int, int]:
        model = Reader(data, read_secret(data))
        return (model.spam, model.ham) if model.known else (0, 0)

    until(lambda: learned() == (12, 12), 60)
    assert re.search(r"learner \d+ ended by signal 9; another one starts", hurt.service.log())


@thorough
def test_the_clock_jumps(hurt: Hurt):
    """Two days ahead, and three back, while mail comes: none is lost, and no process is taken for stuck."""
    offset, before = hurt.folder / "offset", os.environ.get("PYTHONPATH", "")
    offset.write_text("0")
    (hurt.folder / "clock").mkdir()
    (hurt.folder / "clock" / "sitecustomize.py").write_text(CLOCK.format(offset=str(offset)))
    hurt.stop()
    hurt.wrap = ("env", f"PYTHONPATH={hurt.folder / 'clock'}:{before}")
    hurt.start()

    def jumps(hurt: Hurt, traffic: Traffic) -> None:
        for days in (2, -1, 0):
            offset.write_text(str(days * DAY_S))
            enough = len(traffic.taken) + 12
            until(lambda enough=enough: len(traffic.taken) >= enough or not traffic.running, 60)

    check(hurt.through(jumps, pause_s=0.1), what="the clock jumps")
    assert "gave no sign of life" not in hurt.service.log()
    with closing(hurt.open()) as connection:
        days = {int(at) // DAY_S for (at,) in connection.execute("SELECT time_num FROM msgs").fetchall()}
    assert len(days) >= 3
