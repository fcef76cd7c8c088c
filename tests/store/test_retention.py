"""What goes by age, what stays, and that the file shrinks."""

import asyncio
from functools import partial

import pytest

from lazaret.model.entry import Entry, EntryRecipient
from lazaret.model.keeping import Due, Keeping, KeepRule
from lazaret.model.partition import Partition
from lazaret.model.verdict import Category
from lazaret.store import removal, walk, weeks
from lazaret.store.check import check_database
from lazaret.store.opening import Store
from lazaret.store.sqlite import SqliteDatabase

from .conftest import Place
from .entries import NOW, delivered, quarantined, recipient

DAY = 86_400.0
KEEPING = Keeping(keep_days=30, killed_days=14, history_days=90)
"""As in service: 30 days, 14 for what was killed, 90 for the history."""


def keep(store: Store, *entries: Entry) -> None:
    async def work() -> None:
        await asyncio.gather(*(store.journal.keep(entry) for entry in entries))

    asyncio.run(work())


def purge(store: Store, batch: int = 100, keeping: Keeping = KEEPING) -> list[int]:
    """What each batch removed."""

    async def work() -> list[int]:
        return [count async for count in store.retention.purge(keeping, now=NOW, batch=batch)]

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
    assert 10 == max(counts[:3])
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


VIRUS = {"category": Category.VIRUS}
RULES = (
    KeepRule(7, category=Category.VIRUS),
    KeepRule(60, domain="home.example"),
    KeepRule(5, domain=".far.example", killed=True),
    KeepRule(3, domain="home.example", category=Category.VIRUS),
)


@pytest.mark.parametrize(
    ("days", "copies", "stays"),
    [
        (8, [recipient("a@x.example", **VIRUS)], False),
        (6, [recipient("a@x.example", **VIRUS)], True),
        (31, [recipient("a@x.example")], False),
        (29, [recipient("a@x.example")], True),
        (59, [recipient("a@home.example")], True),
        (61, [recipient("a@home.example")], False),
        (59, [recipient("a@home.example", action="discard")], True),
        (4, [recipient("a@home.example", **VIRUS)], False),
        (6, [recipient("a@b.far.example", action="discard")], False),
        (4, [recipient("a@far.example", action="discard")], True),
        (29, [recipient("a@far.example")], True),
        (8, [recipient("a@x.example", **VIRUS), recipient("a@home.example")], True),
        (59, [recipient("a@x.example"), recipient("a@home.example", stored=False, action="deliver")], False),
    ],
)
def test_some_are_kept_for_another_time(
    store: Store, days: int, copies: list[EntryRecipient], stays: bool
) -> None:
    keep(store, quarantined(mail_id="one111111111", time=NOW - days * DAY, recipients=tuple(copies)))
    purge(store, keeping=Keeping(30, 14, 90, RULES))
    assert stays == bool(ids(store))


def test_what_would_go_is_told_and_nothing_is_changed(store: Store, place: Place) -> None:
    keep(
        store,
        quarantined(time=NOW - 20 * DAY),
        quarantined(time=NOW - 32 * DAY, recipients=(recipient(), recipient("b@x.example"))),
        quarantined(time=NOW - 31 * DAY, recipients=(recipient("c@x.example", **VIRUS),)),
        delivered(time=NOW - 91 * DAY),
        quarantined(mail_id="torn11111111", sender="gone@old.example"),
    )
    place.execute("DELETE FROM msgs WHERE mail_id = 'torn11111111'")
    before = rows(place)
    due: Due = asyncio.run(store.retention.due(KEEPING, now=NOW))
    size = quarantined().size
    assert (2, 2 * size, 1) == (due.texts, due.octets, due.history)
    assert {("spam", "home.example", 1), ("spam", "x.example", 1), ("virus", "x.example", 1)} == set(
        due.by_domain
    )
    assert (3, 1) == (due.orphans, due.addresses)
    assert 2 * DAY == due.overdue_s
    assert before == rows(place)
    purge(store)
    due = asyncio.run(store.retention.due(KEEPING, now=NOW))
    assert (0, 0, 0, 0, 0.0) == (due.texts, due.history, due.orphans, due.addresses, due.overdue_s)


def test_a_look_goes_on_where_the_last_one_ended(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "LOOK", 3)
    young = [quarantined(time=NOW - 20 * DAY) for _ in range(7)]
    killed = [quarantined(time=NOW - 20 * DAY, recipients=(recipient(action="discard"),)) for _ in range(7)]
    keep(store, *young, *killed)
    assert 7 == sum(purge(store))
    assert {entry.mail_id for entry in young} == set(ids(store))


def test_a_week_s_texts_go_in_one_step(place: Place, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = place.open(partition=Partition(weekly=True))
    keep(store, *(quarantined(time=NOW - days * DAY) for days in (1, 33, 34, 35, 36)))
    if kind == "sqlite":
        assert "SQLite" in weeks.divide(store.database)
        return
    try:
        assert "" == weeks.divide(store.database)
        keep(store, quarantined(mail_id="young1111111", time=NOW - 2 * DAY))
        assert 5 + 1 == len(ids(store))
        assert 5 + 1 == rows(place)["quarantine"]
        asyncio.run(store.quarantine.text("young1111111"))
        before = int(NOW - 30 * DAY)
        gone = asyncio.run(store.reader.run(partial(weeks.to_clear, before=before, now=NOW)))
        assert {52, 1} >= gone != set()
        # Nothing but the step for a whole week takes them away.
        monkeypatch.setattr(
            removal, "_CHUNKS", "SELECT 1 FROM quarantine WHERE mail_id = :mail_id AND :tag < 0"
        )
        purge(store)
        assert 2 == len(ids(store)) == rows(place)["quarantine"]
        assert 6 == rows(place)["msgs"]
    finally:
        undivided(place)


def undivided(place: Place) -> None:
    """The table as other tests expect it."""
    if place.kind == "mariadb":
        place.execute("ALTER TABLE quarantine REMOVE PARTITIONING")
        return
    place.execute("CREATE TABLE whole (LIKE quarantine INCLUDING ALL)")
    place.execute("DROP TABLE quarantine")
    place.execute("ALTER TABLE whole RENAME TO quarantine")


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
