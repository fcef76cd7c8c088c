"""Messages that are alike are one line, for each reader of what he may see, on every kind of database."""

import asyncio
from functools import partial

import pytest

from lazaret.model.person import ALL, Sight
from lazaret.store.opening import Store

from .entries import NOW, delivered, quarantined, recipient

ANN, BOB = "ann@home.example", "bob@home.example"


async def keep(store: Store, number: int, *alike: int, to: str = ANN, **changes) -> str:
    entry = quarantined(
        time=NOW + number, alike=alike, subject=f"number {number}", recipients=(recipient(to),), **changes
    )
    await store.journal.keep(entry)
    return entry.mail_id


async def lines(store: Store, query: str = "", *, limit: int = 50, after: str = "", sight: Sight = ALL):
    found = await store.quarantine.lines(query, limit=limit, after=after, sight=sight)
    return [(line.item.subject, line.members, line.more) for line in found.lines], found.next


def test_a_campaign_is_one_line_with_its_number_for_each_reader(store: Store) -> None:
    async def story() -> None:
        await keep(store, 1, 10, 20, 30)
        await keep(store, 2, 11, 20, 31)  # like the first
        await keep(store, 3, 99)
        await keep(store, 4)  # nobody has looked
        await keep(store, 5)
        await keep(store, 6, 31, 12, to=BOB)  # like the second only, and so of the same campaign
        store.journal.note(delivered(time=NOW + 7))
        assert (
            [("number 6", 3, False), ("number 5", 1, False), ("number 4", 1, False), ("number 3", 1, False)],
            "",
        ) == (await lines(store))
        of_ann, _ = await lines(store, sight=Sight.of([ANN]))
        assert [
            ("number 5", 1, False),
            ("number 4", 1, False),
            ("number 3", 1, False),
            ("number 2", 2, False),
        ] == of_ann
        assert [("number 6", 1, False)] == (await lines(store, "to:bob"))[0]
        [first] = [i async for i in store.quarantine.find("subject:6", limit=1)]
        assert 16 == len(first.campaign)
        members = [i.subject async for i in store.quarantine.find(f"campaign:{first.campaign}")]
        assert ["number 6", "number 2", "number 1"] == members
        assert [] == [i async for i in store.quarantine.find("campaign:no")]
        assert 1 == await store.quarantine.count(f"campaign:{first.campaign}", sight=Sight.of([BOB]))
        await store.quarantine.set_deleted(first.mail_id, True, who="test")
        assert ("number 2", 2, False) in (await lines(store))[0]

    asyncio.run(story())


def test_pages_of_lines_go_on_where_they_ended_and_show_no_campaign_twice(store: Store) -> None:
    async def story() -> None:
        for number in range(30):
            # Every third is of one campaign, the others alone.
            await keep(store, number, *((7,) if number % 3 == 0 else (1000 + number,)))
        seen, after, pages = [], "", 0
        while True:
            found, after = await lines(store, limit=4, after=after)
            seen += found
            pages += 1
            if not after:
                break
        assert 21 == len(seen) == len({subject for subject, _, _ in seen})
        assert ("number 27", 10, False) in seen
        assert 5 < pages < 9

    asyncio.run(story())


def test_a_flood_costs_a_page_no_more_than_its_windows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from lazaret.store import lines as room

    monkeypatch.setattr(room, "WINDOWS", (5, 10))
    monkeypatch.setattr(room, "COUNTED", 12)
    monkeypatch.setattr(room, "LARGE", 12)

    async def story() -> None:
        await keep(store, 0, 1)
        for number in range(1, 25):
            await keep(store, number, 5)
        found, after = await lines(store)
        assert [("number 24", 12, True)] == found
        assert after
        rest = []
        while after:
            found, after = await lines(store, after=after)
            rest += found
        assert [("number 0", 1, False)] == rest

    asyncio.run(story())


def test_news_are_lines_whose_newest_came_since_then(store: Store) -> None:
    async def story() -> None:
        await keep(store, 0, 7)
        await keep(store, 1, 8)
        last = await keep(store, 100, 7)
        await keep(store, 100, mail_id="-" + last[1:])
        news = partial(store.quarantine.news, "", limit=50)

        found = await news(since=int(NOW) + 50, grouped=True)
        assert [2, 1] == [line.members for line in found.lines]
        assert ["number 100"] * 2 == [line.item.subject for line in found.lines]
        each = await news(since=int(NOW), grouped=False)
        assert [1, 1, 1, 1] == [line.members for line in each.lines]
        assert () == (await news(since=int(NOW) + 101, grouped=True)).lines

    asyncio.run(story())
