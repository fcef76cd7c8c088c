"""Where the filter writes what it did (the Protocol `flow.needs.Journal`)."""

from collections.abc import Mapping, Sequence

from lazaret.model.digest import MESSAGE_ID
from lazaret.model.entry import Entry, EntryRecipient
from lazaret.store import digests, releases
from lazaret.store.addresses import from_octets, key, plain
from lazaret.store.connection import Connection
from lazaret.store.keys import Key
from lazaret.store.lookup import Lookup
from lazaret.store.partial import Partial
from lazaret.store.room import Room
from lazaret.store.rows import DS_LETTERS
from lazaret.store.writer import Writer


class SqlJournal:
    """Writes through the writer's thread."""

    def __init__(self, lookup: Lookup, writer: Writer, room: Room) -> None:
        self._lookup = lookup
        self._writer = writer
        self._room = room
        self.partial = Partial(lookup, writer)
        """Who was served by an earlier attempt."""

    async def keep(self, entry: Entry) -> None:
        await self._writer.keep(entry)

    def note(self, entry: Entry) -> None:
        self._writer.note(entry)

    async def answered(
        self, mail_id: str, recipients: Sequence[EntryRecipient], *, dsn_sent: str, durable: bool
    ) -> None:
        await self._writer.run(
            lambda connection: _complete(connection, mail_id, recipients, dsn_sent), durable=durable
        )

    async def done_before(self, queue_id: str, sender: str, digest: bytes) -> Mapping[str, str]:
        return await self.partial.done_before(queue_id, sender, digest)

    async def remember_done(
        self, queue_id: str, sender: str, digest: bytes, responses: Mapping[str, str]
    ) -> None:
        await self.partial.remember(queue_id, sender, digest, responses)

    async def released_copy(self, resent_message_id: str, digest: bytes, recipients: Sequence[str]) -> bool:
        own = digests if resent_message_id.startswith(MESSAGE_ID) else releases
        if not await self._lookup.run(lambda connection: own.is_ours(connection, resent_message_id)):
            return False
        emails = [key(recipient) for recipient in recipients]
        return await self._writer.run(
            lambda connection: own.pass_again(connection, resent_message_id, digest, emails), durable=True
        )

    async def expect_again(self, resent_message_id: str, recipients: Sequence[str]) -> None:
        own = digests if resent_message_id.startswith(MESSAGE_ID) else releases
        emails = [key(recipient) for recipient in recipients]
        await self._writer.run(
            lambda connection: own.expect_again(connection, resent_message_id, emails), durable=True
        )

    async def has_room(self) -> bool:
        return self._room.is_left()


def _complete(
    connection: Connection, mail_id: str, recipients: Sequence[EntryRecipient], dsn_sent: str
) -> None:
    """What became of each copy into the rows of a kept entry, found by recipient as written."""
    numbers: dict[str, list[tuple[int, int]]] = {}
    # The row that was written last: an id may have come by from another program's partition.
    written = connection.execute(_PARTITION, {"mail_id": mail_id}).fetchone()
    if written is None:
        return
    message = Key(mail_id, *written)
    for msg, number, exact, email in connection.execute(
        "SELECT l.id, r.rseqnum, x.address, a.email FROM lz_msgs l"
        " JOIN msgrcpt r ON r.partition_tag = l.partition_tag AND r.mail_id = l.mail_id"
        " JOIN lz_msgrcpt x ON x.msg = l.id AND x.rseqnum = r.rseqnum JOIN maddr a ON a.id = r.rid"
        " WHERE l.partition_tag = :tag AND l.mail_id = :mail_id",
        message.values,
    ):
        numbers.setdefault(email if exact is None else from_octets(exact), []).append((msg, number))
    connection.execute(
        "UPDATE msgs SET dsn_sent = :dsn_sent WHERE partition_tag = :tag AND mail_id = :mail_id",
        message.values | {"dsn_sent": dsn_sent},
    )
    for recipient in recipients:
        values = message.values | {
            "action": recipient.action,
            "reason": plain(recipient.reason, 1000),
            "stored": "Y" if recipient.stored else "N",
            "ds": DS_LETTERS[recipient.action],
            "category": recipient.category.value,
            "response": plain(recipient.response, 255),
        }
        for msg, number in numbers.get(recipient.address, ()):
            connection.execute(_COMPLETE_OURS, values | {"msg": msg, "number": number})
            connection.execute(_COMPLETE_AMAVIS, values | {"number": number})


_PARTITION = "SELECT partition_tag FROM lz_msgs WHERE mail_id = :mail_id ORDER BY id DESC LIMIT 1"
_COMPLETE_OURS = (
    "UPDATE lz_msgrcpt SET action = :action, reason = :reason, stored = :stored"
    " WHERE msg = :msg AND rseqnum = :number"
)
_COMPLETE_AMAVIS = (
    "UPDATE msgrcpt SET ds = :ds, content = :category, smtp_resp = :response"
    " WHERE partition_tag = :tag AND mail_id = :mail_id AND rseqnum = :number"
)
