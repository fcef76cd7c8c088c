"""Promise 1: 250 means that every copy is at the next hop, in the quarantine, or killed by policy."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.mailroom import (
    ANN,
    BOB,
    CAT,
    CLEAN,
    KILLED,
    SENDER,
    SESSION,
    SPAM,
    SPAMMY,
    Mailroom,
    mail,
    mailroom,
)
from tests.support.next_hop import Hop, at_port, next_hop

from lazaret.flow.filter import Rules
from lazaret.model.envelope import Recipient, Role
from lazaret.model.verdict import Levels, Policy

BIG = b"x" * 60_000 + b"\r\n"
LATER = "450 4.2.0 mailbox busy"
NEVER = "550 5.1.1 no such user"
BEFORE = replace(SESSION, role=Role.BEFORE_QUEUE)
POSTMASTER = "postmaster@home.example"


# What is said when something is down


def test_a_next_hop_that_is_down_leaves_the_mail_with_the_client(tmp_path: Path):
    async def main() -> None:
        async with mailroom(tmp_path, at_port(1)) as room:
            reply = await room.send(mail(), ANN)

            assert reply.startswith("451 4.5.0 From MTA() during fwd-connect (All attempts (1) failed")
            assert {ANN: "deferred"} == await room.states()

    asyncio.run(main())


def test_a_quarantine_that_cannot_be_written_leaves_the_mail_with_the_client(tmp_path: Path):
    """And nothing is delivered to the others, because the client will bring the whole message again."""

    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, always_deliver=["bob@"]) as room:
            await fill(room)
            reply = await room.send(mail(SPAM, body=BIG), ANN, BOB)
            assert reply.startswith("451 4.5.0 Error in processing, id=")
            assert [] == hop.received
            await empty(room)
            await room.send(mail(SPAM, body=BIG), ANN, BOB)

            assert {BOB: 1} == hop.copies
            assert 1 == len(await room.find())

    asyncio.run(main())


def test_a_database_whose_files_are_gone_takes_no_message(tmp_path: Path):
    """SQLite would go on writing to the deleted file, and say that all went well."""
    files = ("lazaret.db", "lazaret.db-wal", "lazaret.db-shm")

    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            assert (await room.send(mail(SPAM), ANN)).startswith("250")
            for file in files:
                (tmp_path / file).unlink()
            assert (await room.send(mail(SPAM), ANN)).startswith("451")
            assert [] == hop.received

    asyncio.run(main())


def test_a_history_that_cannot_be_written_stops_no_delivery(tmp_path: Path):
    """Once the next hop has the message, a 451 would only make it come twice."""

    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await fill(room)
            assert (await room.send(mail(CLEAN), ANN)).startswith("250")
            assert {ANN: 1} == hop.copies

    asyncio.run(main())


def test_what_cannot_be_recorded_after_the_delivery_is_not_asked_for_again(tmp_path: Path):
    """Ann's copy is committed and Bob's is being delivered when the database goes away for a moment."""
    file, elsewhere = tmp_path / "lazaret.db", tmp_path / "elsewhere"

    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, always_deliver=["bob@"]) as room:
            hop.pause = lambda message: file.rename(elsewhere) and None
            reply = await room.send(mail(SPAM), ANN, BOB)
            elsewhere.rename(file)

            assert reply.startswith("250 2.0.0 from MTA(")
            assert {BOB: 1} == hop.copies
            assert ["quarantined"] == [
                c.state for i in await room.find() for c in i.copies if c.address == ANN
            ]

    asyncio.run(main())


async def fill(room: Mailroom) -> None:
    """From now on the database can grow no further: SQLITE_FULL, as on a full disk."""
    await room.store.writer.run(lambda connection: connection.execute("PRAGMA max_page_count = 1"))


async def empty(room: Mailroom) -> None:
    """The disk has room again."""
    await room.store.writer.run(lambda connection: connection.execute("PRAGMA max_page_count = 1073741823"))


# One recipient now, another later


def test_after_a_4xx_for_one_recipient_a_retry_brings_each_exactly_one_copy(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            hop.rcpt[BOB] = LATER
            first = await room.send(mail(), ANN, BOB, CAT)
            second = await room.send(mail(), ANN, BOB, CAT)
            hop.rcpt.clear()
            third = await room.send(mail(), ANN, BOB, CAT)

            assert ["450", "450", "250"] == [r[:3] for r in (first, second, third)]
            assert {ANN: 1, BOB: 1, CAT: 1} == hop.copies

    asyncio.run(main())


def test_the_retry_is_recognised_after_a_restart(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop:
            hop.rcpt[BOB] = LATER
            async with mailroom(tmp_path, hop.at) as room:
                await room.send(mail(), ANN, BOB)
            hop.rcpt.clear()
            async with mailroom(tmp_path, hop.at) as room:
                assert (await room.send(mail(), ANN, BOB)).startswith("250")

            assert {ANN: 1, BOB: 1} == hop.copies

    asyncio.run(main())


def test_what_was_quarantined_before_a_4xx_is_not_quarantined_again(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, always_deliver=["bob@"]) as room:
            hop.rcpt[BOB] = LATER
            assert (await room.send(mail(SPAM), ANN, BOB)).startswith("450")
            hop.rcpt.clear()
            assert (await room.send(mail(SPAM), ANN, BOB)).startswith("250")

            assert {BOB: 1} == hop.copies
            assert 1 == len(await room.find("state:quarantined"))

    asyncio.run(main())


def test_a_retry_whose_recipients_were_all_served_is_answered_as_before(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            hop.rcpt[BOB] = LATER
            await room.send(mail(), ANN, BOB)
            assert (await room.send(mail(), ANN)).startswith("250 2.0.0 from MTA(")
            assert {ANN: 1} == hop.copies

    asyncio.run(main())


def test_another_message_is_not_taken_for_the_retry(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            hop.rcpt[BOB] = LATER
            await room.send(mail(), ANN, BOB)
            hop.rcpt.clear()
            await room.send(mail(), ANN, BOB, session=replace(SESSION, queue_id="another"))
            await room.send(mail(body=b"other\r\n"), ANN, BOB)

            assert {ANN: 3, BOB: 2} == hop.copies

    asyncio.run(main())


def test_over_lmtp_each_recipient_has_the_answer_of_the_next_hop(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            hop.rcpt |= {BOB: LATER, CAT: NEVER}
            replies = await room.send(mail(), ANN, BOB, CAT, ANN, lmtp=True)

            assert ["250", "450", "550", "250"] == [r[:3] for r in replies.split("\n")]
            assert {ANN: 1} == hop.copies

    asyncio.run(main())


def test_a_recipient_named_twice_gets_one_copy(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await room.send(mail(), ANN, BOB, ANN)
            await room.send(mail(SPAM), ANN, ANN)

            assert {ANN: 1, BOB: 1} == hop.copies
            [item] = await room.find("state:quarantined")
            assert [ANN] == [c.address for c in item.copies]

    asyncio.run(main())


# Refused by the next hop


def test_when_the_next_hop_refuses_all_the_client_hears_it(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            hop.rcpt |= {ANN: NEVER, BOB: NEVER}
            assert (await room.send(mail(), ANN, BOB)).startswith("550 5.1.1 from MTA(")
            assert [] == hop.received
            assert {ANN: "refused", BOB: "refused"} == await room.states()

    asyncio.run(main())


def test_a_refusal_of_some_is_told_to_the_sender_before_we_say_250(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            hop.rcpt |= {BOB: NEVER}
            reply = await room.send(mail(), BOB, ANN)

            assert reply.startswith("250 2.0.0 from MTA(")
            assert reply.endswith("Ok: queued as Q0, but 1 BOUNCE")
            assert {ANN: 1, SENDER: 1} == hop.copies
            assert "" == hop.received[1].envelope.sender
            assert {ANN: "delivered", BOB: "refused"} == await room.states()

    asyncio.run(main())


def test_a_notification_that_is_deferred_defers_the_message_until_it_is_taken(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            hop.rcpt |= {BOB: NEVER, SENDER: LATER}
            assert (await room.send(mail(), ANN, BOB)).startswith("450")
            del hop.rcpt[SENDER]
            assert (await room.send(mail(), ANN, BOB)).startswith("250")

            assert {ANN: 1, SENDER: 1} == hop.copies

    asyncio.run(main())


@pytest.mark.parametrize(
    ("points", "sender", "recipient"),
    [
        (CLEAN, "", Recipient(BOB)),
        (CLEAN, SENDER, Recipient(BOB, notify="NEVER")),
        (SPAMMY, SENDER, Recipient(BOB)),
    ],
    ids=["null sender", "NOTIFY=NEVER", "score at mark or above"],
)
def test_where_the_sender_may_not_be_told_the_refused_copy_is_quarantined(
    tmp_path: Path, points: float, sender: str, recipient: Recipient
):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            hop.rcpt[BOB] = NEVER
            reply = await room.send(mail(points), ANN, recipient, sender=sender)

            assert reply.startswith("250 2.0.0 from MTA(")
            assert {ANN: 1} == hop.copies
            assert {ANN: "delivered", BOB: "quarantined"} == await room.states()
            await release_to_bob(room, hop)

    asyncio.run(main())


def test_a_refused_copy_joins_those_that_are_quarantined_already(tmp_path: Path):
    """Ann is quarantined, the postmaster gets his copy, and Bob's is refused: it can be released."""

    async def main() -> None:
        everyone = ["postmaster@", "bob@"]
        async with next_hop() as hop, mailroom(tmp_path, hop.at, always_deliver=everyone) as room:
            hop.rcpt[BOB] = NEVER
            reply = await room.send(mail(SPAM), ANN, BOB, POSTMASTER)

            assert reply.startswith("250")
            assert {POSTMASTER: 1} == hop.copies
            states = {ANN: "quarantined", BOB: "quarantined", POSTMASTER: "delivered"}
            assert states == await room.states()
            assert 1 == len(await room.find())
            await release_to_bob(room, hop, 2)

    asyncio.run(main())


async def release_to_bob(room: Mailroom, hop: Hop, all_released: int = 1) -> None:
    hop.rcpt.clear()
    [item] = await room.find("state:quarantined")
    released = await room.desk.release(item.mail_id, who="test")
    assert [True] * all_released == [r.sent and r.reply.positive for r in released]
    assert 1 == hop.copies[BOB]


def test_a_notification_that_is_refused_too_leaves_the_copy_in_the_quarantine(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            hop.rcpt |= {BOB: NEVER, SENDER: NEVER}
            assert (await room.send(mail(), ANN, BOB)).startswith("250")

            assert {ANN: 1} == hop.copies
            assert {ANN: "delivered", BOB: "quarantined"} == await room.states()

    asyncio.run(main())


@pytest.mark.parametrize("points", [SPAM, KILLED])
def test_quarantined_and_killed_mail_never_makes_a_notification(tmp_path: Path, points: float):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, always_deliver=["postmaster@"]) as room:
            hop.rcpt[POSTMASTER] = NEVER
            wanted = Recipient(ANN, notify="SUCCESS,FAILURE,DELAY"), Recipient(POSTMASTER, notify="FAILURE")
            reply = await room.send(mail(points), *wanted)

            assert reply.startswith("250")
            assert Counter() == hop.copies
            assert {ANN: "quarantined", POSTMASTER: "quarantined"} == await room.states()

    asyncio.run(main())


# Refused by us


def test_before_the_queue_a_killed_message_is_refused(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            assert (await room.send(mail(KILLED), ANN, BOB, session=BEFORE)).startswith(
                "554 5.7.0 Reject, id="
            )
            assert [] == hop.received

    asyncio.run(main())


def test_one_reply_for_all_never_refuses_what_one_recipient_gets(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, always_deliver=["postmaster@"]) as room:
            reply = await room.send(mail(KILLED), ANN, POSTMASTER, session=BEFORE)

            assert reply.startswith("250 2.0.0 from MTA(")
            assert reply.endswith(", but 1 DISCARD")
            assert {ANN: "quarantined", POSTMASTER: "delivered"} == await room.states()

    asyncio.run(main())


def test_a_refusal_does_not_follow_an_earlier_attempt_that_served_somebody(tmp_path: Path):
    """The postmaster's copy is out; a 554 now would tell the sender that nobody has the message."""

    async def main() -> None:
        async with (
            next_hop() as hop,
            mailroom(tmp_path, hop.at, always_deliver=["postmaster@", "bob@"]) as room,
        ):
            hop.rcpt[BOB] = LATER
            assert (await room.send(mail(KILLED), POSTMASTER, BOB, session=BEFORE)).startswith("450")
            reply = await room.send(mail(KILLED), POSTMASTER, ANN, session=BEFORE)

            assert reply.startswith("250")
            assert {POSTMASTER: 1} == hop.copies
            assert 1 == len(await room.find("state:quarantined"))

    asyncio.run(main())


def test_a_killed_message_is_discarded_after_the_queue_and_kept_for_a_while(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            assert (await room.send(mail(KILLED), ANN)).startswith("250 2.7.0 Ok, discarded, id=")
            assert {ANN: "quarantined"} == await room.states()
            assert [] == hop.received

    asyncio.run(main())


def test_a_killed_message_that_is_not_to_be_kept_leaves_its_history_row(tmp_path: Path):
    async def main() -> None:
        rules = Rules(keep_killed=False)
        async with next_hop() as hop, mailroom(tmp_path, hop.at, rules=rules) as room:
            assert (await room.send(mail(KILLED), ANN)).startswith("250 2.7.0 Ok, discarded")
            [item] = await room.find()
            assert ("discard", False) == (item.copies[0].action, item.stored)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("own", "hops", "code"), [(10, 0, "554"), (9, 0, "250"), (0, 100, "554"), (0, 99, "250")]
)
def test_a_loop_is_broken(tmp_path: Path, own: int, hops: int, code: str):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            mine = (
                b"Received: from a\r\n\tby localhost (filter.example [127.0.0.1]) (lazaret, port 10024)\r\n"
            )
            other = b"Received: from a by b (Postfix)\r\n"
            reply = await room.send(mail(header=own * mine + hops * other), ANN)

            assert code == reply[:3]
            if code == "554":
                assert reply.startswith("554 5.4.6 Reject: Too many hops: ")
            assert (code == "250") == bool(hop.received)

    asyncio.run(main())


def test_a_message_that_breaks_the_filter_stays_with_the_client(tmp_path: Path):
    """Whatever goes wrong in here, it is no answer about the message."""

    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, policy=Policy(Levels(mark="?"))) as room:  # type: ignore[arg-type]
            assert (await room.send(mail(), ANN)).startswith("451 4.5.0 Error in processing, id=")
            assert [] == hop.received

    asyncio.run(main())


def test_all_kinds_of_recipients_at_once_are_each_served(tmp_path: Path):
    """Quarantined, marked, delivered outside, refused and deferred: after the retry all is done, once."""

    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, always_deliver=["bob@", "cat@"]) as room:
            hop.rcpt |= {CAT: LATER}
            assert (await room.send(mail(SPAM), ANN, BOB, CAT)).startswith("450")
            hop.rcpt |= {CAT: NEVER}
            assert (await room.send(mail(SPAM), ANN, BOB, CAT)).startswith("250")

            assert {BOB: 1} == hop.copies
            items = await room.find("state:quarantined")
            assert [ANN, CAT] == sorted(
                c.address for i in items for c in i.copies if c.state == "quarantined"
            )

    asyncio.run(main())
