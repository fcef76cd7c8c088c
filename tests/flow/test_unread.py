"""A message that no process survives reading: kept or passed on, and answered honestly."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.mailroom import ANN, BOB, NOW, SESSION, SITE, Mailroom, mail, mailroom
from tests.support.next_hop import next_hop

from lazaret.flow.deliver import Courier
from lazaret.flow.unread import Unread
from lazaret.model.envelope import Envelope, Recipient, Role
from lazaret.model.verdict import Policy
from lazaret.policy.lookup import Lookup

SENDER = "sender@out.example"


def unread(room: Mailroom, *, observe: bool = False) -> Unread:
    return Unread(
        courier=Courier(room.relay, room.store.journal, SITE, unchanged=observe),
        journal=room.store.journal,
        lookup=Lookup(Policy(), local_domains=["home.example"]),
        site=SITE,
        is_originating=lambda session: session.role is Role.ORIGINATING,
        record=room.handled.append,
        observe=observe,
        clock=lambda: NOW,
    )


async def take(
    taker: Unread, *to: str, sender: str = SENDER, role: Role = Role.AFTER_QUEUE, lmtp: bool = False
) -> list[str]:
    envelope = Envelope(sender, tuple(map(Recipient, to)))
    replies = await taker.take(replace(SESSION, role=role), envelope, mail(), reply_each=lmtp)
    return [str(reply)[:9] for reply in replies]


@pytest.mark.parametrize("lmtp", [False, True])
def test_it_is_quarantined_for_everybody_and_its_sender_is_told_nothing(tmp_path: Path, lmtp: bool):
    async def work() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            assert ["250 2.7.0"] * (2 if lmtp else 1) == await take(unread(room), ANN, BOB, lmtp=lmtp)
            (item,) = await room.find()

            assert ("U", ["quarantined"] * 2) == (item.category, [str(c.state) for c in item.copies])
            assert "not read" in item.subject
            assert mail() == (await room.desk.text(item.mail_id, who="test")).message
            assert [] == hop.received
            assert room.handled[-1].stored

    asyncio.run(work())


def test_our_own_user_is_told_and_the_copy_is_kept(tmp_path: Path):
    async def work() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            told = await take(unread(room), "zoe@far.example", sender=ANN, role=Role.ORIGINATING)
            (item,) = await room.find()

            assert ["554 5.7.0"] == told
            assert mail() == (await room.desk.text(item.mail_id, who="test")).message

    asyncio.run(work())


def test_in_mode_observe_it_goes_on_as_it_came(tmp_path: Path):
    async def work() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            assert ["250 2.0.0"] == await take(unread(room, observe=True), ANN)
            assert [mail()] == hop.of(ANN)

    asyncio.run(work())


def test_while_the_database_is_gone_it_stays_with_the_client(tmp_path: Path):
    async def work() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            taker = unread(room)
            (tmp_path / "lazaret.db").unlink()

            assert ["451 4.5.0"] == await take(taker, ANN)
            assert [] == hop.received

    asyncio.run(work())
