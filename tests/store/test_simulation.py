"""The history for a what-if, on every kind of database."""

import asyncio
from dataclasses import replace

from lazaret.model.simulation import Past
from lazaret.store.opening import Store

from .entries import delivered, quarantined


def test_copies_are_counted_by_score_and_what_people_said(store: Store) -> None:
    async def work() -> list[Past]:
        first, second = quarantined(), quarantined()
        for entry in (first, second, replace(delivered(), originating=True)):
            await store.journal.keep(replace(entry, text=entry.text or b"\r\n"))
        await store.writer.run(
            lambda connection: connection.execute(
                "UPDATE msgrcpt SET rs = 'R' WHERE mail_id = :id", {"id": first.mail_id}
            )
        )
        near = await store.past.border(0.0, since=0, limit=10, domain="example")
        assert {first.mail_id, second.mail_id} <= {one.mail_id for one in near}
        return await store.past.copies(since=0, exempt=["postmaster@", "@.x.example", "a@b.example"])

    found = asyncio.run(work())
    stopped = [one for one in found if one.action == "quarantine"]
    assert {"", "ham"} == {one.said for one in stopped}
    assert all(one.judged and not one.exempt for one in stopped)
    assert [False] == [one.judged for one in found if one.action == "deliver"]
