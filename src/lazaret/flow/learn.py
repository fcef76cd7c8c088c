"""Teaching the learner: what people call spam or ham, and what they take back."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lazaret.flow.needs import Lessons, Quarantine
from lazaret.learn import bulk
from lazaret.learn import lesson as lessons_of
from lazaret.learn.lesson import Delivered, Original, Reading
from lazaret.mime import message as mime
from lazaret.model import address as addresses
from lazaret.model.errors import UserError
from lazaret.model.lesson import Lesson, Limit, Taught

BATCH = 100
"""Messages to a transaction."""
EX_DATAERR = 65
EX_NOPERM = 77
USER = "user:"


@dataclass(slots=True)
class Tally:
    """What became of the messages of one act."""

    fates: Counter[Taught] = field(default_factory=Counter)

    @property
    def messages(self) -> int:
        """How many were read."""
        return self.fates.total()


class Teaching:
    """Serves people and programs that teach. `who` is written down with each lesson."""

    def __init__(
        self,
        lessons: Lessons,
        quarantine: Quarantine,
        reading: Reading,
        delivered: Delivered,
        user_limit: Limit,
    ) -> None:
        self._lessons = lessons
        self._quarantine = quarantine
        self._reading = reading
        self._delivered = delivered
        self._user_limit = user_limit

    async def teach(self, mails: Iterable[bytes], *, spam: bool, who: str) -> Tally:
        """Messages, as files or mailboxes have them; they are taught when this returns. StoreUnavailable."""
        tally = Tally()
        batch: list[Lesson] = []
        written: asyncio.Task[list[Taught]] | None = None
        for found, mail_id in bulk.read_all(mails, self._reading, self._delivered):
            batch.append(Lesson(found.digest, spam, who, found.features, mail_id=mail_id))
            if len(batch) >= BATCH:
                # The database writes one batch while the next is read.
                if written:
                    tally.fates.update(await written)
                written = asyncio.create_task(self._lessons.teach(batch))
                await asyncio.sleep(0)
                batch = []
        if written:
            tally.fates.update(await written)
        if batch:
            tally.fates.update(await self._lessons.teach(batch))
        return tally

    async def teach_for_user(self, octets: bytes, *, spam: bool, user: str) -> Taught:
        """A message out of a user's own mailbox.

        UserError (77) unless this site has examined it for this user: who could teach what he likes could
        make the mail of others vanish. He has a daily limit, and overturns no operator.
        """
        if not addresses.is_valid(user):
            raise UserError(f"{user!r} is not a mail address", EX_DATAERR)
        user = addresses.normalise(user)
        found = self._original(octets)
        message_id = mime.parse(found.octets).decoded("Message-ID")
        if not await self._lessons.was_scanned_for(user, found.mail_id, message_id):
            raise UserError(
                f"this message was not examined here for {user}, or long ago: a user teaches his own mail",
                EX_NOPERM,
            )
        lesson = self._lesson(
            found, spam=spam, who=USER + user, mail_id=found.mail_id or _stand_in(message_id)
        )
        (fate,) = await self._lessons.teach([lesson], self._user_limit)
        return fate

    async def teach_stored(self, mail_id: str, *, spam: bool, who: str) -> Taught:
        """A message of the quarantine. NoSuchMessage."""
        text = await self._quarantine.text(mail_id)
        lesson = self._lesson(Original(text.message, mail_id), spam=spam, who=who, mail_id=mail_id[:16])
        limit = self._user_limit if who.startswith(USER) else None
        (fate,) = await self._lessons.teach([lesson], limit)
        await self._quarantine.audit(who, f"learn-{'spam' if spam else 'ham'}", mail_id, fate.value)
        return fate

    async def forget(self, *, who: str, since: float) -> int:
        """Takes back what this teacher has taught since then; how many lessons."""
        return await self._lessons.forget(who=who, since=since)

    async def forget_messages(self, mails: Sequence[bytes]) -> int:
        """Takes back what was taught of these messages, by whomever; how many lessons."""
        digests = [self._lesson(self._original(octets), spam=True, who="").digest for octets in mails]
        return await self._lessons.forget_messages(digests)

    def _original(self, octets: bytes) -> Original:
        return lessons_of.original(octets, self._delivered)

    def _lesson(self, found: Original, *, spam: bool, who: str, mail_id: str = "") -> Lesson:
        learned = lessons_of.lesson(found.octets, self._reading)
        return Lesson(learned.digest, spam, who, learned.features, mail_id=mail_id or found.mail_id)


def _stand_in(message_id: str) -> str:
    """Says which message it is, where our own field is missing: no mail_id begins with a tilde."""
    return "~" + hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:15]
