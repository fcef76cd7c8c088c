"""Whose mail it is, and what that changes."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.mailroom import (
    ANN,
    BOB,
    CLEAN,
    KILLED,
    OUTSIDE,
    SENDER,
    SESSION,
    SPAM,
    SPAMMY,
    Mailroom,
    Points,
    mail,
    mailroom,
)
from tests.support.next_hop import Hop, next_hop

from lazaret.checks import Scan
from lazaret.flow.filter import Rules
from lazaret.model.envelope import Recipient, Role, Session
from lazaret.model.network import NetworkSet
from lazaret.model.verdict import Policy

LOCAL_SENDER = "chief@home.example"
SUBMISSION = replace(SESSION, role=Role.ORIGINATING)
LIST = b"List-Id: friends <friends.out.example>\r\n"
OURS = {
    "the listener": SUBMISSION,
    "XFORWARD SOURCE": replace(SESSION, source="LOCAL"),
    "XFORWARD ADDR": replace(SESSION, client_ip="10.1.2.3"),
}


def tell(folder: Path, octets: bytes, *to: str, **how: object) -> tuple[str, Hop, Mailroom]:
    """The reply, the next hop and the mail room after one message."""

    async def main() -> tuple[str, Hop, Mailroom]:
        options = {k: how.pop(k) for k in ("policy", "always_deliver", "rules", "checks") if k in how}
        own = NetworkSet(("127.0.0.0/8", "10.0.0.0/8"))
        options.setdefault("rules", Rules(own_networks=own))
        async with next_hop() as hop, mailroom(folder, hop.at, **options) as room:  # type: ignore[arg-type]
            return await room.send(octets, *to, **how), hop, room  # type: ignore[arg-type]

    return asyncio.run(main())


@pytest.mark.parametrize("why", OURS)
def test_mail_of_our_own_users_is_never_marked(tmp_path: Path, why: str):
    reply, hop, room = tell(tmp_path, mail(SPAMMY), ANN, sender=LOCAL_SENDER, session=OURS[why])

    assert reply.startswith("250 2.0.0")
    assert b"Subject: news\r\n" in hop.received[0].octets
    assert b"X-Spam-Flag: NO\r\n" in hop.received[0].octets
    assert room.handled[0].entry.originating


@pytest.mark.parametrize("points", [SPAM, KILLED])
@pytest.mark.parametrize("why", OURS)
def test_mail_of_our_own_users_is_refused_so_that_its_writer_knows(tmp_path: Path, why: str, points: float):
    reply, _, room = tell(tmp_path, mail(points), OUTSIDE, sender=LOCAL_SENDER, session=OURS[why])

    assert reply.startswith("554 5.7.0 Reject, id=")
    assert not room.handled[0].stored


def test_mail_from_inside_with_a_foreign_sender_is_quarantined(tmp_path: Path):
    """A refusal would bounce to whom it names."""
    reply, _, room = tell(tmp_path, mail(SPAM), OUTSIDE, sender=SENDER, session=SUBMISSION)

    assert reply.startswith("250 2.7.0")
    assert room.handled[0].stored


@pytest.mark.parametrize(
    "session",
    [
        Session(client_ip="127.0.0.1", peer_ip="127.0.0.1", peer_helo="localhost"),
        SESSION,
        replace(SESSION, client_ip="10.1.2.3", forwarded=False),
    ],
    ids=["no XFORWARD", "a foreign client", "a peer of ours"],
)
def test_nothing_is_originating_because_of_the_peer(tmp_path: Path, session: Session):
    """The peer is the MTA; it says nothing about who wrote the message."""
    _, hop, room = tell(tmp_path, mail(SPAMMY), ANN, session=session)

    assert not room.handled[0].entry.originating
    assert b"Subject: ***SPAM*** news\r\n" in hop.received[0].octets


def test_a_list_is_quarantined_instead_of_refused(tmp_path: Path):
    """A 5xx would unsubscribe its reader."""
    session = replace(SESSION, role=Role.BEFORE_QUEUE)
    assert tell(tmp_path / "1", mail(KILLED), ANN, session=session)[0].startswith("554")
    reply, _, room = tell(tmp_path / "2", mail(KILLED, header=LIST), ANN, session=session)

    assert reply.startswith("250 2.7.0")
    assert room.handled[0].stored


def test_always_deliver_marks_at_most(tmp_path: Path):
    reply, hop, room = tell(tmp_path, mail(KILLED), "Postmaster@home.example", always_deliver=["postmaster@"])

    assert reply.startswith("250 2.0.0")
    assert b"Subject: ***SPAM*** news\r\n" in hop.received[0].octets
    assert not room.handled[0].stored


def test_quarantine_reply_reject_tells_the_sender_and_keeps_the_copy(tmp_path: Path):
    session = replace(SESSION, role=Role.BEFORE_QUEUE)
    policy = Policy(quarantine_reply="reject")
    reply, _, room = tell(tmp_path, mail(SPAM), ANN, session=session, policy=policy)

    assert reply.startswith("554 5.7.0")
    assert room.handled[0].stored


def test_over_lmtp_one_recipient_is_refused_and_the_other_served(tmp_path: Path):
    policy = Policy(kill_action="reject")
    reply, hop, _ = tell(tmp_path, mail(KILLED), ANN, BOB, lmtp=True, policy=policy, always_deliver=["bob@"])

    assert ["554", "250"] == [r[:3] for r in reply.split("\n")]
    assert {BOB: 1} == hop.copies


def test_the_envelope_goes_on_as_it_came(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            recipient = Recipient(ANN, notify="FAILURE,DELAY", orcpt="rfc822;Ann@Home.Example")
            await room.send(mail(CLEAN), recipient)
            [message] = hop.received

            assert (SENDER, (recipient,)) == (message.envelope.sender, message.envelope.recipients)
            told = message.session
            assert ("192.0.2.7", 35863, "mx.out.example", "4cXYZ") == (
                told.client_ip,
                told.client_port,
                told.helo,
                told.queue_id,
            )

    asyncio.run(main())


def test_each_message_has_its_row_of_history_and_its_record(tmp_path: Path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at) as room:
            await room.send(mail(SPAMMY), ANN, OUTSIDE)
            [item] = await room.find()
            entry = room.handled[0].entry

            assert [ANN, OUTSIDE] == [c.address for c in item.copies]
            assert ["mark", "deliver"] == [c.action for c in item.copies]
            assert ("news", SPAMMY, "Y", "4cXYZ") == (item.subject, item.score, item.category, item.queue_id)
            assert entry.mail_id == item.mail_id
            assert ("Q0", "Q1") == room.handled[0].queued_as

    asyncio.run(main())


class Explaining(Points):
    """Gives words to who asks for them."""

    def explain(self, scan: Scan, /) -> str:
        return "towards spam: text (click)"


@pytest.mark.parametrize(("level", "words"), [(CLEAN, ""), (SPAMMY, "towards"), (SPAM, "towards")])
def test_words_are_found_for_what_somebody_will_ask_about(tmp_path: Path, level: float, words: str):
    _, _, room = tell(tmp_path, mail(level), ANN, checks=(Explaining(),))
    hits = room.handled[0].entry.hits

    assert all(hit.detail.startswith(words) and bool(hit.detail) == bool(words) for hit in hits)
    assert hits or level == CLEAN
