"""What is rare is read by its keys, and what is frequent in the order of time: the answer is the same."""

import asyncio
import json
from typing import Any

import pytest

from lazaret.model.partition import Partition
from lazaret.store import condition as conditions
from lazaret.store import lines as grouping
from lazaret.store import listing, narrowing
from lazaret.store.condition import Condition, Narrow
from lazaret.store.connection import Connection, transaction
from lazaret.store.opening import Store
from lazaret.store.reader import SearchStopped
from lazaret.store.rows import Rows
from lazaret.store.search import Scope, condition

from .entries import NOW, quarantined, recipient

QUERIES = (
    "golden",
    '"golden ticket"',
    "rare3",
    "rare3 from:spam.example",
    "rare3 -rule:BAYES_99",
    "from:spam.example to:user7@home.example",
    "header-from:prizes.example",
    "rule:HTML* score:>6",
    "from:nobody@nowhere.example",
    "client:192.0.2.7",
)


@pytest.fixture
def filled(store: Store) -> Store:
    async def work() -> None:
        entries = [
            quarantined(
                mail_id=f"number{number:06}",
                time=NOW + number,
                recipients=(recipient(f"user{number}@home.example"),),
                body_text=f"golden ticket rare{number % 10}",
            )
            for number in range(40)
        ]
        await asyncio.gather(*(store.journal.keep(entry) for entry in entries))

    asyncio.run(work())
    return store


def found(store: Store, query: str) -> list[str]:
    async def work() -> list[str]:
        items = [item.mail_id async for item in store.quarantine.find(query)]
        assert len(items) == await store.quarantine.count(query)
        assert min(len(items), 3) == await store.quarantine.count(query, most=3)
        return items

    return asyncio.run(work())


def paged(store: Store, query: str, size: int) -> list[str]:
    """All that is found, page by page."""

    async def work() -> list[str]:
        ids: list[str] = []
        after = ""
        while items := [item async for item in store.quarantine.find(query, limit=size, after=after)]:
            ids += [item.mail_id for item in items]
            after = items[-1].cursor
        return ids

    return asyncio.run(work())


def test_both_ways_give_the_same_answer(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    by_keys = {query: found(filled, query) for query in QUERIES}
    monkeypatch.setattr(narrowing, "FEW", 0)
    assert by_keys == {query: found(filled, query) for query in QUERIES}
    assert [40, 40, 4, 4, 0, 1, 40, 40, 0, 40] == [len(by_keys[query]) for query in QUERIES]


def test_what_is_not_few_is_put_in_order_where_that_is_sooner_and_the_answer_is_the_same(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_keys = {query: found(filled, query) for query in QUERIES}
    monkeypatch.setattr(narrowing, "FEW", 2)
    monkeypatch.setattr(narrowing, "_LOOKED_AT", 10**6)

    def narrow(query: str) -> Narrow | None:
        def work(connection: Connection) -> Condition:
            return narrowing.narrowed(connection, condition(connection, query, Scope(), NOW))

        wide = asyncio.run(filled.reader.run(work))
        return wide.narrow if wide.is_wide else None

    keys = {query: narrow(query) for query in ("rare3", "rule:HTML_MESSAGE", "to:home.example")}
    assert [4, 40, None] == [narrow and len(narrow.keys) for narrow in keys.values()]
    assert by_keys == {query: found(filled, query) for query in QUERIES}
    for query in QUERIES:
        assert by_keys[query] == paged(filled, query, 3), query
        assert set(by_keys[query]) == lines(filled, query, 3), query


def test_a_list_of_a_frequent_word_among_many_keys_is_read_in_steps(
    filled: Store, monkeypatch: pytest.MonkeyPatch, by_row: None
) -> None:
    query = "golden to:home.example"
    whole = lines(filled, query, 50)

    async def count() -> int | None:
        return (await filled.quarantine.lines(query, limit=3, counted=10)).count

    assert asyncio.run(count()) == 40
    monkeypatch.setattr(grouping, "COUNTED", 20)
    assert asyncio.run(count()) is None
    assert lines(filled, query, 3) == whole == set(found(filled, query))


def lines(store: Store, query: str, size: int) -> set[str]:
    """The messages of all pages of a list."""

    async def work() -> set[str]:
        ids: set[str] = set()
        after = "more"
        while after:
            page = await store.quarantine.lines(
                query, limit=size, after=after.removeprefix("more"), grouped=False, counted=10
            )
            ids |= {line.item.mail_id for line in page.lines}
            after = page.next
        return ids

    return asyncio.run(work())


def test_pages_of_three_are_the_same_messages(filled: Store) -> None:
    """Few messages are asked in steps, from the newest on."""

    for query in (*QUERIES, "golden -rare3", "golden to:user7@home.example", "golden client:192.0.2.8"):
        assert found(filled, query) == paged(filled, query, 3), query


def test_a_rare_word_is_looked_up_by_the_keys_of_its_messages(filled: Store) -> None:
    def keys(query: str) -> int:
        def work(connection: Connection) -> Condition:
            return narrowing.narrowed(connection, condition(connection, query, Scope(), NOW))

        narrow = asyncio.run(filled.reader.run(work))
        listed = [json.loads(str(one)) for name, one in narrow.values.items() if name.startswith("keys")]
        each = {value for name, value in narrow.values.items() if name.startswith("key_")}
        return len(each.union(*listed))

    assert 4 == keys("rare3")
    assert 1 == keys("golden to:user7@home.example")
    assert 40 == keys("score:>6")
    assert 0 == keys("score:>6 score:<5")
    assert 0 == keys("-rare3")


@pytest.mark.parametrize("query", ["rule:HTML_MESSAGE", "rare3"])
def test_too_many_messages_are_not_looked_up_one_by_one(filled: Store, query: str) -> None:
    asked: list[str] = []
    most = narrowing.FEW

    class Recording:
        def __init__(self, connection: Connection) -> None:
            self.dialect = connection.dialect
            self._connection = connection

        def execute(self, statement: str, values: Any = ()) -> Any:
            asked.append(statement)
            return self._connection.execute(statement, values)

    def work(connection: Connection) -> bool:
        recording: Any = Recording(connection)
        return narrowing.narrowed(recording, condition(recording, query, Scope(), NOW), most).is_wide

    assert not asyncio.run(filled.reader.run(work))
    assert any("JOIN lz_msgs" in statement for statement in asked)
    asked.clear()
    most = 3
    assert asyncio.run(filled.reader.run(work))
    assert not any("JOIN lz_msgs" in statement for statement in asked)


FREQUENT = (
    "golden",
    "gold",
    '"golden ticket"',
    '"ticket golden"',
    "body:ticket",
    "subject:golden",
    "to:user7@home.example golden",
    "golden rare3",
    "-golden",
    "golden -rare3",
    "straße",
    "東",
)


@pytest.fixture
def by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every word counts as one that most messages have."""
    monkeypatch.setattr(conditions, "_frequency", lambda *given, **more: 0.9)


@pytest.mark.parametrize("recent", [0, 20, 1000], ids=["none recent", "half recent", "all recent"])
@pytest.mark.parametrize("entries", [0.0, 1e9], ids=["by row", "by index"])
def test_a_frequent_word_is_asked_of_each_message_and_the_answer_is_the_same(
    filled: Store, monkeypatch: pytest.MonkeyPatch, recent: int, entries: float
) -> None:
    monkeypatch.setattr(conditions, "RECENT", recent)
    monkeypatch.setattr(type(filled.database.dialect.full_text), "entries", entries)
    asyncio.run(
        filled.journal.keep(quarantined(mail_id="street111111", subject="Straße 東京", body_text="x"))
    )
    by_index = {query: found(filled, query) for query in FREQUENT}
    monkeypatch.setattr(conditions, "_frequency", lambda *given, **more: 0.9)
    assert by_index == {query: found(filled, query) for query in FREQUENT}
    assert [40, 0, 40, 0, 40, 0, 1, 4, 1, 36, 1, 1] == [len(by_index[query]) for query in FREQUENT]


def test_the_newest_messages_tell_how_frequent_a_word_is(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "SAMPLE", 20)
    for cost in ("row_cost", "phrase_cost"):
        monkeypatch.setattr(type(filled.database.dialect.full_text), cost, 0.9)

    def frequent(query: str, most: int = 10) -> bool:
        return asyncio.run(filled.reader.run(lambda c: condition(c, query, Scope(), NOW, most=most).frequent))

    queries = ("golden", "from:spam.example golden", "rare77", '"golden ticket"', '"rare7 golden"')
    assert [True, True, False, True, False] == [frequent(query) for query in queries]
    # Of a phrase that the sample has not, but all of its words: the index would look through all of them.
    assert frequent('"ticket golden"', most=1)
    # So many that the index gives them sooner.
    assert not frequent("golden", most=50)
    assert not asyncio.run(filled.reader.run(lambda c: condition(c, "golden", Scope(), NOW).frequent))


def test_what_takes_too_long_is_answered_from_the_newest_part_and_says_so(
    filled: Store, monkeypatch: pytest.MonkeyPatch, by_row: None
) -> None:
    monkeypatch.setattr(listing, "NEWEST", 10)
    since: list[float] = []

    async def find(query: str) -> list[str]:
        return [item.mail_id async for item in filled.quarantine.find(query, told=since.append)]

    # The others are looked for too, as long as there is time.
    assert 4 == len(asyncio.run(find("golden rare3")))
    assert [] == since

    run = filled.reader.run

    async def stopped(work: Any, *, limited: bool = False) -> Any:
        if "whole" in work.__qualname__:
            raise SearchStopped(2.0)
        return await run(work, limited=limited)

    monkeypatch.setattr(filled.reader, "run", stopped)
    assert ["number000033"] == asyncio.run(find("golden rare3"))
    assert [NOW + 29] == since


def test_messages_of_several_weeks_are_put_in_the_order_of_time(store: Store) -> None:
    """A sender's messages are found with their times, those with a word without."""
    entries = [
        quarantined(
            mail_id=f"number{number * 7 % 30:06}",
            time=NOW + number * 86_400,
            recipients=(recipient("user@home.example"),),
            body_text=f"golden rare{number % 2}",
        )
        for number in range(30)
    ]
    connection = store.database.connect(writing=True)
    with transaction(connection):
        Rows("mail.home.example", Partition(weekly=True)).write(connection, entries)
    connection.close()
    wanted = [f"number{number * 7 % 30:06}" for number in reversed(range(30))]

    for query in ("golden", "from:spam.example", "golden from:spam.example", "header-from:prizes.example"):
        assert paged(store, query, 7) == wanted, query
    assert paged(store, "rare1", 7) == wanted[::2]
