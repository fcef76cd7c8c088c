"""Several processes on one database, and one that is killed while it writes."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from lazaret.store.check import check_database
from lazaret.store.opening import Store

PROCESS = Path(__file__).with_name("process.py")


def start(command: str, store: Store, *arguments: object) -> "subprocess.Popen[str]":
    words = [sys.executable, str(PROCESS), command, str(store.database.path.parent), *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_no_acknowledged_message_is_lost_when_the_writer_is_killed(store: Store) -> None:
    with start("keep", store, "kill", 40_000) as process:
        time.sleep(1.5)
        process.kill()
        assert process.stdout is not None
        *acknowledged, _ = process.stdout.read().split("\n")  # the last line may be half
    assert len(acknowledged) > 20
    for mail_id in acknowledged:
        text = asyncio.run(store.quarantine.text(mail_id))
        assert 40_000 + 14 == len(text.message)
    assert [] == check_database(store.database)


def test_two_processes_write_at_once_and_share_the_addresses(store: Store) -> None:
    both = [start("fill", store, name, 60) for name in ("one", "two")]
    assert [0, 0] == [process.wait(60) for process in both]
    for process in both:
        assert process.stdout is not None
        process.stdout.close()
    assert 240 == asyncio.run(store.quarantine.count("", everything=True))
    assert 240 == asyncio.run(store.quarantine.count("from:new.example", everything=True))
    connection = store.database.connect()
    senders = connection.execute("SELECT count(*) FROM maddr WHERE domain = 'example.new'").fetchone()
    connection.close()
    assert (60,) == senders
    assert [] == check_database(store.database)
