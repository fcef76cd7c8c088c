"""Teaching: from mailboxes, from the quarantine, and in a user's name."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.flow.lessons import LIMIT, ROOT, School
from tests.learn.mail import mail as sample
from tests.support.mailroom import ANN, BOB, SPAM, SPAMMY, Mailroom, mail, mailroom
from tests.support.next_hop import next_hop

from lazaret.model.errors import NoSuchMessage, UserError
from lazaret.model.lesson import Taught
from lazaret.store.opening import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store("sqlite:///lazaret.db", tmp_path / "data", create=True)
    yield opened
    opened.close()


def counts(store: Store) -> tuple[int, int]:
    figures = asyncio.run(store.lessons.figures())
    return figures.spam, figures.ham


def test_many_messages_are_taught_in_one_go(store, tmp_path):
    school = School(store, tmp_path)
    tally = school.teach("spam", [*range(250), 3, 4])

    assert (252, 250, 2) == (tally.messages, tally.fates[Taught.NEW], tally.fates[Taught.KNOWN])
    assert (250, 0) == counts(store)


def test_what_was_taught_of_a_message_is_forgotten(store, tmp_path):
    school = School(store, tmp_path)
    school.teach("spam", range(3))

    assert 1 == asyncio.run(school.teaching.forget_messages([sample("spam", 1), sample("spam", 99)]))
    assert (2, 0) == counts(store)


async def scanned(room: Mailroom, points: float, subject: bytes, *to: str) -> None:
    await room.send(mail(points).replace(b"news", subject).replace(b"<1@", b"<" + subject + b"@"), *to)
    await room.find()


def test_a_user_teaches_what_was_delivered_to_him_and_nothing_else(tmp_path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            school = await asyncio.to_thread(School, room.store, tmp_path)
            await scanned(room, SPAMMY, b"marked", ANN)
            delivered = hop.received[0].octets
            assert b"***SPAM***" in delivered
            # as Dovecot keeps it
            kept = b"Return-Path: <x>\n" + delivered.replace(b"\r\n", b"\n")
            teach = school.teaching.teach_for_user

            assert Taught.NEW == await teach(kept, spam=True, user="Ann@Home.example")
            assert Taught.KNOWN == await teach(kept, spam=True, user=ANN)
            assert Taught.MOVED == await teach(kept, spam=False, user=ANN)
            with pytest.raises(UserError, match="not examined here for bob@home"):
                await teach(kept, spam=True, user=BOB)
            with pytest.raises(UserError, match="not examined"):
                await teach(mail().replace(b"<1@", b"<other@"), spam=True, user=ANN)

    asyncio.run(main())


def test_without_our_field_a_message_is_known_by_its_message_id(tmp_path):
    """In observe mode nothing is added to mail."""

    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            school = await asyncio.to_thread(School, room.store, tmp_path)
            await scanned(room, 0.0, b"plain", ANN)
            came = mail().replace(b"news", b"plain").replace(b"<1@", b"<plain@")

            assert Taught.NEW == await school.teaching.teach_for_user(came, spam=True, user=ANN)
            assert Taught.NEW == await school.teaching.teach_for_user(came + b"more", spam=True, user=ANN)
            figures = await room.store.lessons.figures()
            assert 1 == figures.spam

    asyncio.run(main())


def test_a_user_has_a_daily_limit_and_an_operator_has_none(tmp_path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            school = await asyncio.to_thread(School, room.store, tmp_path)
            fates = []
            for number in range(LIMIT.most + 1):
                await room.send(mail().replace(b"<1@", b"<%d@" % number), ANN)
            await room.find()
            for copy in hop.received:
                fates.append(await school.teaching.teach_for_user(copy.octets, spam=True, user=ANN))
            rows = await room.store.lessons.after(0, 1000)

            assert [Taught.NEW] * LIMIT.most + [Taught.ENOUGH] == fates
            assert [1.0] * LIMIT.daily == [row.weight for row in rows[: LIMIT.daily]]
            assert {LIMIT.less} == {row.weight for row in rows[LIMIT.daily :]}

    asyncio.run(main())


def test_a_quarantined_message_is_taught_by_its_id_and_is_the_one_of_the_mailbox(tmp_path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            school = await asyncio.to_thread(School, room.store, tmp_path)
            await scanned(room, SPAM, b"kept", ANN)
            (item,) = await room.find()
            teach = school.teaching.teach_stored

            assert Taught.NEW == await teach(item.mail_id, spam=True, who=ROOT)
            released = mail(SPAM).replace(b"news", b"kept").replace(b"<1@", b"<kept@")
            again = await school.teaching.teach([released], spam=True, who=ROOT)
            assert 1 == again.fates[Taught.KNOWN]
            with pytest.raises(NoSuchMessage):
                await teach("nobodyknows1", spam=True, who=ROOT)

    asyncio.run(main())


def test_what_is_no_address_teaches_nothing(store, tmp_path):
    with pytest.raises(UserError, match="not a mail address"):
        asyncio.run(School(store, tmp_path).teaching.teach_for_user(b"x: y\n\n", spam=True, user="nobody"))
