"""The rows that the filter writes, and what it remembers between two attempts."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lazaret.model.errors import StoreUnavailable
from lazaret.model.quarantine import State
from lazaret.store import partial
from lazaret.store.opening import Store, open_store
from lazaret.store.room import Room
from lazaret.store.sqlite import SqliteDatabase

from .conftest import URL, Place
from .entries import NOW, delivered, quarantined, recipient

MSGS = (
    *(
        "partition_tag",
        "mail_id",
        "secret_id",
        "am_id",
        "time_num",
        "time_iso",
        "sid",
        "policy",
        "client_addr",
    ),
    *("size", "originating", "content", "quar_type", "quar_loc", "dsn_sent", "spam_level", "message_id"),
    *("from_addr", "subject", "host"),
)
MSGRCPT = (
    *("partition_tag", "mail_id", "rseqnum", "rid", "is_local", "content", "ds", "rs", "bl", "wl"),
    *("bspam_level", "smtp_resp"),
)


def row(place: Place, table: str, columns: Sequence[str], where: str = "1 = 1") -> dict[str, Any]:
    """The one row of the table that is meant."""
    names = ", ".join(columns)
    return dict(zip(columns, place.one(f"SELECT {names} FROM {table} WHERE {where}"), strict=True))  # noqa: S608


def test_a_quarantined_message_is_in_the_tables_as_amavis_would_have_it(store: Store, place: Place) -> None:
    entry = quarantined(recipients=(recipient("Ann@Home.EXAMPLE"),), time=NOW + 0.7)
    asyncio.run(store.journal.keep(entry))
    msgs = row(place, "msgs", MSGS)
    time_iso = "2026-02-02 02:40:00+00" if place.kind == "postgresql" else "20260202T024000Z"
    assert {
        "partition_tag": 0,
        "mail_id": entry.mail_id,
        "secret_id": entry.secret_id,
        "am_id": "00001-01",
        "time_num": 1_770_000_000,
        "time_iso": time_iso,
        "policy": "",
        "client_addr": "192.0.2.7",
        "size": len(entry.text or b"") - entry.prefix,
        "originating": "N",
        "content": "S",
        "quar_type": "Q",
        "quar_loc": entry.mail_id,
        "dsn_sent": "N",
        "spam_level": 6.001,
        "message_id": "<won-1@prizes.example>",
        "from_addr": "Big Prizes <win@prizes.example>",
        "subject": "You won",
        "host": "mail.home.example",
    } == {name: value for name, value in msgs.items() if name != "sid"}
    sender = place.one("SELECT email, domain FROM maddr WHERE id = ?", msgs["sid"])
    assert ("promo@news.spam.example", "example.spam.news") == sender
    msgrcpt = row(place, "msgrcpt", MSGRCPT)
    rcpt = place.one("SELECT email, domain FROM maddr WHERE id = ?", msgrcpt.pop("rid"))
    assert ("ann@home.example", "example.home") == rcpt
    assert {
        "partition_tag": 0,
        "mail_id": entry.mail_id,
        "rseqnum": 1,
        "is_local": "Y",
        "content": "S",
        "ds": "D",
        "rs": " ",
        "bl": "N",
        "wl": "N",
        "bspam_level": 6.001,
        "smtp_resp": "250 2.7.0 Ok, discarded, id=00001-01 - spam",
    } == msgrcpt


@pytest.mark.parametrize(
    ("action", "letter"),
    [("deliver", "P"), ("mark", "P"), ("quarantine", "D"), ("discard", "D"), ("reject", "R"), ("defer", "T")],
)
def test_each_action_has_its_letter(store: Store, place: Place, action: str, letter: str) -> None:
    asyncio.run(store.journal.keep(delivered(recipients=(recipient(action=action),))))
    assert letter == place.one("SELECT ds FROM msgrcpt")[0]


def test_a_delivered_message_has_no_quarantine(store: Store, place: Place) -> None:
    asyncio.run(store.journal.keep(delivered()))
    assert (" ", 0) == place.one("SELECT quar_type, length(quar_loc) FROM msgs")


def test_messages_of_one_batch_are_written_as_each_by_itself(store: Store, place: Place) -> None:
    """PostgreSQL takes several as lines of text, in which some characters stand for others."""
    subjects = [
        "back\\slash \\N \\. \\t",
        "tab\tand \u00fc\u4e2d\U0001f4e7",
        "",
        "\\N",
        "'quoted' \"so\" ,;{}",
        "plain",
    ]
    senders = ["a\\b@x.example", "\u00fc@x.example", "", "o'n@x.example", '"a\\\\b"@x.example', "a@x.example"]
    entries = [
        replace(delivered(mail_id=f"batch{number:07d}"), subject=subject, sender=sender)
        for number, (subject, sender) in enumerate(zip(subjects, senders, strict=True))
    ]
    for entry in entries:
        store.journal.note(entry)
    store.writer.close()
    statement = (
        "SELECT m.subject, a.email, l.took_ms, l.digest, l.campaign, m.spam_level FROM msgs m"
        " JOIN maddr a ON a.id = m.sid JOIN lz_msgs l ON l.mail_id = m.mail_id WHERE m.mail_id = ?"
    )
    for entry in entries:
        subject, sender, took_ms, digest, campaign, score = place.one(statement, entry.mail_id)
        assert entry.subject.replace("\t", "?") == subject
        assert entry.sender == sender
        assert (entry.took_ms, entry.digest or None, None) == (took_ms, digest, campaign)
        assert entry.score == pytest.approx(score)
    (hits,) = place.one("SELECT count(*) FROM lz_hits")
    assert sum(len({hit.symbol for hit in entry.hits}) for entry in entries) == hits


def test_the_null_sender_is_an_empty_address(store: Store, place: Place) -> None:
    asyncio.run(store.journal.keep(quarantined(sender="")))
    assert ("", "") == place.one("SELECT a.email, a.domain FROM msgs m JOIN maddr a ON a.id = m.sid")


def test_a_row_of_amavis_is_found_by_sql_with_text_parameters(store: Store, place: Place) -> None:
    """Web interfaces of amavis ask like this."""
    entry = quarantined(mail_id="012345678901")
    asyncio.run(store.journal.keep(entry))
    found = place.one(
        "SELECT m.mail_id FROM msgs m JOIN msgrcpt r ON r.mail_id = m.mail_id"
        " JOIN maddr a ON a.id = r.rid WHERE a.email = 'ann@home.example' AND m.mail_id = '012345678901'"
    )
    assert ("012345678901",) == found


def test_answers_of_the_next_hop_complete_a_kept_entry(store: Store, place: Place) -> None:
    bob = recipient("Bob@x.example", action="deliver", stored=False, response="")
    entry = quarantined(recipients=(recipient(), bob))
    asyncio.run(store.journal.keep(entry))
    refused = replace(bob, action="quarantine", stored=True, response="550 5.1.1 no", reason="refused")
    became = (entry.recipients[0], refused)
    asyncio.run(store.journal.answered(entry.mail_id, became, dsn_sent="Y", durable=True))
    detail = asyncio.run(store.quarantine.detail(entry.mail_id))
    responses = [copy.response for copy in detail.item.copies]
    assert ["250 2.7.0 Ok, discarded, id=00001-01 - spam", "550 5.1.1 no"] == responses
    assert ["quarantine", "quarantine"] == [copy.action for copy in detail.item.copies]
    assert State.QUARANTINED == detail.item.copies[1].state
    assert "refused" == detail.reasons["Bob@x.example"]
    assert ("D",) == place.one("SELECT ds FROM msgrcpt WHERE rseqnum = 2")
    assert ("Y",) == place.one("SELECT dsn_sent FROM msgs")


def test_a_file_that_is_gone_does_not_answer(file_store: Store) -> None:
    store = file_store
    assert isinstance(store.database, SqliteDatabase)
    asyncio.run(store.ping())
    store.database.path.unlink()
    with pytest.raises(StoreUnavailable, match="No such file"):
        asyncio.run(store.ping())


def test_who_was_served_is_remembered_for_the_retry_of_the_same_message(store: Store) -> None:
    journal = store.journal

    async def work() -> None:
        await journal.remember_done("4c1", "a@x", b"digest", {"Ann@home.example": "250 one"})
        await journal.remember_done("4c1", "a@x", b"digest", {"bob@home.example": "250 two"})
        await journal.remember_done("4c1", "a@x", b"digest", {"bob@home.example": "250 three"})
        served = {"Ann@home.example": "250 one", "bob@home.example": "250 three"}
        assert served == await journal.done_before("4c1", "a@x", b"digest")
        assert {} == await journal.done_before("4c2", "a@x", b"digest")
        assert {} == await journal.done_before("4c1", "b@x", b"digest")
        assert {} == await journal.done_before("4c1", "a@x", b"other")

    asyncio.run(work())


def test_after_seven_days_the_retries_are_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(store.journal.remember_done("4c1", "a@x", b"digest", {"ann@home.example": "250 one"}))
    monkeypatch.setattr(partial, "PARTIAL_DAYS", 0)
    assert {} == asyncio.run(store.journal.done_before("4c1", "a@x", b"digest"))


class Heard:
    """What processes of one machine tell each other."""

    def __init__(self) -> None:
        self.times = 0

    def count(self) -> float:
        return self.times

    def tell(self) -> None:
        self.times += 1


@pytest.mark.parametrize("most", [0, 1000], ids=["more than are known", "all are known"])
def test_what_another_process_remembers_counts_at_once(
    store: Store, place: Place, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(partial, "MOST", most)
    other = place.open()
    store.journal.partial.cue = other.journal.partial.cue = Heard()

    async def work() -> None:
        assert {} == await store.journal.done_before("4c1", "a@x", b"digest")
        await other.journal.remember_done("4c1", "a@x", b"digest", {"ann@home.example": "250 one"})
        assert {"ann@home.example": "250 one"} == await store.journal.done_before("4c1", "a@x", b"digest")
        assert {} == await store.journal.done_before("4c2", "a@x", b"digest")

    asyncio.run(work())
    other.close()


def test_what_another_machine_remembers_counts_within_a_second(store: Store, place: Place) -> None:
    other = place.open()
    now = 100.0
    store.journal.partial._clock = lambda: now

    async def work() -> None:
        nonlocal now
        assert {} == await store.journal.done_before("4c1", "a@x", b"digest")
        await other.journal.remember_done("4c1", "a@x", b"digest", {"ann@home.example": "250 one"})
        now += partial.LOOK_S
        assert {"ann@home.example": "250 one"} == await store.journal.done_before("4c1", "a@x", b"digest")

    asyncio.run(work())
    other.close()


def test_a_message_that_was_not_tried_before_is_asked_about_nowhere(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    run = store.lookup.run

    async def counted(work: Any) -> Any:
        nonlocal asked
        asked += 1
        return await run(work)

    monkeypatch.setattr(store.lookup, "run", counted)
    store.journal.partial._clock = lambda: 100.0

    async def work() -> None:
        for number in range(5):
            assert {} == await store.journal.done_before(f"4c{number}", "a@x", b"digest")

    asyncio.run(work())
    assert 1 == asked


def test_room_is_asked_of_the_file_system(tmp_path: Path) -> None:
    assert Room(tmp_path, 1).is_left()
    assert not Room(tmp_path, 1 << 62).is_left()
    with pytest.raises(StoreUnavailable):
        Room(tmp_path / "gone", 1).is_left()


def test_an_answer_about_room_holds_for_a_second(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    room = Room(place, 1)
    assert room.is_left()
    place.rmdir()
    assert room.is_left()


def test_a_full_disk_is_told_before_the_mail_is_taken(tmp_path: Path) -> None:
    store = open_store(URL, tmp_path, create=True, min_free=1 << 62)
    assert not asyncio.run(store.journal.has_room())
    store.close()
