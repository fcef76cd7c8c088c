"""Several processes on one database, and one that is killed while it writes."""

import asyncio
import subprocess
import sys
from pathlib import Path

from lazaret.store.check import check_database
from lazaret.store.opening import Store

from .conftest import Place

PROCESS = Path(__file__).with_name("process.py")


def start(command: str, place: Place, *arguments: object) -> "subprocess.Popen[str]":
    words = [sys.executable, PROCESS, command, place.url, place.data_dir, *arguments]
    return subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, text=True, env=place.environment)


def test_no_acknowledged_message_is_lost_when_the_writer_is_killed(store: Store, place: Place) -> None:
    with start("keep", place, "kill", 40_000) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(25)]
        process.kill()
        *others, _ = process.stdout.read().split("\n")  # the last line may be half
        acknowledged += others
    for mail_id in acknowledged:
        text = asyncio.run(store.quarantine.text(mail_id))
        assert 40_000 + 14 == len(text.message)
    assert [] == check_database(store.database)


def test_two_processes_write_at_once_and_share_the_addresses(store: Store, place: Place) -> None:
    both = [start("fill", place, name, 60) for name in ("one", "two")]
    assert [0, 0] == [process.wait(60) for process in both]
    for process in both:
        assert process.stdout is not None
        process.stdout.close()
    assert 240 == asyncio.run(store.quarantine.count("", everything=True))
    assert 240 == asyncio.run(store.quarantine.count("from:new.example", everything=True))
    assert (60,) == place.one("SELECT count(*) FROM maddr WHERE domain = 'example.new'")
    assert [] == check_database(store.database)
