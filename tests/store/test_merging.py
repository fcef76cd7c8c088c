"""What the index of words has put off is done in small steps: no message waits for all of it at once."""

import asyncio
import random
import sqlite3
import time
from pathlib import Path

import pytest

from lazaret.flow import indexing
from lazaret.store.opening import Store

from .entries import quarantined

PIECES = 40
"""Of an index, on one level: by default 16 are merged by whoever comes next."""
OLDER = 1_000_000
"""A number that no message of the test has."""


def backlog(database: Path) -> None:
    """Leaves as many pieces as a file has that was put together of others, each of some 150 pages."""
    chosen, vocabulary = random.Random(1), [f"w{number}" for number in range(20_000)]
    with sqlite3.connect(database, isolation_level=None) as connection:
        connection.execute("CREATE TEMP TABLE config AS SELECT k, v FROM lz_text_config")
        set_ = "INSERT INTO lz_text (lz_text, rank) VALUES (?, ?)"
        connection.execute(set_, ("automerge", 0))
        connection.execute(set_, ("crisismerge", 1999))
        for piece in range(PIECES):
            words = [" ".join(chosen.choices(vocabulary, k=150)) for _ in range(300)]
            rows = [(OLDER + 1000 * piece + number, text) for number, text in enumerate(words)]
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO lz_text (rowid, body) VALUES (?, ?)", rows)
            connection.execute("COMMIT")
        connection.execute(set_, ("automerge", 4))
        kept = dict(connection.execute("SELECT k, v FROM temp.config"))
        connection.execute(set_, ("crisismerge", kept.get("crisismerge", 16)))
    connection.close()


def pieces(database: Path) -> int:
    with sqlite3.connect(database) as connection:
        (number,) = connection.execute("SELECT count(DISTINCT segid) FROM lz_text_idx").fetchone()
    connection.close()
    return int(number)


def test_a_message_does_not_wait_until_a_large_index_is_merged(file_store: Store, tmp_path: Path) -> None:
    database = tmp_path / "data" / "lazaret.db"
    backlog(database)
    before = pieces(database)

    async def main() -> float:
        longest = 0.0
        for number in range(100):
            began = time.process_time()
            await file_store.writer.keep(quarantined(mail_id=f"merging{number:05}"))
            longest = max(longest, time.process_time() - began)
        return longest

    longest = asyncio.run(main())
    assert before >= PIECES
    assert before <= pieces(database), "all pieces were merged by a message that came in"
    assert longest < 1.0


def test_what_was_put_off_is_done_in_steps_while_nobody_waits(file_store: Store, tmp_path: Path) -> None:
    database = tmp_path / "data" / "lazaret.db"
    backlog(database)
    before, steps, longest = pieces(database), 0, 0.0

    async def step() -> bool:
        return await file_store.writer.run(file_store.database.dialect.full_text.tend)

    while True:
        began = time.process_time()
        more = asyncio.run(step())
        longest = max(longest, time.process_time() - began)
        if not more:
            break
        steps += 1

    assert steps > 5, "it was done in one step"
    assert longest < 0.5
    assert pieces(database) < 16 < before
    found = (
        sqlite3.connect(database).execute("SELECT count(*) FROM lz_text WHERE lz_text MATCH 'w17'").fetchone()
    )
    assert found[0] > PIECES
    assert not asyncio.run(step())


def test_the_service_does_so_whenever_it_looks(file_store: Store, tmp_path: Path) -> None:
    database = tmp_path / "data" / "lazaret.db"
    backlog(database)
    before = pieces(database)

    async def work(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(indexing, "EVERY_S", 0.0)
        tending = asyncio.create_task(indexing.keep_tended(file_store))
        for _ in range(600):
            if pieces(database) < 16:
                break
            await asyncio.sleep(0.1)
        tending.cancel()

    with pytest.MonkeyPatch.context() as monkeypatch:
        asyncio.run(work(monkeypatch))
    assert pieces(database) < 16 < before


def test_postgresql_sorts_in_what_it_has_put_off(store: Store, kind: str) -> None:
    if kind != "postgresql":
        pytest.skip("the others put nothing on a list")

    async def pages() -> int:
        put_off = "SELECT gin_clean_pending_list('lz_text_idx_words')"
        return int(await store.writer.run(lambda connection: connection.execute(put_off).fetchone()[0]))

    async def main() -> None:
        await store.journal.keep(quarantined(mail_id="pending00000", body_text="golden ticket"))
        assert await pages() > 0
        await store.journal.keep(quarantined(mail_id="pending00001", body_text="golden ticket"))
        await indexing.tend(store)
        assert await pages() == 0

    asyncio.run(main())
