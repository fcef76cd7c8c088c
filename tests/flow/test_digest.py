"""Digests: whoever is due is told once, of what is new for him, and of nothing that is not his."""

import asyncio
import email
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from tests.support.mailroom import ANN, BOB, CAT, CLEAN, KILLED, NOW, OUTSIDE, SITE, SPAM, mail, mailroom
from tests.support.mailroom import Mailroom as Room
from tests.support.next_hop import Hop, next_hop

from lazaret.flow.digest import Custom, Digests, Sent
from lazaret.flow.digest_letter import Stationery
from lazaret.flow.links import Links, Purpose
from lazaret.model.digest import Interval, Told, Wish
from lazaret.model.errors import UserError
from lazaret.model.quarantine import State

LINKS = Links(b"k" * 32, "https://q.example.org")
WISH = Wish(hours=(7,), time_zone="UTC")
MIDNIGHT = NOW - NOW % 86_400
"""NOW is 02:40 UTC of its day."""
MORNING = MIDNIGHT + 7 * 3600
DAY = 86_400


@dataclass
class Office:
    """A mail room, and the digests of its people; `now` moves by hand."""

    room: Room
    hop: Hop
    custom: Custom
    now: float = MORNING

    @property
    def digests(self) -> Digests:
        return Digests(
            store=self.room.store.digests,
            relay=self.room.relay,
            stationery=Stationery(SITE, LINKS, link_days=7),
            custom=self.custom,
            is_local=lambda address: address.endswith("@home.example"),
            clock=lambda: self.now,
        )

    async def acquaint(self, *addresses: str) -> None:
        """They get a message each: so we know that they are there."""
        for address in addresses:
            await self.room.send(mail(CLEAN), address)
        await self.room.find()
        self.hop.received.clear()

    async def run(self) -> list[tuple[str, int, int]]:
        """Recipient, messages and code of each digest that was sent."""
        return [(s.address, s.messages, s.reply.code) for s in await self.digests.run()]

    def letters(self, address: str) -> list[EmailMessage]:
        """The digests that he got."""
        return [parsed(octets) for octets in self.hop.of(address)]


def parsed(octets: bytes) -> EmailMessage:
    message = email.message_from_bytes(octets, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def links_in(message: EmailMessage) -> list[tuple[Purpose, str, str]]:
    """What each link of a digest is for: purpose, recipient, message."""
    tokens = re.findall(r"https://q\.example\.org/d/(\S+)", text_of(message))
    links = [LINKS.read(token, MORNING) for token in tokens]
    return [(link.purpose, link.recipient, link.mail_id) for link in links]


@asynccontextmanager
async def office(folder: Path, **custom: object) -> AsyncIterator[Office]:
    async with next_hop() as hop, mailroom(folder, hop.at) as room:
        made = Office(room, hop, replace(Custom(wish=WISH), **custom))  # type: ignore[arg-type]
        yield made


def story(test: Callable[[Office], object], folder: Path, **custom: object) -> None:
    """Runs a test with an office of its own."""

    async def main() -> None:
        async with office(folder, **custom) as made:
            await test(made)  # type: ignore[misc]

    asyncio.run(main())


def test_a_digest_tells_sender_subject_score_and_a_link_for_each_message(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)
        [item] = await office.room.find("state:quarantined")
        assert [(ANN, 1, 250)] == await office.run()
        [letter] = office.letters(ANN)

        assert "1 message is in your quarantine" == letter["Subject"]
        assert ANN == letter["To"]
        assert "auto-generated" == letter["Auto-Submitted"]
        for kind in ("plain", "html"):
            told = text_of(letter, kind)
            for word in ("news", "sender@out.example", "2 Feb 02:40", "unwanted mail, 6.0 points", "home"):
                assert word in told
            assert "Hello." not in told
        assert [(Purpose.COPY, ANN, item.mail_id), (Purpose.DIGEST, ANN, "")] == links_in(letter)

    story(test, tmp_path)


def test_each_recipient_gets_his_own_and_learns_of_no_other(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN, BOB)
        await office.room.send(mail(SPAM), ANN, BOB)
        assert [(ANN, 1, 250), (BOB, 1, 250)] == sorted(await office.run())
        for one, other in ((ANN, BOB), (BOB, ANN)):
            [octets] = office.hop.of(one)
            assert other.split("@")[0].encode() not in octets
            assert {one} == {recipient for _, recipient, _ in links_in(parsed(octets))}

    story(test, tmp_path)


def test_nobody_is_told_twice_and_new_mail_waits_for_the_next_moment(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)
        assert [(ANN, 1, 250)] == await office.run()
        office.now += 3600
        assert [] == await office.run()
        office.room.filter._clock = lambda: office.now
        await office.room.send(mail(SPAM), ANN)
        assert [] == await office.run()
        office.now = MORNING + DAY
        assert [(ANN, 1, 250)] == await office.run()
        assert [] == await office.run()

    story(test, tmp_path)


def test_before_the_hour_nothing_is_sent_and_after_it_however_late(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)
        office.now = MORNING - 1
        assert [] == await office.run()
        office.now = MORNING + 3 * DAY + 5 * 3600
        assert [(ANN, 1, 250)] == await office.run()
        assert [] == await office.run()

    story(test, tmp_path)


def test_what_was_released_deleted_or_asked_for_is_not_told_of(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        for _ in range(2):
            await office.room.send(mail(SPAM), ANN)
        released, deleted = await office.room.find("state:quarantined")
        await office.room.desk.release(released.mail_id, who="test")
        await office.room.desk.delete(deleted.mail_id, who="test")
        assert [] == await office.run()

    story(test, tmp_path)


def test_what_is_too_old_is_never_told_of(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)
        office.now = NOW + 7 * DAY + 6 * 3600
        assert [] == await office.run()

    story(test, tmp_path)


def test_nothing_is_told_of_what_another_filter_quarantined(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        for _ in range(2):
            await office.room.send(mail(SPAM), ANN)
        imported, foreign = await office.room.find("state:quarantined")

        def disguise(connection):
            connection.execute("UPDATE msgs SET policy = 'IMPORTED' WHERE mail_id = ?", (imported.mail_id,))
            connection.execute(
                "DELETE FROM lz_msgrcpt WHERE msg IN (SELECT id FROM lz_msgs WHERE mail_id = ?)",
                (foreign.mail_id,),
            )

        await office.room.store.writer.run(disguise)
        assert [] == await office.run()
        assert [] == [s for s in await office.digests.standings() if s.waiting]

    story(test, tmp_path)


def test_who_never_got_a_message_gets_no_digest_either(tmp_path: Path):
    """A spammer who guesses names must not make us write to them."""

    async def test(office: Office) -> None:
        await office.room.send(mail(SPAM), "guessed@home.example")
        assert [] == await office.run()
        with pytest.raises(UserError, match="is not known here"):
            await office.digests.send("guessed@home.example")

    story(test, tmp_path)


def test_nobody_outside_gets_a_digest(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(OUTSIDE)
        await office.room.send(mail(SPAM), OUTSIDE)
        assert [] == await office.run()
        with pytest.raises(UserError, match=r"is not in local\.domains"):
            await office.digests.send(OUTSIDE)

    story(test, tmp_path)


def test_a_wish_goes_before_what_holds_for_all(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN, BOB, CAT)
        await office.room.send(mail(SPAM), ANN, BOB, CAT)
        store = office.room.store.digests
        await store.set_wish(ANN, Wish(Interval.NEVER), who="test")
        await store.set_wish(BOB, replace(WISH, language="de"), who="test")
        await store.set_wish(CAT, replace(WISH, categories=(Told.VIRUS,)), who="test")
        assert [(BOB, 1, 250)] == await office.run()
        [letter] = office.letters(BOB)
        assert "1 Nachricht liegt in Ihrer Quarantäne" == letter["Subject"]
        assert "unerwünscht, 6,0 Punkte" in text_of(letter)

        await store.set_wish(ANN, None, who="test")
        assert [(ANN, 1, 250)] == await office.run()

    story(test, tmp_path)


@pytest.mark.parametrize(("discarded", "told"), [(False, []), (True, [(ANN, 1, 250)])])
def test_discarded_copies_are_told_of_only_when_the_site_wants_it(
    tmp_path: Path, discarded: bool, told: list[tuple[str, int, int]]
):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(KILLED), ANN)
        assert told == await office.run()

    story(test, tmp_path, discarded=discarded)


def test_a_deferred_digest_is_tried_again_after_a_while_and_is_an_alarm_after_an_hour(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)
        office.hop.rcpt[ANN] = "450 4.2.0 mailbox busy"
        assert [(ANN, 1, 450)] == await office.run()
        assert [] == await office.run()
        office.now += 600
        assert [(ANN, 1, 450)] == await office.run()
        assert [] == await office.digests.late()
        office.now += 3600
        [late] = await office.digests.late()
        assert (ANN, 1, "deferred") == (late.address, late.waiting, late.last and late.last.state)
        office.hop.rcpt.clear()
        assert [(ANN, 1, 250)] == await office.run()
        assert [] == await office.digests.late()

    story(test, tmp_path)


def test_a_refused_digest_is_not_repeated_before_the_next_moment(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)
        office.hop.rcpt[ANN] = "550 5.1.1 no such user"
        assert [(ANN, 1, 550)] == await office.run()
        office.now += 7200
        assert ([], []) == (await office.run(), await office.digests.late())
        office.hop.rcpt.clear()
        office.now += DAY
        assert [(ANN, 1, 250)] == await office.run()

    story(test, tmp_path)


def test_one_that_cannot_be_sent_keeps_nobody_else_from_his(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def test(office: Office) -> None:
        await office.acquaint(ANN, BOB)
        await office.room.send(mail(SPAM), ANN, BOB)
        real = Digests._letter

        async def spoiled(self, address, wish):
            if address == ANN:
                raise ValueError("planted")
            return await real(self, address, wish)

        monkeypatch.setattr(Digests, "_letter", spoiled)
        assert [(ANN, 0, 450), (BOB, 1, 250)] == sorted(await office.run())

    story(test, tmp_path)


def test_two_that_send_at_once_send_one(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)
        await asyncio.gather(*(office.run() for _ in range(8)))
        assert 1 == len(office.letters(ANN))

    story(test, tmp_path)


def test_one_that_a_crash_left_open_is_sent_again_rather_than_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def test(office: Office) -> None:
        from lazaret.store import digests

        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)

        async def killed(*_: object) -> None:
            raise asyncio.CancelledError

        with monkeypatch.context() as patch:
            patch.setattr(office.room.relay, "send", killed)
            patch.setattr(digests.owner, "this_process", lambda: "elsewhere - 1 1")
            with pytest.raises(asyncio.CancelledError):
                await office.run()
        assert [(ANN, 0, 250)] == await office.run()  # the other machine may be at it
        office.now += 3601
        assert [(ANN, 1, 250)] == await office.run()
        assert 1 == len(office.letters(ANN))

    story(test, tmp_path)


def test_a_long_list_is_cut_and_all_of_it_counts_as_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def test(office: Office) -> None:
        monkeypatch.setattr("lazaret.flow.digest.MAX_LINES", 2)
        await office.acquaint(ANN)
        for points in (7.5, 5.5, 6.5):
            await office.room.send(mail(points), ANN)
        assert [(ANN, 3, 250)] == await office.run()
        told = text_of(office.letters(ANN)[0])
        assert ["5.5", "6.5"] == re.findall(r"([0-9.]+) points", told)
        assert "1 more is not listed here" in told
        office.now += DAY
        assert [] == await office.run()

    story(test, tmp_path)


def test_a_digest_that_comes_back_through_us_is_not_filtered_once(tmp_path: Path):
    """It lists spam, and so may look like spam; what somebody sends on later is mail like any other."""

    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)
        await office.run()
        [octets] = office.hop.of(ANN)
        office.hop.received.clear()
        again = b"Received: from mta.example\r\n\tby mta.example; some day\r\n" + octets

        assert (await office.room.send(again, ANN)).startswith("250 2.0.0 from MTA")
        verdict = office.room.handled[-1].entry.recipients[0]
        assert ("deliver", "our own digest, which is not filtered") == (verdict.action, verdict.reason)
        assert octets in office.hop.of(ANN)[0]

        await office.room.send(again, ANN)
        assert "our own" not in office.room.handled[-1].entry.recipients[0].reason

    story(test, tmp_path)


def test_another_recipient_or_another_text_does_not_pass_for_our_digest(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)
        await office.run()
        [octets] = office.hop.of(ANN)
        evil = octets.split(b"\r\n")[0] + b"\r\n" + mail(SPAM)
        for forged, to in ((octets, (BOB,)), (octets, (ANN, BOB)), (evil, (ANN,))):
            await office.room.send(forged, *to)
            assert "our own" not in office.room.handled[-1].entry.recipients[0].reason
        await office.room.send(octets, ANN)
        assert "our own" in office.room.handled[-1].entry.recipients[0].reason

    story(test, tmp_path)


def test_a_digest_that_was_deferred_on_its_way_through_us_may_pass_once_more(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)
        await office.run()
        [octets] = office.hop.of(ANN)
        office.hop.end[ANN] = "450 4.2.0 busy"
        assert (await office.room.send(octets, ANN)).startswith("450")
        office.hop.end.clear()
        await office.room.send(octets, ANN)
        assert "our own" in office.room.handled[-1].entry.recipients[0].reason

    story(test, tmp_path)


def test_hostile_text_adds_no_line_no_markup_and_no_link(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        await office.room.send(mail(SPAM), ANN)
        subject = "<b>x</b>\r\n* y http://evil.example/ www.evil.example \u202e\x1b[2J" + "z" * 900

        await office.room.store.writer.run(
            lambda c: c.execute("UPDATE msgs SET subject = ?, from_addr = ?", (subject, subject)) and None
        )
        letter = await office.digests.preview(ANN)
        assert letter is not None
        assert 1 == sum(line.startswith("* ") for line in letter.text.splitlines())
        assert "&lt;b&gt;" in letter.html
        for text in (letter.text, letter.html):
            assert "http://evil" not in text
            assert "www.evil" not in text
            assert not set("\u202e\x1b") & set(text)
        assert max(map(len, letter.text.splitlines())) < 500
        assert max(map(len, letter.octets.split(b"\r\n"))) <= 998

    story(test, tmp_path)


def test_a_digest_is_sent_by_hand_whenever_somebody_wants_it(tmp_path: Path):
    async def test(office: Office) -> None:
        office.now = MORNING - 3600
        await office.acquaint(ANN)
        assert 0 == (await office.digests.send(ANN)).messages
        await office.room.send(mail(SPAM), ANN)
        sent = await office.digests.send("Ann@Home.Example")
        assert isinstance(sent, Sent)
        assert (ANN, 1, 250) == (sent.address, sent.messages, sent.reply.code)
        office.now = MORNING
        assert [] == await office.run()
        assert State.QUARANTINED == (await office.room.find("state:quarantined"))[0].state

    story(test, tmp_path)


def test_a_preview_sends_and_records_nothing(tmp_path: Path):
    async def test(office: Office) -> None:
        await office.acquaint(ANN)
        assert await office.digests.preview(ANN) is None
        await office.room.send(mail(SPAM), ANN)
        assert await office.digests.preview(ANN) is not None
        assert [] == office.letters(ANN)
        assert [(ANN, 1, 250)] == await office.run()

    story(test, tmp_path)
