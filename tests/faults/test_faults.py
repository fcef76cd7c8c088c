"""Nothing is lost, altered or misled, whatever fails while mail goes through: one fault after the other.

Every message of every test must be delivered, quarantined, or still with its sender at the end. What is
printed (pytest -s) is the table of docs/reliability.md.
"""

import asyncio
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress

import pytest
from tests.support.service import until, write_config

from .conftest import Hurt, thorough
from .traffic import ANN, OUTSIDE, Traffic, check

PAUSE_S = 1.5
"""So long does a fault last that comes and goes."""


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("before-examination", marks=thorough),
        pytest.param("before-quarantine", marks=thorough),
        "after-quarantine",
        pytest.param("before-next-hop", marks=thorough),
        "after-next-hop",
        "between-groups",
        pytest.param("before-history", marks=thorough),
        pytest.param("before-reply", marks=thorough),
    ],
)
def test_a_worker_dies_at_a_point_of_the_road(hurt: Hurt, point: str):
    def dies(hurt: Hurt, traffic: Traffic) -> None:
        for _ in range(3):
            if traffic.running:
                hurt.arm(point)
                until(lambda: not hurt.armed(point) or not traffic.running, 60)

    # Whoever had the message, and was not told so, gets it again: promise 1 allows it.
    account = hurt.through(dies, pause_s=0.05, recipients=(ANN, OUTSIDE))
    check(account, what=f"worker dies {point}", duplicates=2 * 3 * 8)
    assert 1 <= hurt.service.log().count("ended by signal 9; another one starts")


def test_workers_die_at_any_moment(hurt: Hurt):
    def dies(hurt: Hurt, traffic: Traffic) -> None:
        for _ in range(4):
            for pid in hurt.workers()[:1]:
                hurt.signal(pid)

    check(hurt.through(dies, pause_s=0.05), what="kill -9 of processes", duplicates=4 * 8)
    assert 1 <= hurt.service.log().count("ended by signal 9; another one starts")


@thorough
def test_the_supervisor_dies_and_is_started_again(hurt: Hurt):
    check(
        hurt.through(lambda hurt, traffic: hurt.restart(), pause_s=0.05),
        what="kill -9 of the supervisor",
        duplicates=8,
    )


@thorough
def test_a_worker_stands_still(hurt: Hurt):
    def stands_still(hurt: Hurt, traffic: Traffic) -> None:
        for pid in hurt.workers():
            hurt.signal(pid, signal.SIGSTOP)
        until(lambda: "gave no sign of life" in hurt.service.log(), 20)
        for pid in hurt.service.children():
            hurt.signal(pid, signal.SIGCONT)

    check(hurt.through(stands_still, pause_s=0.05), what="processes stand still", duplicates=2 * 8)


@thorough
def test_the_service_is_reloaded_again_and_again(hurt: Hurt):
    def reload(hurt: Hurt, traffic: Traffic) -> None:
        for mark in ("3.1", "3.2", "3.3"):
            config = write_config(hurt.folder, smtp=hurt.port, hop=hurt.hop.port)
            config.write_text(config.read_text() + f"\n[levels]\nmark = {mark}\n")
            hurt.service.reload()
            time.sleep(0.5)

    check(hurt.through(reload, pause_s=0.05), what="reload")


@thorough
def test_old_mail_is_purged_meanwhile(hurt: Hurt):
    def purge(hurt: Hurt, traffic: Traffic) -> None:
        for _ in range(2):
            command = [
                sys.executable,
                "-m",
                "lazaret",
                "db",
                "purge",
                "--config",
                hurt.folder / "lazaret.toml",
            ]
            subprocess.run(command, check=True, capture_output=True)

    check(hurt.through(purge, pause_s=0.05), what="purge")


@thorough
def test_the_database_is_locked_for_a_while(hurt: Hurt):
    def lock(hurt: Hurt, traffic: Traffic) -> None:
        with closing(sqlite3.connect(hurt.database, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            time.sleep(PAUSE_S)
            connection.execute("ROLLBACK")

    check(hurt.through(lock, pause_s=0.05), what="database locked")


@thorough
def test_the_database_is_gone_and_back(hurt: Hurt):
    def take_away(hurt: Hurt, traffic: Traffic) -> None:
        away = hurt.folder / "away"
        away.mkdir()
        for file in hurt.database.parent.glob("lazaret.db*"):
            shutil.move(file, away / file.name)
        time.sleep(PAUSE_S)
        for file in away.iterdir():
            shutil.move(file, hurt.database.parent / file.name)

    check(hurt.through(take_away, pause_s=0.05), what="database gone and back", duplicates=8)


@thorough
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_the_disk_is_full_for_a_while(hurt: Hurt):
    hurt.stop()
    data = hurt.folder / "data"
    shutil.rmtree(data)
    data.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", data], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted: {mounted.stderr.decode().strip()}")
    try:
        hurt.start()

        def fill(hurt: Hurt, traffic: Traffic) -> None:
            ballast = data / "ballast"
            with suppress(OSError), ballast.open("wb") as file:
                while True:
                    file.write(b"\0" * 65_536)
                    file.flush()
            time.sleep(PAUSE_S)
            ballast.unlink()

        account = hurt.through(fill, pause_s=0.05)
        hurt.stop()
        check(account, what="disk full", duplicates=8)
    finally:
        subprocess.run(["umount", "-l", data], check=True)


def _limited(hurt: Hurt, what: int, value: int) -> None:
    """Takes a resource away from all workers for a while."""
    before = {}
    for pid in hurt.workers():
        with suppress(OSError):
            before[pid] = resource.prlimit(pid, what)
            resource.prlimit(pid, what, (value, before[pid][1]))
    time.sleep(PAUSE_S)
    for pid, limits in before.items():
        with suppress(OSError):
            resource.prlimit(pid, what, limits)


@thorough
def test_workers_run_out_of_file_descriptors(hurt: Hurt):
    check(
        hurt.through(lambda hurt, traffic: _limited(hurt, resource.RLIMIT_NOFILE, 12), pause_s=0.05),
        what="no file descriptors left",
        duplicates=8,
    )


@thorough
def test_workers_run_out_of_memory(hurt: Hurt):
    check(
        hurt.through(
            lambda hurt, traffic: _limited(hurt, resource.RLIMIT_AS, 1 << 20), pause_s=0.05, padding=300_000
        ),
        what="no memory left",
        duplicates=8,
    )


def _misbehaves(hurt: Hurt, begin: Callable[[], object], end: Callable[[], object]) -> None:
    hurt.hop.loop.call_soon_threadsafe(begin)
    time.sleep(PAUSE_S)
    hurt.hop.loop.call_soon_threadsafe(end)


@thorough
def test_the_next_hop_defers_every_recipient(hurt: Hurt):
    rcpt = hurt.hop.hop.rcpt

    def defers(hurt: Hurt, traffic: Traffic) -> None:
        _misbehaves(hurt, lambda: rcpt.update({ANN: "450 4.2.0 later"}), rcpt.clear)

    check(hurt.through(defers, pause_s=0.05), what="next hop answers 4xx to RCPT")


@thorough
def test_the_next_hop_defers_after_the_message(hurt: Hurt):
    end = hurt.hop.hop.end

    def defers(hurt: Hurt, traffic: Traffic) -> None:
        _misbehaves(hurt, lambda: end.update({ANN: "451 4.3.0 later"}), end.clear)

    check(hurt.through(defers, pause_s=0.05), what="next hop answers 4xx to the message")


@thorough
def test_the_next_hop_defers_one_of_two_recipients(hurt: Hurt):
    """The retry reaches only the rest, so there is no second copy."""
    rcpt = hurt.hop.hop.rcpt

    def defers(hurt: Hurt, traffic: Traffic) -> None:
        _misbehaves(hurt, lambda: rcpt.update({OUTSIDE: "450 4.2.0 later"}), rcpt.clear)

    account = hurt.through(defers, pause_s=0.05, recipients=(ANN, OUTSIDE))
    check(account, what="next hop answers 4xx for one of two recipients")


@thorough
def test_the_next_hop_hangs(hurt: Hurt):
    hop = hurt.hop.hop

    def hangs(hurt: Hurt, traffic: Traffic) -> None:
        released = asyncio.Event()
        hop.pause = lambda message: released.wait()
        time.sleep(PAUSE_S)
        hop.pause = lambda message: None
        hurt.hop.loop.call_soon_threadsafe(released.set)

    check(hurt.through(hangs, pause_s=0.05), what="next hop hangs")


@thorough
def test_the_next_hop_closes_its_connections(hurt: Hurt):
    """In the midst of anything: some had the message and could not say so."""

    def closes(hurt: Hurt, traffic: Traffic) -> None:
        for _ in range(10):
            hurt.cut_off_next_hop()
            time.sleep(PAUSE_S / 10)

    check(hurt.through(closes, pause_s=0.02), what="next hop closes in mid-DATA", duplicates=10 * 8)


def test_the_next_hop_takes_the_message_and_closes_without_a_word(hurt: Hurt):
    hop = hurt.hop.hop
    swallowed = []

    async def swallow(message: object) -> None:
        if len(swallowed) < 3:
            swallowed.append(message)
            hop.received.append(message)  # type: ignore[arg-type]
            for connection in list(hop.connections):
                connection.transport.abort()
            await asyncio.get_running_loop().create_future()

    def swallows(hurt: Hurt, traffic: Traffic) -> None:
        hop.pause = swallow
        until(lambda: len(swallowed) == 3 or not traffic.running, 60)

    check(hurt.through(swallows, pause_s=0.05), what="next hop closes after the final dot", duplicates=3 * 8)


def test_clients_vanish_after_the_final_dot(hurt: Hurt):
    """What they did not hear they bring again: a second copy, or a second row of the quarantine."""
    account = hurt.through(lambda hurt, traffic: None, impatient=lambda number: number % 4 == 0)

    check(account, what="client vanishes", duplicates=account.taken // 4 + 1)


@pytest.mark.parametrize("kind", [pytest.param("mariadb", marks=thorough), "postgresql"])
def test_the_server_of_the_database_dies_and_is_started_again(hurt_on: Callable[[str], Hurt], kind: str):
    hurt = hurt_on(kind)

    account = hurt.through(lambda hurt, traffic: hurt.kill_database(), pause_s=0.05)
    check(account, what=f"kill -9 of {kind}", duplicates=2 * 8)
