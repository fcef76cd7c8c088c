"""Every fault during a release, a purge, a reload and a snapshot: each waits at a point while it begins."""

import os
import subprocess
import time
from collections.abc import Callable

import pytest
from tests.support.service import until
from tests.support.small_disk import small_disk

from . import faults
from .conftest import Hurt, thorough
from .desk import learned, make_old, released, stored, write_lessons
from .faults import Fault
from .test_points import OF_SERVERS
from .traffic import Traffic, check

LASTS_S = 1.0
UNCERTAIN = 75
"""Exit status of a release that may have been sent, or was deferred."""
OF_THE_NEXT_HOP: dict[str, Fault] = {
    "gone": faults.next_hop_is_gone,
    "4xx": faults.next_hop_defers,
    "4xx to the message": faults.next_hop_defers_the_message,
    "5xx": faults.next_hop_refuses,
    "hangs": faults.next_hop_hangs,
    "closes in mid-DATA": faults.next_hop_closes_in_data,
    "closes after the final dot": faults.next_hop_closes_after_the_dot,
}
OF_THE_DATABASE: dict[str, Fault] = {"locked": faults.database_is_locked, "away": faults.database_is_away}
POINTS_OF_A_RELEASE = ("before-claim", "after-claim", "before-settling", "after-settling")
POINTS_OF_A_PURGE = ("before-purging", "after-purging")


def into(hurt: Hurt, traffic: Traffic, fault: Fault, point: str, *command: str) -> "subprocess.Popen[bytes]":
    """A command that waits at the point while the fault begins, goes on into it, and has ended."""
    hurt.hold(point)
    process = hurt.begin(*command)
    until(lambda: hurt.held(point) or process.poll() is not None, 60)
    assert hurt.held(point), (hurt.folder / "commands").read_text()
    with fault(hurt, traffic):
        hurt.let_go(point)
        time.sleep(LASTS_S)
    process.wait(60)
    return process


def releases(hurt: Hurt, name: str, fault: Fault) -> None:
    """At each point another message: what the command says is so, and a person gets the copy in the end."""
    traffic = Traffic(hurt.port, 12)
    traffic.start()
    traffic.finish()
    waiting = sorted(stored(hurt).items())
    assert len(POINTS_OF_A_RELEASE) <= len(waiting)
    for point, (number, mail_id) in zip(POINTS_OF_A_RELEASE, waiting, strict=False):
        status = into(hurt, traffic, fault, point, "release", mail_id).returncode
        copies = [released(hurt)[number]]
        if status == 0:
            assert 1 == copies[0], f"{name} {point}: it says that it was sent"
        else:
            again = hurt.run("release", mail_id)
            copies.append(released(hurt)[number])
            if again == UNCERTAIN:
                assert copies[0] == copies[1], f"{name} {point}: sent again without being asked"
                assert 0 == hurt.run("release", mail_id, "--again")
                copies.append(released(hurt)[number])
            else:
                assert 0 == again, f"{name} {point}"
        print(f"\nrelease, {name}, {point}: exit {status}, copies {copies}")
        assert 1 <= copies[-1] <= 2, f"{name} {point}"
    assert 0 == hurt.run("db", "check")


def purges(hurt: Hurt, name: str, fault: Fault) -> None:
    """Nothing goes but what is old, and that goes in the end."""

    def purge(hurt: Hurt, traffic: Traffic) -> None:
        for point in POINTS_OF_A_PURGE:
            until(lambda: len(stored(hurt)) >= 6, 60)
            make_old(hurt, traffic, 5)
            status = into(hurt, traffic, fault, point, "db", "purge").returncode
            print(f"\npurge, {name}, {point}: exit {status}")
            until(lambda: 0 == hurt.run("db", "purge"), 60)

    account = hurt.through(purge, pause_s=0.05)
    check(account, what=f"{name}, in a purge", duplicates=2 * 8)
    assert 5 * len(POINTS_OF_A_PURGE) == account.purged
    assert 0 == hurt.run("db", "check")


def reloads(hurt: Hurt, name: str, fault: Fault) -> None:
    """The new workers start into the fault; afterwards the service is as one that had none."""

    def reload(hurt: Hurt, traffic: Traffic) -> None:
        with fault(hurt, traffic):
            hurt.service.reload()
            time.sleep(LASTS_S)
        hurt.service.reload()

    check(hurt.through(reload, pause_s=0.05), what=f"{name}, in a reload", duplicates=2 * 8)
    assert len(hurt.workers()) >= 2


def snapshots(hurt: Hurt, name: str, fault: Fault) -> None:
    """The model knows every lesson once."""
    write_lessons(hurt, 12)
    points = ("before-file-is-whole", "before-file-takes-its-place")

    def teach(hurt: Hurt, traffic: Traffic) -> None:
        for number, (point, kind) in enumerate(zip(points, ("spam", "ham"), strict=True), 1):
            hurt.hold(point)
            # The command makes the snapshot itself where a fault has sent the learner away, and is held then.
            command = hurt.begin("learn", kind, str(hurt.folder / "lessons" / kind))
            until(lambda point=point: hurt.held(point), 60)
            with fault(hurt, traffic):
                hurt.let_go(point)
                time.sleep(LASTS_S)
            assert command.wait(120) in (0, os.EX_TEMPFAIL)
            until(lambda known=12 * number: sum(learned(hurt)) == known, 60)

    check(hurt.through(teach, pause_s=0.05), what=f"{name}, over a snapshot", duplicates=2 * 8)
    until(lambda: learned(hurt) == (12, 12), 60)


WORKS = {"release": releases, "purge": purges, "reload": reloads, "snapshot": snapshots}


@thorough
@pytest.mark.parametrize("name", OF_THE_NEXT_HOP)
def test_the_next_hop_fails_during_a_release(hurt: Hurt, name: str):
    releases(hurt, f"next hop {name}", OF_THE_NEXT_HOP[name])


@thorough
@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize("name", OF_THE_DATABASE)
def test_the_database_fails_meanwhile(hurt: Hurt, work: str, name: str):
    WORKS[work](hurt, f"database {name}", OF_THE_DATABASE[name])


@thorough
@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.parametrize("name", OF_SERVERS)
def test_the_server_of_the_database_fails_meanwhile(
    hurt_on: Callable[..., Hurt], kind: str, work: str, name: str
):
    WORKS[work](hurt_on(kind), f"{name} ({kind})", OF_SERVERS[name])


@thorough
@pytest.mark.parametrize("work", ["reload", "snapshot"])
def test_the_supervisor_dies_meanwhile(hurt: Hurt, work: str):
    WORKS[work](hurt, "supervisor dies", faults.supervisor_dies)


@thorough
@pytest.mark.parametrize("work", WORKS)
def test_the_disk_is_full_meanwhile(hurt: Hurt, work: str):
    hurt.stop()
    with small_disk(hurt.folder / "small", "120m") as hurt.disk:
        (hurt.folder / "data").rename(hurt.folder / "before")
        (hurt.folder / "data").symlink_to(hurt.disk)
        hurt.start()
        try:
            WORKS[work](hurt, "disk full", faults.disk_is_full)
        finally:
            hurt.stop()
