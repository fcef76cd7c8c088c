"""Promise 2: what is released is what came in, byte for byte, below the header fields that we add."""

import asyncio
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.mailroom import ANN, BOB, OUTSIDE, SPAM, SPAMMY, Mailroom, Points, mail, mailroom
from tests.support.next_hop import Hop, next_hop

from lazaret.flow.filter import Rules
from lazaret.model.verdict import Levels, Policy

EVERYTHING = Policy(Levels(mark=-1.0, quarantine=-1.0, kill=None))
"""Quarantines whatever comes."""

HEAD = b"From: a@out.example\r\nSubject: odd\r\n"
ODD = {
    "bare CR": HEAD + b"\r\none\rtwo\r\r\nthree\r\n",
    "NUL": HEAD + b"X-Nul: \0\r\n\r\n\0\0 zero \0\r\n",
    "8-bit": HEAD + b"X-Raw: \xff\xfe\r\n\r\ncaf\xe9 \x80\xff\r\n",
    "UTF-8": HEAD + "X-Utf: żółw\r\n\r\nzażółć\r\n".encode(),
    "long lines": HEAD + b"X-Long: " + b"y" * 5000 + b"\r\n\r\n" + b"z" * 100_000 + b"\r\n",
    "dots": HEAD + b"\r\n.\r\n..\r\n.dot\r\n...\r\n",
    "dot first": b".leading: x\r\n\r\nbody\r\n",
    "no header": b"\r\njust a body\r\n",
    "no separator": b"this is no header at all\r\nnor this\r\n",
    "header only": HEAD,
    "empty": b"",
    "one line end": b"\r\n",
    "blank first": b" looks like a continuation\r\n" + HEAD + b"\r\nbody\r\n",
    "From line": b"From a@out.example Sat Jan  3 01:05:34 2026\r\n" + HEAD + b"\r\nbody\r\n",
    "trailing blanks": HEAD + b"X-Blank:   \t \r\n\r\nbody  \t\r\n\t\r\n\r\n\r\n",
    "odd folds": b"Subject:\r\n\t\r\n \r\n  folded\r\n" + HEAD + b"\r\n",
    "no final newline": HEAD + b"\r\nlast line without end",
    "bare LF": HEAD.replace(b"\r\n", b"\n") + b"\none\ntwo\r\nthree\n",
}


def on_the_wire(octets: bytes) -> bytes:
    """What SMTP makes of it: a message cannot end within a line, and a bare LF must not be sent."""
    octets = re.sub(rb"(?<!\r)\n", b"\r\n", octets)
    return octets if not octets or octets.endswith(b"\r\n") else octets + b"\r\n"


async def stored(room: Mailroom) -> bytes:
    """The message as the quarantine has it; the newest."""
    [item, *_] = await room.find("state:quarantined")
    return (await room.desk.text(item.mail_id, who="test")).message


async def released(room: Mailroom, hop: Hop) -> bytes:
    """What the next hop gets when the newest is released."""
    [item, *_] = await room.find("state:quarantined")
    await room.desk.release(item.mail_id, who="test")
    return hop.received[-1].octets


@pytest.mark.parametrize("name", ODD)
def test_the_octets_of_odd_messages_come_back(tmp_path: Path, name: str):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, policy=EVERYTHING) as room:
            assert (await room.send(ODD[name])).startswith("250 2.7.0")
            assert ODD[name] == await stored(room)
            ours, message = split(await released(room, hop), b"Resent-Message-ID: <")

            assert on_the_wire(ODD[name]) == message
            assert ours.startswith(b"Received: ")

    asyncio.run(main())


@pytest.mark.parametrize("name", ODD)
def test_the_octets_of_odd_messages_are_delivered(tmp_path: Path, name: str):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            assert (await room.send(ODD[name], OUTSIDE)).startswith("250 2.0.0")
            ours, message = split(hop.received[0].octets, b"for <zoe@far.example>;\r\n\t")

            assert on_the_wire(ODD[name]) == message
            assert ours.startswith(b"Received: ")

    asyncio.run(main())


def split(octets: bytes, last: bytes) -> tuple[bytes, bytes]:
    """Our fields, which end with the line that begins with or follows `last`, and the message."""
    end = octets.index(b"\r\n", octets.index(last) + len(last)) + 2
    return octets[:end], octets[end:]


LINES = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b".", b"\0", b":", b" ", b"\t", b"X-Spam", b"Subject: x", b"\xff"]
)
MESSAGES = st.lists(st.one_of(LINES, st.binary(max_size=20)), max_size=12).map(b"".join)


@settings(max_examples=12)
@given(st.lists(MESSAGES, min_size=1, max_size=8))
def test_any_octets_come_back(messages: list[bytes]):
    async def main(folder: Path) -> None:
        async with mailroom(folder, policy=EVERYTHING) as room:
            for number, octets in enumerate(messages):
                await room.send(octets, f"r{number}@home.example")
            for number, octets in enumerate(messages):
                [item] = await room.find(f"to:r{number}@home.example")
                assert octets == (await room.desk.text(item.mail_id, who="test")).message

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))


@settings(max_examples=12)
@given(st.lists(MESSAGES, min_size=1, max_size=8))
def test_any_octets_are_delivered_and_released(messages: list[bytes]):
    async def main(folder: Path) -> None:
        async with next_hop() as hop:
            async with mailroom(folder, hop.at, checks=()) as room:
                for octets in messages:
                    await room.send(octets, OUTSIDE)
            async with mailroom(folder, hop.at, policy=EVERYTHING) as room:
                for octets in messages:
                    await room.send(octets, ANN)
                    await released(room, hop)
        delivered = [split(m, b"for <zoe@far.example>;\r\n\t")[1] for m in hop.of(OUTSIDE)]
        freed = [split(m, b"Resent-Message-ID: <")[1] for m in hop.of(ANN)]
        expected = [on_the_wire(octets) for octets in messages]
        assert (expected, expected) == (delivered, freed)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))


# What a message brings along

FORGED = (
    b"X-Envelope-From: <boss@home.example>\r\n"
    b"X-Envelope-To: <evil@out.example>\r\n"
    b"X-Envelope-To-Blocked: <evil@out.example>\r\n"
    b"X-Quarantine-ID: <AAAAAAAAAAAA>\r\n"
    b"X-Spam-Flag: NO\r\n"
    b"X-Spam-Status: No, score=-99\r\n\ttests=[NOTHING=-99]\r\n"
    b"X-SPAM-LEVEL :\r\n"
    b"X-Spam-Checker-Version: mine\r\n"
    b"X-Spam-Report: all is well\r\n"
    b"X-Spam-Score: -99\r\nX-Spam-Tests: none\r\n"
)
KEPT_OF_IT = b"".join(FORGED.splitlines(keepends=True)[:3])


def test_a_message_that_begins_like_a_stored_one_changes_nothing_on_release(tmp_path: Path):
    """Envelope and cut come from the tables: nobody can send our quarantine to an address of his own."""

    async def main() -> None:
        octets = mail(SPAM, header=FORGED)
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await room.send(octets, ANN, BOB)
            assert octets == await stored(room)
            _, message = split(await released(room, hop), b"Resent-Message-ID: <")

            assert mail(SPAM, header=KEPT_OF_IT) == message
            assert {ANN: 1, BOB: 1} == hop.copies
            assert "sender@out.example" == hop.received[0].envelope.sender

    asyncio.run(main())


@pytest.mark.parametrize("recipient", [ANN, OUTSIDE])
def test_spam_fields_brought_along_are_not_delivered(tmp_path: Path, recipient: str):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await room.send(mail(header=FORGED + b"X-Spam-Words: kept\r\n"), recipient)
            ours, message = split(hop.received[0].octets, b";\r\n\t")

            assert mail(header=KEPT_OF_IT + b"X-Spam-Words: kept\r\n") == message
            assert b"NOTHING" not in ours

    asyncio.run(main())


def test_a_marked_copy_differs_by_the_subject_alone(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await room.send(mail(SPAMMY), ANN)
            ours, message = split(hop.received[0].octets, b";\r\n\t")

            assert mail(SPAMMY).replace(b"Subject: ", b"Subject: ***SPAM*** ") == message
            assert (
                b"X-Spam-Flag: YES\r\n"
                b"X-Spam-Score: 4\r\n"
                b"X-Spam-Level: ****\r\n"
                b"X-Spam-Status: Yes, score=4 tagged_above=-999 required=3\r\n"
                b"\ttests=[POINTS=4]\r\n"
                b"\tautolearn=no\r\n"
            ) == ours[: ours.index(b"Received: ")]

    asyncio.run(main())


def test_mail_to_others_gets_our_received_field_and_nothing_else(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await room.send(mail(SPAMMY), OUTSIDE)
            ours, message = split(hop.received[0].octets, b";\r\n\t")

            assert mail(SPAMMY) == message
            assert 1 == len(re.findall(rb"^[A-Z]", ours, re.MULTILINE))
            assert ours.startswith(
                b"Received: from mta.example ([127.0.0.1])\r\n"
                b"\tby localhost (filter.example [127.0.0.1]) (lazaret, port 10024)\r\n"
                b"\twith ESMTP id "
            )

    asyncio.run(main())


def test_a_copy_that_is_also_in_the_quarantine_names_it(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, always_deliver=["bob@"]) as room:
            await room.send(mail(SPAM, header=b"X-Quarantine-ID: <AAAAAAAAAAAA>\r\n"), ANN, BOB)
            [item] = await room.find("state:quarantined")

            named = re.findall(rb"^X-Quarantine-ID: <(.*)>", hop.of(BOB)[0], re.MULTILINE)
            assert [item.mail_id.encode()] == named

    asyncio.run(main())


def test_observe_changes_nothing_at_all(tmp_path: Path):
    async def main() -> None:
        octets = mail(SPAM, header=FORGED)
        rules = Rules(observe=True)
        async with next_hop() as hop, mailroom(tmp_path, hop.at, rules=rules) as room:
            assert (await room.send(octets, ANN, OUTSIDE)).startswith("250 2.0.0 from MTA(")

            assert [octets] == hop.of(ANN)
            [item] = await room.find()
            assert (SPAM, "S", False) == (item.score, item.category, item.stored)
            assert {"deliver"} == {c.action for c in item.copies}

    asyncio.run(main())


def test_observe_delivers_even_when_a_check_must_answer_and_cannot(tmp_path: Path):
    class Down(Points):
        name = "down"

        def run(self, scan, /):
            raise RuntimeError("down")

    async def main() -> None:
        rules = Rules(observe=True, on_unavailable={"down": "defer"})
        async with next_hop() as hop, mailroom(tmp_path, hop.at, rules=rules, checks=[Down()]) as room:
            assert (await room.send(mail(), ANN)).startswith("250 2.0.0")
            assert [mail()] == hop.of(ANN)

    asyncio.run(main())
