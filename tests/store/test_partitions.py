"""Messages by the week (`partition_tag`): written, found, shown, released, completed, indexed, backed up."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from lazaret.model.delivery import Answer
from lazaret.model.errors import Reply
from lazaret.model.partition import Partition
from lazaret.model.quarantine import State
from lazaret.store.backup import backup, restore
from lazaret.store.check import check_database
from lazaret.store.opening import Store
from lazaret.store.reindex import Extract, reindex
from lazaret.store.sqlite import SqliteDatabase

from .conftest import Place
from .entries import NOW, quarantined, recipient

WEEK_S = 7 * 86_400.0
THIS, LAST = "thisweek1111", "lastweek1111"
TABLES = ("maddr", "msgs", "msgrcpt", "quarantine", "lz_msgs")


@pytest.fixture
def weekly(place: Place) -> Store:
    """A store by the week, with a message of this and one of the last."""
    store = place.open(partition=Partition(weekly=True))

    async def work() -> None:
        await asyncio.gather(
            store.journal.keep(quarantined(mail_id=THIS)),
            store.journal.keep(quarantined(mail_id=LAST, time=NOW - WEEK_S)),
        )

    asyncio.run(work())
    return store


def find(store: Store, query: str = "") -> list[str]:
    async def work() -> list[str]:
        return [item.mail_id async for item in store.quarantine.find(query)]

    return asyncio.run(work())


@pytest.mark.parametrize(
    ("partition", "tag"), [(Partition(), 0), (Partition(7), 7), (Partition(weekly=True), 6)]
)
def test_a_message_lies_in_one_partition_with_all_that_belongs_to_it(
    place: Place, partition: Partition, tag: int
) -> None:
    store = place.open(partition=partition)
    asyncio.run(store.journal.keep(quarantined(mail_id=THIS)))
    for table in TABLES:
        found = place.execute(f"SELECT DISTINCT partition_tag FROM {table}")  # noqa: S608
        assert [(tag,)] == found, table
    place_of_text = THIS if tag == 0 else f"{THIS}[{tag}]"
    assert (place_of_text,) == place.one("SELECT quar_loc FROM msgs")


def test_messages_of_all_weeks_are_found_shown_and_released(weekly: Store, place: Place) -> None:
    assert [(5,), (6,)] == place.execute("SELECT partition_tag FROM msgs ORDER BY 1")
    for query in ("", "golden", "from:spam.example", "to:ann@home.example", "rule:BAYES_99", "score:>6"):
        assert [THIS, LAST] == find(weekly, query)

    async def release(written: str) -> State:
        await weekly.quarantine.text(written)
        claims = await weekly.quarantine.claim(
            written,
            ["ann@home.example"],
            who="ann",
            resent_message_id=f"<{written}>",
            digest=b"d",
            again=False,
        )
        await weekly.quarantine.settle(claims, [Answer("ann@home.example", Reply(250, "2.0.0", "Ok"))])
        return (await weekly.quarantine.detail(written)).item.state

    assert State.RELEASED == asyncio.run(release(THIS))
    assert State.RELEASED == asyncio.run(release(f"{LAST}[5]"))


def test_what_the_next_hop_said_reaches_the_right_week(weekly: Store, place: Place) -> None:
    copy = replace(recipient(), response="250 2.6.0 it was delivered", action="deliver", stored=False)
    asyncio.run(weekly.journal.answered(LAST, [copy], dsn_sent="Y", durable=True))
    said = place.execute("SELECT partition_tag, smtp_resp FROM msgrcpt ORDER BY partition_tag")
    assert [(5, "250 2.6.0 it was delivered"), (6, recipient().response)] == said
    assert [(5, "Y"), (6, "N")] == place.execute("SELECT partition_tag, dsn_sent FROM msgs ORDER BY 1")


def test_weeks_are_indexed_backed_up_and_restored(weekly: Store, tmp_path: Path) -> None:
    def extract(message: bytes) -> Extract:
        return Extract("a silver ticket", (), "", "")

    assert 2 == asyncio.run(reindex(weekly, extract))
    assert [THIS, LAST] == find(weekly, "silver")
    backup(weekly.database, tmp_path / "copy")
    restored = SqliteDatabase(tmp_path / "restored.db")
    restore(tmp_path / "copy", restored)
    assert [] == check_database(restored)
    tags = restored.connect().execute("SELECT partition_tag FROM msgs ORDER BY 1").fetchall()
    assert [(5,), (6,)] == tags


def test_the_same_id_in_two_weeks_stays_apart(weekly: Store) -> None:
    asyncio.run(weekly.journal.keep(quarantined(mail_id=THIS, time=NOW - WEEK_S, subject="The other")))
    with pytest.raises(Exception, match=rf"{THIS}\[5\], {THIS}\[6\]"):
        asyncio.run(weekly.quarantine.detail(THIS))
    assert "The other" == asyncio.run(weekly.quarantine.detail(f"{THIS}[5]")).item.subject


def test_the_week_is_that_of_the_standard() -> None:
    weekly = Partition(weekly=True)
    # Noon, so that every time zone of the machine gives the same day.
    assert [53, 53, 1] == [weekly.tag(day * 86_400.0 + 43_200) for day in (18_626, 18_630, 18_631)]
