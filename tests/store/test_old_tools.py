"""The statements of the web interfaces that people have beside amavisd, written down from what these do."""

import asyncio

import pytest

from lazaret.model.quarantine import State
from lazaret.store.opening import Store

from .conftest import Place
from .entries import NOW, delivered, quarantined, recipient

MODOBOA = (
    "SELECT r.mail_id, m.subject, m.from_addr, r.content, r.bspam_level, r.rs, a.email"
    " FROM msgrcpt r INNER JOIN msgs m ON m.mail_id = r.mail_id INNER JOIN maddr a ON a.id = r.rid"
    " WHERE r.mail_id IN (SELECT q.mail_id FROM quarantine q WHERE q.chunk_ind = 1)"
    " AND NOT (r.rs = 'D') AND r.content IN ('S', 's', 'B', 'V') ORDER BY m.time_num DESC"
)
MAILZU = (
    "SELECT m.mail_id, m.subject, m.from_addr, m.content, m.spam_level, r.rs, recip.email"
    " FROM msgs m INNER JOIN msgrcpt r ON m.mail_id = r.mail_id"
    " INNER JOIN maddr sender ON m.sid = sender.id INNER JOIN maddr recip ON r.rid = recip.id"
    " WHERE m.content IN ('S', 's') AND NOT (m.quar_type = '') AND r.rs IN ('', 'v')"
    " AND m.quar_loc <> '' ORDER BY m.time_num DESC"
)


@pytest.mark.parametrize("statement", [MODOBOA, MAILZU])
def test_their_list_has_what_lies_in_the_quarantine_and_their_mark_counts(
    store: Store, place: Place, statement: str
) -> None:
    if place.kind == "sqlite" and statement == MAILZU:
        pytest.skip("its statement takes a blank for the empty text, as servers do")

    async def work() -> None:
        ann = (recipient("ann@home.example"),)
        await store.journal.keep(quarantined(mail_id="older1111111", time=NOW - 60, recipients=ann))
        await store.journal.keep(quarantined(mail_id="newer1111111", time=NOW, recipients=ann))
        await store.journal.keep(delivered(time=NOW - 30))

    asyncio.run(work())
    listed = place.execute(statement)
    assert [("newer1111111", "ann@home.example"), ("older1111111", "ann@home.example")] == [
        (text(row[0]), text(row[-1])) for row in listed
    ]
    place.execute("UPDATE msgrcpt SET rs = 'D' WHERE mail_id = ?", ("newer1111111",))
    assert ["older1111111"] == [text(row[0]) for row in place.execute(statement)]
    found = asyncio.run(states(store))
    assert {"newer1111111": State.DELETED, "older1111111": State.QUARANTINED} == found


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


async def states(store: Store) -> dict[str, State]:
    items = [item async for item in store.quarantine.find("to:ann@home.example", everything=True)]
    return {item.mail_id: item.copies[0].state for item in items if item.stored}
