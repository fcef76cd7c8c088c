"""What goes by age, what stays, and that the file shrinks."""

import asyncio

from lazaret.model.entry import Entry
from lazaret.store.check import check_database
from lazaret.store.opening import Store
from lazaret.store.sqlite import SqliteDatabase

from .conftest import Place
from .entries import NOW, delivered, quarantined, recipient

DAY = 86_400.0


def keep(store: Store, *entries: Entry) -> None:
    async def work() -> None:
        await asyncio.gather(*(store.journal.keep(entry) for entry in entries))

    asyncio.run(work())


def purge(store: Store, batch: int = 100) -> list[int]:
    """As in service: 30 days, 14 for what was killed, 90 for the history; what each batch removed."""
    ages = {"before": NOW - 30 * DAY, "killed_before": NOW - 14 * DAY, "history_before": NOW - 90 * DAY}

    async def work() -> list[int]:
        counts = []
        while count := await store.retention.purge(**ages, batch=batch):
            counts.append(count)
        return counts

    return asyncio.run(work())


def ids(store: Store, query: str = "", everything: bool = False) -> list[str]:
    async def work() -> list[str]:
        return [item.mail_id async for item in store.quarantine.find(query, everything=everything)]

    return asyncio.run(work())


def rows(place: Place) -> dict[str, int]:
    tables = [
        *("msgs", "msgrcpt", "quarantine", "maddr", "lz_msgs", "lz_msgrcpt", "lz_hits", "lz_addresses"),
        *("lz_attachments", "lz_words", "lz_releases"),
    ]
    counts = {name: place.one(f"SELECT count(*) FROM {name}")[0] for name in tables}  # noqa: S608
    return {name: number for name, number in counts.items() if number}


def test_texts_go_by_age_and_killed_ones_sooner(store: Store) -> None:
    killed = recipient(action="discard")
    keep(
        store,
        quarantined(mail_id="young1111111", time=NOW - 20 * DAY),
        quarantined(mail_id="old111111111", time=NOW - 31 * DAY),
        quarantined(mail_id="killed111111", time=NOW - 15 * DAY, recipients=(killed,)),
        quarantined(
            mail_id="mixed1111111", time=NOW - 15 * DAY, recipients=(killed, recipient("b@x.example"))
        ),
    )
    purge(store)
    assert ["mixed1111111", "young1111111"] == ids(store)
    assert ["mixed1111111", "killed111111", "young1111111", "old111111111"] == ids(store, everything=True)


def test_what_lost_its_text_is_still_found_by_subject_and_sender(store: Store) -> None:
    keep(store, quarantined(mail_id="old111111111", time=NOW - 31 * DAY))
    purge(store)
    for query in ("won", "subject:won", "from:prizes.example", "rule:BAYES_99"):
        assert ["old111111111"] == ids(store, query, everything=True)
    assert [] == ids(store, "golden", everything=True)
    assert [] == check_database(store.database)


def test_after_the_history_nothing_is_left(store: Store, place: Place) -> None:
    keep(
        store,
        *(quarantined(time=NOW - 91 * DAY) for _ in range(25)),
        *(delivered(time=NOW - 91 * DAY) for _ in range(5)),
    )
    counts = purge(store, batch=10)
    assert max(counts[:6]) == 10
    assert {} == rows(place)
    assert [] == ids(store, "golden", everything=True)


def test_an_address_stays_while_a_message_has_it(store: Store, place: Place) -> None:
    keep(
        store,
        quarantined(time=NOW - 91 * DAY, sender="only@old.example"),
        quarantined(mail_id="young1111111"),
    )
    purge(store)
    assert 2 == rows(place)["maddr"]
    assert ["young1111111"] == ids(store, "from:spam.example")


def test_what_another_tool_left_behind_goes_too(store: Store, place: Place) -> None:
    keep(store, quarantined(mail_id="torn11111111"), quarantined(mail_id="whole1111111"))
    place.execute("DELETE FROM msgs WHERE mail_id = 'torn11111111'")
    purge(store)
    assert {"msgs": 1, "quarantine": 1, "lz_msgs": 1, "lz_words": 1}.items() <= rows(place).items()
    assert ["whole1111111"] == ids(store, "golden")


def test_rows_that_amavisd_never_finished_go_with_the_history(store: Store, place: Place) -> None:
    keep(store, quarantined(mail_id="torn11111111", time=NOW - 91 * DAY))
    place.execute("UPDATE msgs SET content = NULL")
    assert [] == ids(store, everything=True)
    purge(store)
    assert {} == rows(place)


def test_the_file_gives_its_space_back(file_store: Store) -> None:
    store = file_store
    assert isinstance(store.database, SqliteDatabase)
    big = b"Subject: big\r\n\r\n" + b"0123456789abcd\r\n" * 20_000
    keep(store, *(quarantined(time=NOW - 91 * DAY, message=big) for _ in range(30)))
    asyncio.run(store.retention.reclaim())
    full = store.database.path.stat().st_size
    purge(store)
    asyncio.run(store.retention.reclaim())
    assert store.database.path.stat().st_size < full / 10
    assert 0 == store.database.path.with_name("lazaret.db-wal").stat().st_size
