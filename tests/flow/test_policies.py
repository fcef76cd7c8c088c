"""Each recipient has his own policy and his own lists, and they count from one message to the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.support.mailroom import (
    ANN,
    BOB,
    CAT,
    KILLED,
    SENDER,
    SESSION,
    SPAM,
    SPAMMY,
    Mailroom,
    mail,
    mailroom,
)
from tests.support.next_hop import Hop, next_hop

from lazaret.flow.policies import KEPT_S, LOOK_S, PolicyBook
from lazaret.mime import message as mime
from lazaret.model.errors import StoreUnavailable
from lazaret.model.policies import ListEntry, PoliciesFound, PoliciesState, PolicyRow
from lazaret.model.verdict import Policy, Report
from lazaret.policy.lookup import Lookup

POLICY = "INSERT INTO policy (id, policy_name, "
ANNS = "INSERT INTO users (id, policy_id, email, priority) VALUES (1, 1, 'ann@home.example', 8)"
BOBS = "INSERT INTO users (id, policy_id, email, priority) VALUES (2, 2, 'bob@home.example', 8)"
FRIEND = "INSERT INTO mailaddr (id, email) VALUES (5, 'sender@out.example')"
OURS = "INSERT INTO lz_lists (rid, sid, wb, networks, who, time_num) VALUES (1, 5, 'W', '{}', 'cli:root', 1)"


def play(folder: Path, act: Callable[[Mailroom, Hop], Awaitable[None]], *statements: str) -> None:
    async def main() -> None:
        async with next_hop() as hop, mailroom(folder, hop.at) as room:
            await write(room, *statements)
            await act(room, hop)

    asyncio.run(main())


async def write(room: Mailroom, *statements: str) -> None:
    for statement in statements:
        await room.store.writer.run(lambda connection, text=statement: connection.execute(text))  # type: ignore[misc]


def actions(room: Mailroom) -> dict[str, str]:
    return {r.address: r.action for r in room.handled[-1].entry.recipients}


def test_recipients_who_differ_get_their_own_deliveries(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop) -> None:
        reply = await room.send(mail(SPAM), ANN, BOB, CAT)

        assert reply.startswith("250 2.0.0")
        assert {ANN: "mark", BOB: "deliver", CAT: "quarantine"} == actions(room)
        by_recipient = {r.envelope.addresses[0]: r.octets for r in hop.received}
        assert b"Subject: [SPAM 6] news\r\n" in by_recipient[ANN]
        assert b"score=6 tagged_above=-999 required=4\r\n" in by_recipient[ANN]
        assert b"Subject: news\r\n" in by_recipient[BOB]
        assert b"X-Spam" not in by_recipient[BOB]

    play(
        tmp_path,
        act,
        POLICY
        + "spam_tag2_level, spam_kill_level, spam_subject_tag2) VALUES (1, 'mild', 4, 7, '[SPAM _SCORE_] ')",
        POLICY + "bypass_spam_checks) VALUES (2, 'none', 'Y')",
        ANNS,
        BOBS,
    )


def test_the_sentence_says_whose_policy_it_was(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop) -> None:
        await room.send(mail(SPAMMY), ANN)
        assert 'quarantine level 3.5, by the policy "strict" for ann@home.example' in (
            room.handled[0].entry.recipients[0].reason
        )

    play(tmp_path, act, POLICY + "spam_kill_level) VALUES (1, 'strict', 3.5)", ANNS)


def test_an_allowed_sender_who_proves_nothing_gets_three_points_off(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop) -> None:
        await room.send(mail(SPAM), ANN, BOB)
        assert {ANN: "mark", BOB: "quarantine"} == actions(room)
        assert b"X-Spam-Score: 3\r\n" in hop.received[0].octets
        assert b"tests=[AM.WBL=-3, POINTS=6]" in hop.received[0].octets
        (item,) = await room.find()
        assert (3.0, ("AM.WBL", "POINTS")) == (item.score, tuple(sorted(item.symbols)))

    play(tmp_path, act, ANNS, FRIEND, "INSERT INTO wblist VALUES (1, 5, 'W')", OURS.format(""))


def test_an_allowed_sender_from_his_network_is_delivered_whatever_his_score(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop) -> None:
        await room.send(mail(KILLED), ANN)
        assert {ANN: "deliver"} == actions(room)
        assert b"WHITELISTED" in hop.received[0].octets
        assert b"X-Spam-Level:\r\n" in hop.received[0].octets
        assert room.handled[0].entry.recipients[0].allowed

        # Without XFORWARD the peer is the MTA.
        await room.send(mail(KILLED), ANN, session=replace(SESSION, forwarded=False))
        assert {ANN: "quarantine"} == actions(room)

    play(tmp_path, act, ANNS, FRIEND, "INSERT INTO wblist VALUES (1, 5, 'W')", OURS.format("192.0.2.0/24"))


def test_a_blocked_sender_is_not_delivered_whatever_his_score(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop) -> None:
        await room.send(mail(-5.0), ANN, BOB)
        assert {ANN: "discard", BOB: "deliver"} == actions(room)
        assert [(BOB,)] == [r.envelope.addresses for r in hop.received]
        (item,) = await room.find()
        assert {ANN, BOB} == {c.address for c in item.copies}

    play(tmp_path, act, ANNS, FRIEND, "INSERT INTO wblist VALUES (1, 5, 'B')")


def test_a_header_from_is_looked_up_too(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop) -> None:
        await room.send(mail(-5.0), ANN, sender="bounce@list.example")
        assert {ANN: "discard"} == actions(room)

    play(tmp_path, act, ANNS, FRIEND, "INSERT INTO wblist VALUES (1, 5, 'B')")


def test_a_lone_recipient_with_a_size_limit_lets_the_sender_know(tmp_path: Path):
    async def act(room: Mailroom, hop: Hop) -> None:
        large = mail(0.0, body=b"x" * 70 + b"\r\n" * 40_000)
        assert (await room.send(large, ANN)).startswith("552 5.3.4 Reject, id=")
        assert (await room.send(large, ANN, BOB)).startswith("250")
        assert {ANN: "quarantine", BOB: "deliver"} == actions(room)

    play(tmp_path, act, POLICY + "message_size_limit) VALUES (1, 'small', 70000)", ANNS)


def test_a_database_that_is_gone_makes_nobody_a_wrong_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def act(room: Mailroom, hop: Hop) -> None:
        async def down() -> PoliciesState:
            raise StoreUnavailable("gone")

        monkeypatch.setattr(type(room.store.policies), "state", lambda self: down())
        assert (await room.send(mail(), ANN)).startswith("451 4.5.0")
        assert [] == hop.received

    play(tmp_path, act)


NOTHING = PoliciesState()


@dataclass
class Source:
    """Policies that count how often they were asked for."""

    now: PoliciesState = NOTHING
    looks: int = 0
    asked_lists: int = 0
    queries: int = 0
    clock: float = 100.0
    quarantine: float = 6.0

    async def state(self) -> PoliciesState:
        self.looks += 1
        return self.now

    async def rows(self, keys: Sequence[str], sender_keys: Sequence[str]) -> PoliciesFound:
        self.queries += 1
        entry = ListEntry(1, "@.", 1, SENDER, 5, "B")
        return PoliciesFound(
            (PolicyRow(1, "@.", 0, 1, "all", None, {"spam_kill_level": self.quarantine}),),
            (entry,) if sender_keys else (),
        )

    async def entries(self, users: Sequence[int], sender_keys: Sequence[str]) -> tuple[ListEntry, ...]:
        self.asked_lists += 1
        assert ([1], True) == (list(users), SENDER in sender_keys)
        return (ListEntry(1, "@.", 1, SENDER, 5, "B"),)


async def level(book: PolicyBook, *recipients: str, lists: bool = False) -> float:
    message = mime.parse(mail(), envelope_from=SENDER, networks=None, sites=None)
    guidance = await book.of(recipients or (ANN,), message, SENDER)
    said = guidance.standing(ANN, Report(), client_ip="", now=0.0)
    assert said.blocked == lists
    return guidance.policy(ANN).levels.quarantine


def book_over(source: Source) -> PolicyBook:
    return PolicyBook(Lookup(Policy()), source, clock=lambda: source.clock)


def test_while_the_tables_are_empty_a_message_costs_no_query():
    async def main() -> None:
        source = Source()
        book = book_over(source)
        for _ in range(100):
            assert 5.0 == await level(book)
        assert (1, 0) == (source.looks, source.queries)

    asyncio.run(main())


def test_one_query_serves_all_recipients_and_is_believed_for_seconds():
    async def main() -> None:
        source = Source(PoliciesState(1, True, True))
        book = book_over(source)
        for _ in range(10):
            assert 6.0 == await level(book, ANN, BOB, CAT, lists=True)
        assert (1, 1, 9) == (source.looks, source.queries, source.asked_lists)
        source.quarantine = 7.0
        source.clock += KEPT_S
        assert 7.0 == await level(book, ANN, BOB, CAT, lists=True)

    asyncio.run(main())


def test_a_change_that_lazaret_made_counts_within_a_second():
    async def main() -> None:
        source = Source(PoliciesState(1, True, False))
        book = book_over(source)
        assert 6.0 == await level(book)
        source.quarantine, source.now = 7.0, PoliciesState(2, True, False)
        source.clock += LOOK_S
        assert 7.0 == await level(book)

    asyncio.run(main())
