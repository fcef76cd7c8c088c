"""Whatever several people do with stored messages, in any order and at once: each copy is in the state that
its history says, is sent as often as somebody was told, and is the message that came in.

The model beside the real store is a few lines: what happened last to a copy, and how often it was sent.
"""

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from tests.support.mailroom import ANN, BOB, NOW, SITE, SPAM, below, mail, mailroom
from tests.support.next_hop import Hop, next_hop

from lazaret.flow.expire import Expiry
from lazaret.flow.learn import Delivered, Teaching
from lazaret.learn.features import Hasher
from lazaret.learn.lesson import Reading
from lazaret.mime.trust import Networks
from lazaret.model.errors import NoSuchMessage
from lazaret.model.keeping import DAY_S, Keeping
from lazaret.model.lesson import Limit
from lazaret.model.quarantine import State

THOROUGH = "LAZARET_FAULTS" in os.environ
ACTORS = ("cli:root", "web:chief", "digest:ann")
NOT_ACCEPTED = ("450 4.2.0 later", "550 5.1.1 never")
GONE = "gone-host gone-boot 1 1"
"""The owner of a claim whose process has ended; `_crash` puts this host's name into it."""


@dataclass
class Copy:
    """What is expected of one recipient's copy."""

    mark: State = State.QUARANTINED
    last: str = ""
    """Of its releases: "", sent, failed or uncertain."""
    ever_sent: bool = False
    copies: int = 0
    """With its recipient."""

    def state(self, has_text: bool) -> State:
        """What is shown: without its text, a copy with which nothing was done is one that was not let in."""
        if self.last == "uncertain":
            return State.UNCERTAIN
        return State.REFUSED if self.mark.releasable and not has_text else self.mark

    def goes_out(self, again: bool) -> bool:
        """Whether a release sends it."""
        return again or self.last in ("", "failed")

    def sent(self, accepted: bool) -> None:
        self.last = "sent" if accepted else "failed"
        if accepted:
            self.mark, self.ever_sent, self.copies = State.RELEASED, True, self.copies + 1


@dataclass
class Mail:
    """One message of the model."""

    number: int
    octets: bytes
    copies: dict[str, Copy]
    has_text: bool = True
    lesson: tuple[str, bool] | None = None
    """Who taught it to be spam, or ham."""
    known: list[str] = field(default_factory=list)


class QuarantineStates(RuleBasedStateMachine):
    """A real store, desk and next hop."""

    mails = Bundle("mails")

    def __init__(self) -> None:
        super().__init__()
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="lazaret-states-", dir=memory))
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.expected: dict[str, Mail] = {}

    @initialize()
    def open(self) -> None:
        async def enter() -> None:
            self.hop: Hop = await self.stack.enter_async_context(next_hop())
            self.room = await self.stack.enter_async_context(mailroom(self.folder, self.hop.at))
            store = self.room.store
            secret = await store.lessons.secret()
            self.teaching = Teaching(
                store.lessons,
                store.quarantine,
                Reading(Hasher(secret), Networks(), None),
                Delivered(SITE.hostname, "***SPAM*** "),
                Limit(1000, 0.3),
            )

        self.runner.run(enter())

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    @rule(target=mails, both=st.booleans())
    def comes_in(self, both: bool) -> object:
        number = len(self.expected)
        octets = mail(SPAM, body=b"number %d\r\n" % number)
        to = (ANN, BOB) if both else (ANN,)
        self.runner.run(self.room.send(octets, *to))
        mail_id = self.room.handled[-1].entry.mail_id
        self.expected[mail_id] = Mail(number, octets, {address: Copy() for address in to})
        return multiple(mail_id)

    @rule(
        mail_id=mails,
        again=st.booleans(),
        refused=st.sampled_from(("", "", *NOT_ACCEPTED)),
        actors=st.lists(st.sampled_from(ACTORS), min_size=1, max_size=3, unique=True),
    )
    def is_released(self, mail_id: str, again: bool, refused: str, actors: list[str]) -> None:
        """By several at once: only with `again` does anybody get it more than once."""
        expected = self.expected[mail_id]
        if len(actors) > 1:
            again, refused = False, ""
        self.hop.end.clear()
        if refused:
            self.hop.end.update({ANN: refused})

        async def release() -> None:
            acts = [self.room.desk.release(mail_id, who=who, again=again) for who in actors]
            for result in await asyncio.gather(*acts, return_exceptions=True):
                if isinstance(result, NoSuchMessage):
                    assert not expected.has_text
                elif isinstance(result, BaseException):
                    raise result
                else:
                    assert set(expected.copies) == {one.recipient for one in result}

        self.runner.run(release())
        if not expected.has_text:
            return
        # One reply to all whose release goes out in one transaction: one who is refused refuses for all.
        out = [address for address, copy in expected.copies.items() if copy.goes_out(again)]
        for group in self._transactions(expected, out):
            accepted = not (refused and ANN in group)
            for address in group:
                expected.copies[address].sent(accepted)

    @staticmethod
    def _transactions(expected: Mail, out: list[str]) -> list[list[str]]:
        """What may have been sent goes once more under its own identifier, and alone."""
        uncertain = [[a] for a in out if expected.copies[a].last == "uncertain"]
        fresh = [a for a in out if expected.copies[a].last != "uncertain"]
        return [*uncertain, *([fresh] if fresh else [])]

    @rule(mail_id=mails, who=st.sampled_from(ACTORS))
    def a_release_is_cut_off(self, mail_id: str, who: str) -> None:
        """Its process ends after the claim: nobody knows whether anything was sent."""
        expected = self.expected[mail_id]
        if ANN not in expected.copies or not expected.copies[ANN].goes_out(False) or not expected.has_text:
            return

        async def cut_off() -> None:
            claims = await self.room.store.quarantine.claim(
                mail_id,
                [ANN],
                who=who,
                resent_message_id=f"<cut.{len(expected.known)}.{mail_id}@filter.example>",
                digest=b"x" * 32,
                again=False,
            )
            assert ["claimed"] == [claim.state for claim in claims]
            await self.room.store.writer.run(
                lambda connection: connection.execute(
                    "UPDATE lz_releases SET owner = :owner, time_num = time_num - 100000"
                    " WHERE mail_id = :mail_id AND state = 'claimed'",
                    {"owner": GONE, "mail_id": mail_id},
                )
            )

        expected.known.append(who)
        self.runner.run(cut_off())
        expected.copies[ANN].last = "uncertain"

    @rule(mail_id=mails, who=st.sampled_from(ACTORS), only=st.sampled_from((None, ANN, BOB)))
    def is_deleted(self, mail_id: str, who: str, only: str | None) -> None:
        recipients = None if only is None else [only]
        self.runner.run(self.room.desk.delete(mail_id, who=who, recipients=recipients))
        for address, copy in self.expected[mail_id].copies.items():
            if only in (None, address):
                copy.mark = State.DELETED

    @rule(mail_id=mails, who=st.sampled_from(ACTORS), only=st.sampled_from((None, ANN, BOB)))
    def is_undeleted(self, mail_id: str, who: str, only: str | None) -> None:
        recipients = None if only is None else [only]
        self.runner.run(self.room.desk.undelete(mail_id, who=who, recipients=recipients))
        for address, copy in self.expected[mail_id].copies.items():
            if only in (None, address) and copy.mark is State.DELETED:
                copy.mark = State.RELEASED if copy.ever_sent else State.QUARANTINED

    @rule(mail_id=mails, who=st.sampled_from(ACTORS))
    def is_asked_for(self, mail_id: str, who: str) -> None:
        self.runner.run(self.room.desk.request(mail_id, who=who, recipients=[ANN]))
        copy = self.expected[mail_id].copies[ANN]
        if copy.mark not in (State.DELETED, State.RELEASED):
            copy.mark = State.PENDING

    @rule(mail_id=mails, who=st.sampled_from(ACTORS))
    def is_denied(self, mail_id: str, who: str) -> None:
        self.runner.run(self.room.desk.deny(mail_id, who=who, recipients=[ANN]))
        copy = self.expected[mail_id].copies[ANN]
        if copy.mark is State.PENDING:
            copy.mark = State.VIEWED

    @rule(mail_id=mails, who=st.sampled_from(ACTORS), spam=st.booleans())
    def is_taught(self, mail_id: str, who: str, spam: bool) -> None:
        expected = self.expected[mail_id]
        try:
            self.runner.run(self.teaching.teach_stored(mail_id, spam=spam, who=who))
        except NoSuchMessage:
            assert not expected.has_text
            return
        if expected.lesson is None or expected.lesson[1] is not spam:
            expected.lesson = who, spam

    @rule(who=st.sampled_from(ACTORS))
    def lessons_are_taken_back(self, who: str) -> None:
        """None of them holds; whoever they had overturned may be right again."""
        self.runner.run(self.teaching.forget(who=who, since=0))
        held = self.room.store.lessons
        for expected in self.expected.values():
            if expected.lesson is not None and expected.lesson[0] == who:
                expected.lesson = None
        entries, _ = self.runner.run(held.in_force(1 << 40, b"", 1000))
        known = sum(expected.lesson is not None for expected in self.expected.values())
        assert len(entries) >= known

    @rule(mail_id=mails)
    def its_text_is_purged(self, mail_id: str) -> None:
        """And nobody else's."""
        age = {"age": 40 * DAY_S, "mail_id": mail_id}

        async def purge() -> None:
            store = self.room.store
            await store.writer.run(
                lambda connection: connection.execute(
                    "UPDATE msgs SET time_num = time_num - :age WHERE mail_id = :mail_id", age
                )
            )
            keeping = Keeping(keep_days=30, killed_days=30, history_days=10_000)
            await Expiry(keeping).run(store.retention, store.sender_lists, lambda: NOW, orphans=False)

        self.runner.run(purge())
        self.expected[mail_id].has_text = False

    @invariant()
    def every_copy_is_in_its_state(self) -> None:
        if not self.expected:
            return
        found = self.runner.run(self.room.find())
        seen = {item.mail_id: {c.address: c.state for c in item.copies} for item in found}
        wanted = {i: {a: c.state(m.has_text) for a, c in m.copies.items()} for i, m in self.expected.items()}
        assert wanted == seen

    @invariant()
    def every_text_is_what_came_in(self) -> None:
        for mail_id, expected in self.expected.items():
            try:
                text = self.runner.run(self.room.store.quarantine.text(mail_id))
            except NoSuchMessage:
                assert not expected.has_text
            else:
                assert expected.octets == text.message

    @invariant()
    def everybody_got_what_was_released_to_him_as_often_as_that(self) -> None:
        got: Counter[tuple[int, str]] = Counter()
        for message in getattr(self, "hop", Hop()).received:
            octets = below(message.octets, b"Resent-Message-ID")
            number = int(octets.split(b"number ")[1].split()[0])
            assert octets == mail(SPAM, body=b"number %d\r\n" % number)
            for address in message.envelope.addresses:
                got[number, address] += 1
        wanted = {(m.number, a): c.copies for m in self.expected.values() for a, c in m.copies.items()}
        assert Counter(wanted) == got


QuarantineStates.TestCase.settings = settings(
    max_examples=200 if THOROUGH else 8, stateful_step_count=30, deadline=None
)
test_any_history_of_a_quarantine = QuarantineStates.TestCase
