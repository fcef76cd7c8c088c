"""Words as servers have them: in lower case, also those that an older version wrote."""

import asyncio

import pytest

from lazaret.store.migrations import available, statements
from lazaret.store.opening import Store

from .conftest import Place
from .entries import quarantined


@pytest.fixture(params=("mariadb", "postgresql"))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def found(store: Store, query: str) -> list[str]:
    async def work() -> list[str]:
        return [item.mail_id async for item in store.quarantine.find(query)]

    return asyncio.run(work())


def test_what_an_older_version_wrote_is_found_after_the_upgrade(place: Place) -> None:
    store = place.open()
    asyncio.run(store.journal.keep(quarantined(mail_id="street111111", body_text="Übung golden 東京")))
    assert ["street111111"] == found(store, "übung 東京")
    older = {
        "mariadb": "REPLACE(words, '__', '_X')",
        "postgresql": "CAST(REPLACE(CAST(words AS text), '__', '_X') AS tsvector)",
    }
    place.execute(f"UPDATE lz_text SET words = {older[place.kind]}")  # noqa: S608
    assert [] == found(store, "übung")
    for statement in statements(available(place.kind)[12], place.database.dialect):
        place.execute(statement)
    for query in ("übung", "東京", "golden"):
        assert ["street111111"] == found(store, query)
