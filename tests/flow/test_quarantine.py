"""Releasing: to whom, once, and what is left when it is cut off."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.mailroom import ANN, BOB, OUTSIDE, SESSION, SPAM, Mailroom, below, mail, mailroom
from tests.support.next_hop import Hop, at_port, next_hop

from lazaret.flow.quarantine import Released
from lazaret.model.errors import NoSuchMessage, UserError
from lazaret.model.quarantine import State

REPOSITORY = Path(__file__).parents[2]
ID = re.compile(rb"^Resent-Message-ID: <(.*)>", re.MULTILINE)


async def quarantined(room: Mailroom, *to: str, octets: bytes = b"") -> str:
    """The id of a message that was quarantined just now."""
    await room.send(octets or mail(SPAM), *to or (ANN,))
    return room.handled[-1].entry.mail_id


def said(released: tuple[Released, ...]) -> list[tuple[str, bool, str]]:
    return [(r.recipient, r.sent, str(r.reply)[:3]) for r in released]


def test_a_release_goes_to_those_whose_copy_was_kept_from_them_and_nobody_else(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, always_deliver=["bob@"]) as room:
            mail_id = await quarantined(room, ANN, BOB, OUTSIDE)
            released = await room.desk.release(mail_id, who="test")

            assert [(ANN, True, "250"), (OUTSIDE, True, "250")] == said(released)
            assert {ANN: 1, BOB: 1, OUTSIDE: 1} == hop.copies
            assert str(released[0].reply).startswith("250 2.0.0 from MTA(smtp:[127.0.0.1]:")
            assert str(released[0].reply).endswith(": 250 2.0.0 Ok: queued as Q1")
            assert {ANN: "released", OUTSIDE: "released", BOB: "delivered"} == await room.states()

    asyncio.run(main())


def test_a_released_message_carries_resent_fields_above_what_came_in(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            mail_id = await quarantined(room)
            await room.desk.release(mail_id, who="test", requested_by="chief@home.example")
            octets = hop.received[0].octets

            assert mail(SPAM) == below(octets, b"Resent-Message-ID")
            assert [
                b"Received",
                b"Resent-From",
                b"Resent-To",
                b"Resent-Date",
                b"Resent-Message-ID",
            ] == re.findall(rb"^(\S+):", octets[: -len(mail(SPAM))], re.MULTILINE)
            assert b"\r\nResent-From: <chief@home.example>\r\nResent-To: <ann@home.example>\r\n" in octets
            assert octets.startswith(
                b"Received: from localhost ([127.0.0.1])\r\n\tby localhost (filter.example "
            )

    asyncio.run(main())


def test_recipients_of_one_release_do_not_learn_of_each_other(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await room.desk.release(await quarantined(room, ANN, BOB), who="test")
            assert b"Resent-To: undisclosed-recipients:;\r\n" in hop.received[0].octets
            assert ANN.encode() not in hop.received[0].octets

    asyncio.run(main())


def test_a_mailbox_that_is_named_in_two_ways_gets_one_copy(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            mail_id = await quarantined(room, "Ann@Home.Example", ANN)
            released = await room.desk.release(mail_id, who="test")
            assert [("Ann@Home.Example", True, "250")] == said(released)

    asyncio.run(main())


def test_other_recipients_may_be_named_ours_only_unless_told_otherwise(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            mail_id = await quarantined(room)
            assert [(BOB, True, "250")] == said(await room.desk.release(mail_id, who="test", to=[BOB]))
            for address, status in ((OUTSIDE, 77), ("no address", 65), ("a@b@home.example", 65), ("", 65)):
                with pytest.raises(UserError) as failed:
                    await room.desk.release(mail_id, who="test", to=[address])
                assert status == failed.value.exit_code
            released = await room.desk.release(mail_id, who="test", to=[OUTSIDE], outside=True)

            assert [(OUTSIDE, True, "250")] == said(released)
            assert {BOB: 1, OUTSIDE: 1} == hop.copies
            assert {ANN: "quarantined"} == await room.states()

    asyncio.run(main())


def test_whom_a_message_was_meant_for_may_have_any_address(tmp_path: Path):
    """Addresses with a dot in the wrong place are in use, and the MTA has accepted them."""

    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            odd = "odd..one.@home.example"
            mail_id = await quarantined(room, odd)
            assert [(odd, True, "250")] == said(await room.desk.release(mail_id, who="test", to=[odd]))

    asyncio.run(main())


def test_a_message_that_is_not_there_cannot_be_released(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await room.send(mail(), ANN)
            [item] = await room.find()
            for mail_id in ("AAAAAAAAAAAA", item.mail_id):
                with pytest.raises(NoSuchMessage):
                    await room.desk.release(mail_id, who="test")

    asyncio.run(main())


def test_what_is_released_is_not_released_again_unless_asked(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            mail_id = await quarantined(room)
            await room.desk.release(mail_id, who="test")
            [second] = await room.desk.release(mail_id, who="test")
            assert (False, State.RELEASED) == (second.sent, second.state)
            assert "already released; --again sends it once more (250 2.0.0 from MTA(" in str(second.reply)
            [third] = await room.desk.release(mail_id, who="test", again=True)
            assert third.sent
            assert {ANN: 2} == hop.copies
            assert 2 == len({ID.search(octets)[1] for octets in hop.of(ANN)})  # type: ignore[index]

    asyncio.run(main())


def test_a_deferred_release_stays_releasable_and_a_refused_one_is_recorded(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            mail_id = await quarantined(room, ANN, BOB)
            hop.rcpt |= {ANN: "450 4.2.0 busy", BOB: "550 5.1.1 unknown"}
            assert [(ANN, True, "450"), (BOB, True, "550")] == said(
                await room.desk.release(mail_id, who="test")
            )
            assert {ANN: "quarantined", BOB: "quarantined"} == await room.states()
            records = (await room.desk.show(mail_id)).releases
            assert [("deferred", "450 4.2.0"), ("refused", "550 5.1.1")] == [
                (r.state, r.response[:9]) for r in records
            ]
            hop.rcpt.clear()
            assert [(ANN, True, "250"), (BOB, True, "250")] == said(
                await room.desk.release(mail_id, who="test")
            )
            assert {ANN: 1, BOB: 1} == hop.copies

    asyncio.run(main())


def test_a_release_while_the_next_hop_is_down_can_be_repeated(tmp_path: Path):
    async def main() -> None:
        async with mailroom(tmp_path, at_port(1)) as room:
            mail_id = await quarantined(room)
            assert [(ANN, True, "451")] == said(await room.desk.release(mail_id, who="test"))
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            assert [(ANN, True, "250")] == said(await room.desk.release(mail_id, who="test"))

    asyncio.run(main())


def test_two_releases_at_once_in_one_process_deliver_once(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            mail_id = await quarantined(room)
            both = await asyncio.gather(*(room.desk.release(mail_id, who="test") for _ in range(5)))
            assert 1 == sum(r.sent for released in both for r in released)
            assert {ANN: 1} == hop.copies

    asyncio.run(main())


# Several processes

PROGRAM = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from tests.support.mailroom import mailroom
    from tests.support.next_hop import at_port

    async def main(folder, port, mail_id):
        async with mailroom(Path(folder), at_port(int(port))) as room:
            print("ready", flush=True)
            sys.stdin.readline()
            for one in await room.desk.release(mail_id, who="other"):
                print(one.sent, one.reply, flush=True)

    asyncio.run(main(*sys.argv[1:]))
    """
)


def process(folder: Path, hop: Hop, mail_id: str) -> "subprocess.Popen[str]":
    """Another process that is about to release the message; a line on its stdin lets it begin."""
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), str(hop.at.endpoint.port), mail_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert started.stdout is not None
    assert "ready\n" == started.stdout.readline()
    return started


def test_two_processes_that_release_at_once_deliver_once(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            mail_id = await quarantined(room)
            both = [await asyncio.to_thread(process, tmp_path, hop, mail_id) for _ in range(2)]
            output = await asyncio.gather(*(asyncio.to_thread(p.communicate, "\n") for p in both))

            assert [True, False] == sorted((out.startswith("True 250") for out, _ in output), reverse=True)
            assert {ANN: 1} == hop.copies

    asyncio.run(main())


def test_a_release_cut_off_between_sending_and_recording_is_uncertain(tmp_path: Path):
    """It may have been sent, so it is not sent again by itself; sent again, it has the same identity."""

    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            mail_id = await quarantined(room)
            killed = await asyncio.to_thread(process, tmp_path, hop, mail_id)

            def kill(message: object) -> None:
                os.kill(killed.pid, signal.SIGKILL)
                killed.wait()

            hop.pause = kill
            await asyncio.to_thread(killed.communicate, "\n")
            hop.pause = lambda message: None

            assert {ANN: 1} == hop.copies
            assert {ANN: "uncertain"} == await room.states()
            [again] = await room.desk.release(mail_id, who="test")
            assert (False, State.UNCERTAIN) == (again.sent, again.state)
            assert {ANN: 1} == hop.copies
            [again] = await room.desk.release(mail_id, who="test", again=True)
            assert again.sent
            assert {ANN: "released"} == await room.states()
            assert 1 == len({ID.search(octets)[1] for octets in hop.of(ANN)})  # type: ignore[index]

    asyncio.run(main())


# Passing through the filter again


@pytest.mark.parametrize("head", [b"", b" begins like a continuation\r\n", b"Resent-Message-ID: <old@x>\r\n"])
def test_a_release_that_comes_through_the_filter_is_recognised_once_per_recipient(
    tmp_path: Path, head: bytes
):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            mail_id = await quarantined(room, ANN, BOB, octets=head + mail(SPAM))
            await room.desk.release(mail_id, who="test")
            copy = b"Received: from here by mta.example (Postfix)\r\n" + hop.received[0].octets

            for recipient in (ANN, BOB):
                assert (await room.send(copy, recipient)).startswith("250 2.0.0 from MTA(")
                assert hop.received[-1].octets.endswith(copy)
            assert {ANN: 2, BOB: 2} == hop.copies
            for recipient in (ANN, BOB):
                assert (await room.send(copy, recipient)).startswith("250 2.7.0 Ok, discarded")

    asyncio.run(main())


def test_another_message_under_the_identity_of_a_release_is_filtered(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await room.desk.release(await quarantined(room), who="test")
            copy = hop.received[0].octets
            other_id = copy.replace(b"Resent-Message-ID: <", b"Resent-Message-ID: <A")
            for octets, recipient in ((copy + b"more\r\n", ANN), (copy, BOB), (other_id, ANN)):
                assert (await room.send(octets, recipient)).startswith("250 2.7.0")
            assert {ANN: 1} == hop.copies

    asyncio.run(main())


def test_a_release_that_is_deferred_behind_the_filter_is_recognised_when_it_comes_back(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await room.desk.release(await quarantined(room, ANN, BOB), who="test")
            copy = hop.received.pop().octets
            hop.rcpt[BOB] = "450 4.2.0 busy"
            session = replace(SESSION, queue_id="second")
            assert (await room.send(copy, ANN, BOB, session=session)).startswith("450")
            hop.rcpt.clear()
            assert (await room.send(copy, ANN, BOB, session=session)).startswith("250 2.0.0")

            assert {ANN: 1, BOB: 1} == hop.copies

    asyncio.run(main())


def test_a_release_that_is_refused_for_some_behind_the_filter_goes_back_into_the_quarantine(tmp_path: Path):
    """No notification: the sender of quarantined mail may be forged."""

    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await room.desk.release(await quarantined(room, ANN, BOB), who="test")
            copy = hop.received.pop().octets
            hop.rcpt[BOB] = "550 5.1.1 unknown"
            assert (await room.send(copy, ANN, BOB)).startswith("250 2.0.0")

            assert {ANN: 1} == hop.copies
            [item] = await room.find("state:quarantined")
            assert [BOB] == [c.address for c in item.copies if c.state == "quarantined"]

    asyncio.run(main())
