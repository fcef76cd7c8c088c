"""Stored messages: their octets, what is known of them, and the mark of deletion."""

import asyncio
from typing import Any

import pytest

from lazaret.model.entry import Entry
from lazaret.model.errors import NoSuchMessage, UserError
from lazaret.model.quarantine import State
from lazaret.model.verdict import ScoredHit, Unavailable
from lazaret.store.opening import Store

from .conftest import Place
from .entries import HITS, MESSAGE, PREFIX, delivered, quarantined, recipient


def keep(store: Store, *entries: Entry) -> None:
    async def work() -> None:
        await asyncio.gather(*(store.journal.keep(entry) for entry in entries))

    asyncio.run(work())


def item(store: Store, entry: Entry) -> Any:
    return asyncio.run(store.quarantine.detail(entry.mail_id)).item


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE,
        b"Subject: bare\r\n\r\na bare LF\nhere\r\n",
        b"Subject: cr\r\n\r\nlone \r CR, double \r\r\nend\r\n",
        b"no end of line",
        b"\n",
        b"\r",
        b"",
        bytes(range(256)) * 400,
        b"x" * 16_384 + b"\r\n" + b"y" * 16_383 + b"\r\n",
    ],
    ids=["plain", "bare LF", "CR", "no newline", "LF", "only CR", "empty", "binary", "chunks"],
)
def test_the_quarantine_keeps_the_exact_octets(store: Store, message: bytes) -> None:
    entry = quarantined(message=message)
    keep(store, entry)
    text = asyncio.run(store.quarantine.text(entry.mail_id))
    assert PREFIX + message == text.octets
    assert message == text.message


def test_a_text_is_stored_with_lf_in_chunks_of_16384_octets(store: Store, place: Place) -> None:
    entry = quarantined(message=b"Subject: x\r\n\r\n" + b"0123456789abcd\r\n" * 3000)
    keep(store, entry)
    chunks = place.execute("SELECT chunk_ind, mail_text FROM quarantine ORDER BY chunk_ind")
    assert [1, 2, 3] == [number for number, _ in chunks]
    assert [16_384, 16_384] == [len(chunk) for _, chunk in chunks[:2]]
    assert (entry.text or b"").replace(b"\r\n", b"\n") == b"".join(chunk for _, chunk in chunks)


def test_a_detail_has_all_that_was_known_at_the_reception(store: Store) -> None:
    entry = quarantined(unavailable=(Unavailable("clamd", "no answer for 5 s"),))
    keep(store, entry)
    detail = asyncio.run(store.quarantine.detail(entry.mail_id))
    assert HITS == detail.hits
    assert ("BAYES_99", "URIBL_BLACK", "HTML_MESSAGE") == detail.item.symbols
    assert {"ann@home.example": "6.0 points reach the quarantine level of 5.0"} == detail.reasons
    assert ("clamd: no answer for 5 s",) == detail.unavailable
    assert ("prize list.pdf",) == detail.attachments
    assert ("4cXYZ", "192.0.2.7", True) == (detail.item.queue_id, detail.item.client_ip, detail.item.stored)


def test_the_envelope_comes_back_as_it_was_written(store: Store) -> None:
    entry = quarantined(
        sender="Promo@News.SPAM.example",
        recipients=(recipient('"Ann Lee"@Home.example'), recipient("j\udcf6rg@x.example")),
    )
    keep(store, entry)
    found = item(store, entry)
    assert "Promo@News.SPAM.example" == found.sender
    assert ['"Ann Lee"@Home.example', "j\udcf6rg@x.example"] == [copy.address for copy in found.copies]


def test_each_copy_has_its_own_state(store: Store) -> None:
    copies = (
        recipient("a@x.example"),
        recipient("b@x.example", action="deliver", stored=False),
        recipient("c@x.example", action="discard", stored=False),
        recipient("d@x.example", action="reject", stored=False),
        recipient("e@x.example", action="defer", stored=False),
    )
    entry = quarantined(recipients=copies)
    keep(store, entry)
    states = [copy.state for copy in item(store, entry).copies]
    assert [State.QUARANTINED, State.DELIVERED, State.REFUSED, State.REFUSED, State.DEFERRED] == states


def test_deleted_messages_are_out_of_sight_until_they_are_asked_for(store: Store) -> None:
    entry = quarantined()
    keep(store, entry)

    async def ids(query: str) -> list[str]:
        return [found.mail_id async for found in store.quarantine.find(query)]

    asyncio.run(store.quarantine.set_deleted(entry.mail_id, True, who="ann"))
    assert [] == asyncio.run(ids(""))
    assert [entry.mail_id] == asyncio.run(ids("state:deleted"))
    assert State.DELETED == item(store, entry).state
    asyncio.run(store.quarantine.set_deleted(entry.mail_id, False, who="ann"))
    assert [entry.mail_id] == asyncio.run(ids(""))
    assert State.QUARANTINED == item(store, entry).state


def test_deleting_leaves_delivered_copies_as_they_are(store: Store) -> None:
    entry = quarantined(recipients=(recipient(), recipient("b@x.example", action="deliver", stored=False)))
    keep(store, entry)
    asyncio.run(store.quarantine.set_deleted(entry.mail_id, True, who="ann"))
    assert [State.DELETED, State.DELIVERED] == [copy.state for copy in item(store, entry).copies]


def test_who_did_what_is_written_down(store: Store, place: Place) -> None:
    entry = quarantined()
    keep(store, entry)
    asyncio.run(store.quarantine.set_deleted(entry.mail_id, True, who="ann"))
    asyncio.run(store.quarantine.audit("root", "view", entry.mail_id, "headers"))
    rows = place.execute("SELECT who, act, mail_id, detail FROM lz_audit ORDER BY id")
    assert [("ann", "delete", entry.mail_id, ""), ("root", "view", entry.mail_id, "headers")] == rows


def test_an_unknown_id_is_no_such_message(store: Store) -> None:
    for ask in (store.quarantine.detail, store.quarantine.text, store.quarantine.secret):
        with pytest.raises(NoSuchMessage):
            asyncio.run(ask("nosuch111111"))
    with pytest.raises(NoSuchMessage):
        asyncio.run(store.quarantine.set_deleted("' OR 1=1", True, who="x"))


def test_a_message_that_was_delivered_has_no_text(store: Store) -> None:
    entry = delivered()
    keep(store, entry)
    with pytest.raises(NoSuchMessage):
        asyncio.run(store.quarantine.text(entry.mail_id))
    assert not item(store, entry).stored


def test_the_secret_is_the_stored_one(store: Store) -> None:
    entry = quarantined()
    keep(store, entry)
    assert entry.secret_id == asyncio.run(store.quarantine.secret(entry.mail_id))


def test_a_cursor_that_is_not_ours_is_refused(store: Store) -> None:
    async def search() -> None:
        async for _ in store.quarantine.find("", after="nonsense"):
            pass

    with pytest.raises(UserError, match="cursor"):
        asyncio.run(search())


def test_text_that_no_database_takes_does_not_stop_the_mail(store: Store) -> None:
    odd = "nul \x00 half \ud83d long " + "x" * 5000
    entry = quarantined(
        subject=odd,
        from_header=odd,
        message_id=odd,
        body_text=odd,
        attachments=(odd,),
        sender=odd[:200],
        hits=(ScoredHit("ODD\n1", 1.0, odd, "two\nlines"),),
    )
    keep(store, entry)
    detail = asyncio.run(store.quarantine.detail(entry.mail_id))
    assert 255 == len(detail.item.subject)
    assert "two?lines" == detail.hits[0].detail
