"""Removing what was kept long enough."""

import asyncio
from pathlib import Path

from tests.support.mailroom import ANN, CLEAN, KILLED, NOW, SPAM, Mailroom, mail, mailroom
from tests.support.next_hop import next_hop

from lazaret.flow import expire
from lazaret.flow.expire import Expiry
from lazaret.model.keeping import DAY_S, Keeping

EXPIRY = Expiry(Keeping(30, 14, 90))


async def left(room: Mailroom) -> tuple[int, int]:
    """Messages that are there at all, and those that can be released."""
    found = [i async for i in room.desk.find("", everything=True)]
    return len(found), sum(i.stored for i in found)


def test_each_kind_goes_in_its_time(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            for points in (CLEAN, SPAM, KILLED):
                await room.send(mail(points), ANN)
            await room.find()
            found = []
            for days in (13.9, 14.1, 29.9, 30.1, 89.9, 90.1):
                await EXPIRY.run(
                    room.store.retention, room.store.sender_lists, clock=lambda days=days: NOW + days * DAY_S
                )
                found.append(await left(room))

            assert [2, 1, 1, 0, 0, 0] == [stored for _, stored in found]
            assert [3, 3, 3, 3, 3, 0] == [rows for rows, _ in found]

    asyncio.run(main())


def test_many_messages_go_in_small_batches(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(expire, "BATCH", 3)
    monkeypatch.setattr(expire, "PAUSE_S", 0.0)

    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            for _ in range(10):
                await room.send(mail(SPAM), ANN)
            removed = await EXPIRY.run(
                room.store.retention, room.store.sender_lists, clock=lambda: NOW + 100 * DAY_S
            )
            assert 10 <= removed
            assert (0, 0) == await left(room)

    asyncio.run(main())
