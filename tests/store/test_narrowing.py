"""What is rare is read by its keys, and what is frequent in the order of time: the answer is the same."""

import asyncio

import pytest

from lazaret.store import narrowing
from lazaret.store.condition import Condition
from lazaret.store.connection import Connection
from lazaret.store.opening import Store
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
        return items

    return asyncio.run(work())


def test_both_ways_give_the_same_answer(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    by_keys = {query: found(filled, query) for query in QUERIES}
    monkeypatch.setattr(narrowing, "FEW", 0)
    assert by_keys == {query: found(filled, query) for query in QUERIES}
    assert [40, 40, 4, 4, 0, 1, 40, 40, 0, 40] == [len(by_keys[query]) for query in QUERIES]


def test_a_rare_word_is_looked_up_by_the_keys_of_its_messages(filled: Store) -> None:
    def keys(query: str) -> int:
        def work(connection: Connection) -> Condition:
            return narrowing.narrowed(connection, condition(connection, query, Scope(), NOW))

        narrow = asyncio.run(filled.reader.run(work))
        return len({value for name, value in narrow.values.items() if name.startswith("key_")})

    assert 4 == keys("rare3")
    assert 1 == keys("golden to:user7@home.example")
    assert 0 == keys("score:>6")
    assert 0 == keys("-rare3")
