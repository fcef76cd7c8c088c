"""Hurt is what is done beside the road of mail: releases, purges, reloads, lessons; and the clock."""

import re
import time
from contextlib import closing

import pytest
from tests.support.service import until

from .conftest import Hurt, thorough
from .desk import DAY_S, learned, make_old, nothing, released, stored, write_lessons
from .faults import clock_of_its_own
from .traffic import Traffic, check


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
        make_old(hurt, traffic, 5)
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
    write_lessons(hurt, 12)

    def teach(hurt: Hurt, traffic: Traffic) -> None:
        hurt.arm(point)
        for kind in ("spam", "ham"):
            assert 0 == hurt.run("learn", kind, str(hurt.folder / "lessons" / kind))
            until(lambda: not hurt.armed(point), 30)

    account = hurt.through(teach, pause_s=0.05)
    check(account, what=f"learner dies {point}")
    until(lambda: learned(hurt) == (12, 12), 60)
    assert re.search(r"learner \d+ ended by signal 9; another one starts", hurt.service.log())


@thorough
def test_the_clock_jumps(hurt: Hurt):
    """Two days ahead, and three back, while mail comes: none is lost, and no process is taken for stuck."""
    clock_of_its_own(hurt)

    def jumps(hurt: Hurt, traffic: Traffic) -> None:
        for days in (2, -1, 0):
            (hurt.folder / "offset").write_text(str(days * DAY_S))
            enough = len(traffic.taken) + 12
            until(lambda enough=enough: len(traffic.taken) >= enough or not traffic.running, 60)

    check(hurt.through(jumps, pause_s=0.1), what="the clock jumps")
    assert "gave no sign of life" not in hurt.service.log()
    with closing(hurt.open()) as connection:
        days = {int(at) // DAY_S for (at,) in connection.execute("SELECT time_num FROM msgs").fetchall()}
    assert len(days) >= 3
