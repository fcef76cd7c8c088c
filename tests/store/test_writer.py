"""Group commit: when rows are written, and what happens when they cannot be."""

import asyncio
import logging
import time

import pytest

from lazaret.model.errors import StoreUnavailable
from lazaret.store import sqlite
from lazaret.store.connection import Connection
from lazaret.store.opening import Store

from .conftest import Place
from .entries import delivered, quarantined


def count(store: Store) -> int:
    return asyncio.run(store.quarantine.count("", everything=True))


def test_history_is_written_within_a_second_without_being_waited_for(store: Store) -> None:
    start = time.monotonic()
    store.journal.note(delivered())
    assert time.monotonic() - start < 0.5
    assert 0 == count(store)
    while count(store) == 0:
        assert time.monotonic() - start < 3
        time.sleep(0.02)


def test_closing_writes_what_is_waiting(place: Place) -> None:
    store = place.open()
    for _ in range(700):
        store.journal.note(delivered())
    store.close()
    assert 700 == count(place.open())


def test_many_at_once_take_few_commits(file_store: Store) -> None:
    store = file_store
    commits = 0

    def trace(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    async def work() -> None:
        await store.writer.run(lambda connection: connection.set_trace_callback(trace))
        await asyncio.gather(*(store.journal.keep(quarantined()) for _ in range(100)))
        await store.writer.run(lambda connection: connection.set_trace_callback(None))

    asyncio.run(work())
    assert 100 == count(store)
    assert commits <= 20


def test_one_job_that_fails_does_not_spoil_its_batch(store: Store) -> None:
    twice = quarantined()

    async def work() -> list[object]:
        entries = [quarantined(), twice, quarantined(), twice, quarantined()]
        return await asyncio.gather(*(store.journal.keep(one) for one in entries), return_exceptions=True)

    results = asyncio.run(work())
    assert [None, None, None, None] == [one for one in results if one is None]
    (error,) = (one for one in results if one is not None)
    assert isinstance(error, StoreUnavailable)
    assert 4 == count(store)


def test_while_the_database_is_locked_a_keep_fails_and_history_waits(
    file_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = file_store
    monkeypatch.setattr(sqlite, "BUSY_S", 0.1)
    other = store.database.connect(writing=True)
    other.execute("BEGIN IMMEDIATE")
    store.journal.note(delivered())
    with pytest.raises(StoreUnavailable, match="another process"):
        asyncio.run(store.journal.keep(quarantined()))
    other.execute("ROLLBACK")
    other.close()
    store.writer.close()
    assert 1 == count(store)
    assert 0 == store.writer.lost


def test_history_that_can_never_be_written_is_counted_and_logged(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    entry = delivered()
    with caplog.at_level(logging.ERROR):
        store.journal.note(entry)
        store.journal.note(entry)
        store.writer.close()
    assert 1 == count(store)
    assert 1 == store.writer.lost
    assert "history rows lost, 1 so far" in caplog.text


def test_a_closed_store_takes_no_more(store: Store) -> None:
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        asyncio.run(store.journal.keep(quarantined()))


def test_only_what_must_survive_a_power_cut_waits_for_the_disk(file_store: Store) -> None:
    store = file_store

    def synchronous(durable: bool) -> int:
        def ask(connection: Connection) -> int:
            (level,) = connection.execute("PRAGMA synchronous").fetchone()
            return int(level)

        return asyncio.run(store.writer.run(ask, durable=durable))

    normal, full = 1, 2
    assert [full, normal, full] == [synchronous(True), synchronous(False), synchronous(True)]
