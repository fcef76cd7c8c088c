"""The stored messages, for people (the Protocol `flow.needs.Quarantine`)."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from lazaret.model.delivery import Answer
from lazaret.model.errors import NoSuchMessage
from lazaret.model.person import ALL, Sight
from lazaret.model.quarantine import Detail, Item, Lines, ReleaseRecord, StoredText
from lazaret.model.verdict import ScoredHit
from lazaret.store import audit, keys, lines, listing, releases, text
from lazaret.store import condition as conditions
from lazaret.store.addresses import key
from lazaret.store.condition import Condition, joined
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import insert, marks
from lazaret.store.keys import Key
from lazaret.store.narrowing import narrowed
from lazaret.store.reader import Reader, SearchStopped
from lazaret.store.releases import Wish
from lazaret.store.rows import QUARANTINE, quar_loc
from lazaret.store.search import Scope, condition
from lazaret.store.symbols import unpacked
from lazaret.store.writer import Writer

T = TypeVar("T")

PAGE = 500
"""Items read at a time: a long list costs a little memory, and lets go of the database in between."""


@dataclass(frozen=True, slots=True)
class _Page:
    items: list[Item]
    size: int

    def __bool__(self) -> bool:
        return len(self.items) == self.size


@dataclass(frozen=True, slots=True)
class _Lines:
    lines: Lines

    def __bool__(self) -> bool:
        return bool(self.lines.next)


class SqlQuarantine:
    """Reads in the reader's threads, writes through the writer's. An id may be written `ID[TAG]`."""

    def __init__(self, reader: Reader, writer: Writer, *, foreign: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._foreign = foreign

    async def find(
        self,
        query: str,
        *,
        everything: bool = False,
        limit: int = 0,
        after: str = "",
        now: float = 0.0,
        sight: Sight = ALL,
        told: Callable[[float], None] = lambda since: None,
    ) -> AsyncIterator[Item]:
        """Items newest first. QueryError; SearchStopped when a page takes longer than 2 s.

        Where words that very many messages have are asked for with something that few have, that may be too
        long: then the newest part alone is searched, and `told` of the moment since when.
        """
        scope = Scope(everything, self._foreign, sight)
        left = limit or -1
        while left != 0:
            size = min(left, PAGE) if left > 0 else PAGE
            page, since = await self._searched(
                query, scope, now or time.time(), after, partial(_page, size=size, after=after)
            )
            items = page.items
            for item in items:
                yield item
            if since:
                told(float(since))
            if len(items) < size:
                return
            after = items[-1].cursor
            left -= size if left > 0 else 0

    async def lines(
        self,
        query: str,
        *,
        everything: bool = False,
        limit: int,
        after: str = "",
        now: float = 0.0,
        sight: Sight = ALL,
        grouped: bool = True,
        counted: int = 0,
    ) -> Lines:
        scope, moment = Scope(everything, self._foreign, sight), now or time.time()
        wanted = await self._reader.run(lambda c: _newest(c, query, scope, moment), limited=True)
        reading = self._searched(
            query,
            scope,
            moment,
            after,
            lambda c, wanted: _Lines(lines.lines(c, wanted, limit, after, grouped=grouped)),
            wanted,
        )
        if wanted.few or not counted:
            found, since = await reading
            return replace(found.lines, since=float(since))
        (found, since), number = await self._reader.both(
            reading, self._counted(query, scope, moment, counted, wanted)
        )
        return replace(found.lines, since=float(since), count=number)

    async def news(
        self,
        query: str,
        *,
        since: int,
        grouped: bool,
        everything: bool = False,
        limit: int,
        sight: Sight = ALL,
    ) -> Lines:
        scope, moment = Scope(everything, self._foreign, sight), time.time()

        def work(connection: Connection) -> Lines:
            wanted = condition(connection, query, scope, moment, most=conditions.PAGE)
            return lines.lines(connection, wanted, limit, "", since=since, grouped=grouped)

        return await self._reader.run(work, limited=True)

    async def count(
        self, query: str, *, everything: bool = False, now: float = 0.0, sight: Sight = ALL, most: int = 0
    ) -> int:
        scope, moment = Scope(everything, self._foreign, sight), now or time.time()

        def work(connection: Connection) -> int:
            wanted = condition(connection, query, scope, moment, most=most)
            return listing.count(connection, wanted, most)

        return await self._reader.run(work, limited=True)

    async def _counted(
        self, query: str, scope: Scope, now: float, most: int, wanted: Condition
    ) -> int | None:
        """The same for what is known not to be few; None when it takes too long."""

        def work(connection: Connection) -> int:
            # So many are counted by the index where a page of them is not read by it.
            asked = condition(connection, query, scope, now, most=most) if wanted.frequent else wanted
            return listing.count(connection, asked, most)

        try:
            return await self._reader.run(work, limited=True)
        except SearchStopped:
            return None

    async def detail(self, mail_id: str) -> Detail:
        return await self._reader.run(lambda connection: _detail(connection, keys.find(connection, mail_id)))

    async def text(self, mail_id: str) -> StoredText:
        return await self._reader.run(
            lambda connection: stored_text(connection, keys.find(connection, mail_id))
        )

    async def secret(self, mail_id: str) -> str:
        def work(connection: Connection) -> str:
            (secret,) = connection.execute(
                "SELECT secret_id FROM msgs WHERE mail_id = :mail_id AND partition_tag = :tag",
                keys.find(connection, mail_id).values,
            ).fetchone()
            return secret or ""

        return await self._reader.run(work)

    async def claim(
        self,
        mail_id: str,
        recipients: Sequence[str],
        *,
        who: str,
        resent_message_id: str,
        digest: bytes,
        again: bool,
    ) -> tuple[ReleaseRecord, ...]:
        def work(connection: Connection) -> tuple[ReleaseRecord, ...]:
            message = keys.find(connection, mail_id)
            return releases.claim(
                connection, message, recipients, Wish(who, resent_message_id, digest, again)
            )

        return await self._writer.run(work, durable=True)

    async def settle(self, claims: Sequence[ReleaseRecord], answers: Sequence[Answer]) -> None:
        def work(connection: Connection) -> None:
            releases.settle(connection, claims, answers)

        await self._writer.run(work, durable=True)

    async def set_deleted(
        self, mail_id: str, deleted: bool, *, who: str, recipients: Sequence[str] | None = None
    ) -> None:
        def work(connection: Connection) -> None:
            message = keys.find(connection, mail_id)
            if recipients is None:
                connection.execute(_DELETE if deleted else _UNDELETE, message.values)
            for recipient in recipients or ():
                one = message.values | {"email": key(recipient)}
                connection.execute(_DELETE_ONE if deleted else _UNDELETE_ONE, one)
            audit.write(connection, who, "delete" if deleted else "undelete", mail_id)

        await self._writer.run(work, durable=True)

    async def set_pending(self, mail_id: str, *, who: str, recipients: Sequence[str]) -> None:
        def work(connection: Connection) -> None:
            message = keys.find(connection, mail_id)
            for recipient in recipients:
                connection.execute(_PENDING_ONE, message.values | {"email": key(recipient)})
            audit.write(connection, who, "request", mail_id)

        await self._writer.run(work, durable=True)

    async def set_denied(self, mail_id: str, *, who: str, recipients: Sequence[str]) -> None:
        def work(connection: Connection) -> None:
            message = keys.find(connection, mail_id)
            for recipient in recipients:
                connection.execute(_DENIED_ONE, message.values | {"email": key(recipient)})
            audit.write(connection, who, "deny", mail_id, ", ".join(recipients))

        await self._writer.run(work, durable=True)

    async def audit(self, who: str, act: str, mail_id: str, detail: str = "") -> None:
        await self._writer.run(lambda connection: audit.write(connection, who, act, mail_id, detail))

    async def texts_known(self, mail_ids: Sequence[str]) -> Mapping[str, bool]:
        """Those of the ids that the history knows -> whether their text lies in the quarantine."""

        def work(connection: Connection) -> dict[str, bool]:
            rows = connection.execute(sql(_KNOWN, marks(len(mail_ids)), ")"), mail_ids)
            return {mail_id: quar_type == "Q" for mail_id, quar_type in rows}

        return await self._reader.run(work)

    async def add_text(self, mail_id: str, octets: bytes) -> None:
        """Gives a message that amavisd has logged its text, `octets` as on the wire with amavisd's prefix."""

        def work(connection: Connection) -> None:
            message = keys.find(connection, mail_id)
            stored, _ = text.to_stored(octets)
            rows = [(message.partition_tag, mail_id, number, chunk) for number, chunk in text.chunks(stored)]
            insert(connection, QUARANTINE, rows)
            place = quar_loc(message.mail_id, message.partition_tag)
            connection.execute(_NOW_STORED, message.values | {"place": place})

        await self._writer.run(work, durable=True)

    async def _searched(
        self,
        query: str,
        scope: Scope,
        now: float,
        after: str,
        read: Callable[[Connection, Condition], T],
        prepared: Condition | None = None,
    ) -> tuple[T, int]:
        """What is read, and since when was searched where that is not all there is.

        `read` gives something that is true when no more of it is wanted; `prepared` is what `_newest` gave.
        """

        def newest(connection: Connection) -> tuple[T, int]:
            wanted = prepared or _newest(connection, query, scope, now)
            # What is not few now will not be when it is read.
            since, wanted = 0, wanted if wanted.few else replace(wanted, sources=())
            if wanted.frequent and not wanted.few:
                since = listing.floor(connection, after, stored=not scope.everything)
                wanted = joined(
                    [
                        wanted,
                        Condition("m.time_num >= :since", {"since": since}, first="m.time_num >= :since"),
                    ],
                    "AND",
                )
            return read(connection, wanted), since

        def whole(connection: Connection) -> T:
            return read(connection, condition(connection, query, scope, now))

        found, since = await self._reader.run(newest, limited=True)
        if not since or found:
            return found, 0
        try:
            return await self._reader.run(whole, limited=True), 0
        except SearchStopped:
            return found, since


def _newest(connection: Connection, query: str, scope: Scope, now: float) -> Condition:
    """The condition for a page, narrowed where few messages can fulfil it."""
    return narrowed(connection, condition(connection, query, scope, now, most=conditions.PAGE))


_KNOWN = "SELECT mail_id, quar_type FROM msgs WHERE mail_id IN ("
_NOW_STORED = (
    "UPDATE msgs SET quar_type = 'Q', quar_loc = :place WHERE mail_id = :mail_id AND partition_tag = :tag"
)

# A copy that was delivered stays what it is: only what was kept from its reader is deleted.
_DELETE = (
    "UPDATE msgrcpt SET rs = 'D'"
    " WHERE mail_id = :mail_id AND partition_tag = :tag AND ds IN ('D', 'R', 'B') AND rs <> 'D'"
)
_UNDELETE = (
    "UPDATE msgrcpt SET rs = CASE WHEN EXISTS (SELECT 1 FROM lz_releases r JOIN maddr a ON a.email = r.email"
    " WHERE r.mail_id = msgrcpt.mail_id AND r.partition_tag = msgrcpt.partition_tag"
    " AND a.id = msgrcpt.rid AND r.state = 'sent') THEN 'R' ELSE ' ' END"
    " WHERE mail_id = :mail_id AND partition_tag = :tag AND rs = 'D'"
)
_ONE_RECIPIENT = "AND rid IN (SELECT v.id FROM maddr v WHERE v.email = :email)"
_PENDING_ONE = sql(
    "UPDATE msgrcpt SET rs = 'p'",
    "WHERE mail_id = :mail_id AND partition_tag = :tag AND ds IN ('D', 'R', 'B') AND rs NOT IN ('D', 'R')",
    _ONE_RECIPIENT,
)
_DENIED_ONE = sql(
    "UPDATE msgrcpt SET rs = 'V' WHERE mail_id = :mail_id AND partition_tag = :tag AND rs = 'p'",
    _ONE_RECIPIENT,
)
_DELETE_ONE = sql(_DELETE, _ONE_RECIPIENT)
_UNDELETE_ONE = sql(_UNDELETE, _ONE_RECIPIENT)


def _page(connection: Connection, wanted: Condition, *, size: int, after: str) -> _Page:
    return _Page(listing.page(connection, wanted, size, after), size)


def stored_text(connection: Connection, message: Key) -> StoredText:
    """The text of a message as on the wire. NoSuchMessage when only its history is left."""
    rows = connection.execute(
        "SELECT mail_text FROM quarantine"
        " WHERE mail_id = :mail_id AND partition_tag = :tag ORDER BY chunk_ind",
        message.values,
    ).fetchall()
    if not rows:
        raise NoSuchMessage(message.mail_id)
    stored = b"".join(_octets(chunk) for (chunk,) in rows)
    ours = connection.execute(
        "SELECT line_ends, prefix FROM lz_msgs WHERE mail_id = :mail_id AND partition_tag = :tag",
        message.values,
    ).fetchone()
    if ours is None or ours[1] is None:
        return text.from_amavis(stored)
    return text.from_stored(stored, *ours)


def _octets(chunk: bytes | str) -> bytes:
    """Other programs may have stored text where SQLite takes anything."""
    return chunk if isinstance(chunk, bytes) else chunk.encode("utf-8", "surrogateescape")


def _detail(connection: Connection, message: Key) -> Detail:
    item = listing.one(connection, message)
    found = connection.execute(
        "SELECT id, hits, unavailable FROM lz_msgs WHERE mail_id = :mail_id AND partition_tag = :tag",
        message.values,
    ).fetchone()
    msg, lines, unavailable = found or (0, "", "")
    (hits,) = unpacked(connection, [lines])
    if found is None and item.stored:
        hits = _amavis_hits(connection, message)
    return Detail(
        item=item,
        hits=hits,
        reasons=_reasons(connection, msg, item),
        unavailable=tuple(unavailable.splitlines()),
        attachments=tuple(
            name
            for (name,) in connection.execute(
                "SELECT name FROM lz_attachments WHERE msg = :msg ORDER BY num", {"msg": msg}
            )
        ),
        releases=tuple(releases.of_message(connection, message)),
    )


def _amavis_hits(connection: Connection, message: Key) -> tuple[ScoredHit, ...]:
    """The symbols that amavisd wrote into the text."""
    try:
        stored = stored_text(connection, message)
    except NoSuchMessage:
        return ()
    prefix = stored.octets[: stored.prefix].replace(b"\r\n", b"\n")
    return tuple(text.amavis_tests(prefix))


def _reasons(connection: Connection, msg: int, item: Item) -> dict[str, str]:
    found = connection.execute(
        "SELECT reason FROM lz_msgrcpt WHERE msg = :msg ORDER BY rseqnum", {"msg": msg}
    ).fetchall()
    return {copy.address: reason for copy, (reason,) in zip(item.copies, found, strict=False)}
