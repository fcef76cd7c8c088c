"""Digests: which copies nobody was told of, who was told when, and how everybody wants to be told.

A copy counts as told once the next hop has taken its digest: one whose fate a crash left open is sent again,
because a digest twice is a smaller evil than none.
What another filter quarantined is never told of: only copies that we kept ourselves have a row in lz_msgrcpt.
"""

from collections.abc import Iterable, Sequence

from lazaret.model.digest import Attempt, Interval, Letter, Told, Untold, Waiting, Wish
from lazaret.model.errors import Reply
from lazaret.model.quarantine import Item
from lazaret.store import audit, listing, owner
from lazaret.store.addresses import key, plain
from lazaret.store.condition import one_of
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import Table, insert, marks, portions
from lazaret.store.reader import Reader
from lazaret.store.rows import IMPORTED
from lazaret.store.writer import Writer

KEEP_DAYS = 40
"""How long it is known at least who was told of what: longer than anything is told of."""

_DIGESTS = Table(
    "lz_digests",
    ("email", "due", "time_num", "state", "owner", "response", "message_id", "digest"),
    skip_known=True,
)
_ITEMS = Table("lz_digest_items", ("mail_id", "partition_tag", "digest"))
_WISHES = Table("lz_digest_wishes", ("email", "days", "hours", "time_zone", "language", "categories"))

_UNTOLD_COPIES = sql(
    "m.partition_tag = r.partition_tag AND m.mail_id = r.mail_id",
    "AND l.partition_tag = m.partition_tag AND l.mail_id = m.mail_id",
    "AND x.msg = l.id AND x.rseqnum = r.rseqnum AND x.stored = 'Y'",
    "AND m.quar_type = 'Q' AND m.time_num >= :since AND COALESCE(m.policy, '') <> :imported",
    "AND r.ds IN ('D', 'R', 'B') AND r.rs NOT IN ('R', 'D', 'p') AND NOT EXISTS",
    "(SELECT 1 FROM lz_digest_items i JOIN lz_digests d ON d.id = i.digest",
    "WHERE i.mail_id = r.mail_id AND i.partition_tag = r.partition_tag AND d.email = a.email",
    "AND d.state = 'sent')",
)
_WAITING = sql(
    "SELECT a.email, r.content, x.action, min(m.time_num), count(*)",
    "FROM msgs m, msgrcpt r, maddr a, lz_msgs l, lz_msgrcpt x WHERE a.id = r.rid AND",
    _UNTOLD_COPIES,
    "GROUP BY a.email, r.content, x.action ORDER BY a.email",
)
# SQLite takes tables that are crossed in their order: here the copies of one address, not those of everybody.
_UNTOLD = sql(
    "SELECT r.mail_id, r.partition_tag, r.content, x.action, r.bspam_level, m.time_num",
    "FROM maddr a CROSS JOIN msgrcpt r CROSS JOIN msgs m CROSS JOIN lz_msgs l CROSS JOIN lz_msgrcpt x",
    "WHERE a.email = :email AND r.rid = a.id AND",
    _UNTOLD_COPIES,
    "ORDER BY r.bspam_level, m.time_num DESC LIMIT :limit",
)
# Whom the next hop has taken mail for, or who is named as a user.
_KNOWN = "SELECT b.email FROM maddr b WHERE b.email IN ("
_KNOWN_BY = (
    ") AND (EXISTS (SELECT 1 FROM msgrcpt r WHERE r.rid = b.id AND (r.ds = 'P' OR r.rs = 'R'))"
    " OR EXISTS (SELECT 1 FROM users u WHERE u.email = b.email)"
    " OR b.email IN (SELECT s.value FROM lz_user_scopes s WHERE s.kind = 'A')"
    " OR EXISTS (SELECT 1 FROM lz_digest_wishes w WHERE w.email = b.email))"
)
_WISH = "SELECT email, days, hours, time_zone, language, categories FROM lz_digest_wishes"
_ATTEMPTS = (
    "SELECT email, due, time_num, state, response FROM lz_digests WHERE due >= :since ORDER BY due, email"
)


class SqlDigests:
    """Reads in the reader's threads, writes through the writer's. Addresses are normalised."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def waiting(self, *, since: float) -> list[Waiting]:
        """What nobody was told of and came in since then, by recipient."""
        values = {"since": int(since), "imported": IMPORTED}

        def work(connection: Connection) -> list[Waiting]:
            return [Waiting(*row) for row in connection.execute(_WAITING, values)]

        return await self._reader.run(work)

    async def untold(self, address: str, *, since: float, limit: int) -> list[Untold]:
        """The same copy by copy, for one recipient: the lowest score first."""
        values = {"since": int(since), "imported": IMPORTED, "email": key(address), "limit": limit}

        def work(connection: Connection) -> list[Untold]:
            return [_untold(*row) for row in connection.execute(_UNTOLD, values)]

        return await self._reader.run(work)

    async def items(self, copies: Sequence[Untold]) -> list[Item]:
        """Their messages, in the same order; those are missing that were removed meanwhile."""

        def work(connection: Connection) -> list[Item]:
            wanted = one_of("m.mail_id", [copy.mail_id for copy in copies])
            found = {(i.mail_id, i.partition_tag): i for i in listing.page(connection, wanted, 1000, "")}
            keys = [(copy.mail_id, copy.partition_tag) for copy in copies]
            return [found[one] for one in keys if one in found]

        return await self._reader.run(work)

    async def known(self, addresses: Iterable[str]) -> set[str]:
        """Those of the addresses that have a reader, as far as we can know."""
        wanted = sorted(set(map(key, addresses)))

        def work(connection: Connection) -> set[str]:
            return {
                email
                for some in portions(wanted)
                for (email,) in connection.execute(sql(_KNOWN, marks(len(some)), _KNOWN_BY), some)
            }

        return await self._reader.run(work)

    # Wishes

    async def wishes(self) -> dict[str, Wish]:
        """Address -> how its reader wants to be told; those who never said are missing."""

        def work(connection: Connection) -> dict[str, Wish]:
            return {email: _wish(*row) for email, *row in connection.execute(_WISH)}

        return await self._reader.run(work)

    async def wish(self, address: str) -> Wish | None:
        """The wish of one."""
        values = {"email": key(address)}

        def work(connection: Connection) -> Wish | None:
            row = connection.execute(sql(_WISH, "WHERE email = :email"), values).fetchone()
            return _wish(*row[1:]) if row else None

        return await self._reader.run(work)

    async def set_wish(self, address: str, wish: Wish | None, *, who: str) -> None:
        """Takes a wish; None: what holds for everybody holds again."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM lz_digest_wishes WHERE email = :email", {"email": key(address)})
            said = "as everybody"
            if wish is not None:
                insert(connection, _WISHES, [_wish_row(address, wish)])
                said = f"{wish.interval} at {' '.join(map(str, wish.hours)) or 'no hour'}"
            audit.write(connection, who, "digest-wish", detail=f"{key(address)}: {said}")

        await self._writer.run(work, durable=True)

    # Sending

    async def attempts(self, *, since: float) -> list[Attempt]:
        """What was sent for moments since then, the oldest first."""

        def work(connection: Connection) -> list[Attempt]:
            return [Attempt(*row) for row in connection.execute(_ATTEMPTS, {"since": int(since)})]

        return await self._reader.run(work)

    async def claim(self, letter: Letter, *, due: float, digest: bytes, now: float) -> bool:
        """Whether it is ours to send: not so when it was sent, was refused, or is being sent.

        `digest`: SHA-256 of the letter below its Message-ID.
        """
        return await self._writer.run(
            lambda connection: _claim(connection, letter, int(due), digest, int(now)), durable=True
        )

    async def settle(self, message_id: str, reply: Reply) -> None:
        """Records what the next hop said."""
        state = "sent" if reply.positive else "deferred" if reply.transient else "refused"
        values = {"state": state, "response": plain(str(reply), 1000), "id": message_id}

        def work(connection: Connection) -> None:
            connection.execute(
                "UPDATE lz_digests SET state = :state, response = :response WHERE message_id = :id", values
            )

        await self._writer.run(work, durable=True)


def _untold(mail_id: str, tag: int, category: str, action: str, score: float | None, at: int) -> Untold:
    return Untold(mail_id, tag, category, action, score or 0.0, at)


def _claim(connection: Connection, letter: Letter, due: int, digest: bytes, now: int) -> bool:
    email, us = key(letter.recipient), owner.this_process()
    found = connection.execute(
        "SELECT id, state, owner, time_num, message_id FROM lz_digests WHERE email = :email AND due = :due",
        {"email": email, "due": due},
    ).fetchone()
    if found is None:
        row = (email, due, now, "claimed", us, "", letter.message_id, digest)
        insert(connection, _DIGESTS, [row])
    else:
        number, state, by, claimed, before = found
        if state in ("sent", "refused") or (state == "claimed" and owner.is_at_work(by, claimed, now)):
            return False
        connection.execute("DELETE FROM lz_digest_items WHERE digest = :id", {"id": number})
        connection.execute(
            _TAKE_OVER,
            {
                "now": now,
                "owner": us,
                "message_id": letter.message_id,
                "digest": digest,
                "id": number,
                "before": before,
            },
        )
    # Another machine may have been quicker: then the row has its Message-ID, and not ours.
    ours = connection.execute(_BY_MESSAGE_ID, {"message_id": letter.message_id}).fetchone()
    if ours is None:
        return False
    insert(connection, _ITEMS, [(copy.mail_id, copy.partition_tag, ours[0]) for copy in letter.told])
    return True


def is_ours(connection: Connection, message_id: str) -> bool:
    """Whether we ever sent a digest with this Message-ID."""
    return connection.execute(_BY_MESSAGE_ID, {"message_id": message_id}).fetchone() is not None


def pass_again(connection: Connection, message_id: str, digest: bytes, emails: Sequence[str]) -> bool:
    """Whether it was sent to this one recipient with this content and has not come by; from now on it has."""
    if len(emails) != 1:
        return False
    passed = connection.execute(
        "UPDATE lz_digests SET passed_again = 'Y' WHERE message_id = :id AND digest = :digest"
        " AND email = :email AND passed_again = 'N'",
        {"id": message_id, "digest": digest, "email": emails[0]},
    )
    return passed.rowcount == 1


def expect_again(connection: Connection, message_id: str, emails: Sequence[str]) -> None:
    """Takes back that it has come by."""
    connection.executemany(
        "UPDATE lz_digests SET passed_again = 'N' WHERE message_id = :id AND email = :email",
        [{"id": message_id, "email": email} for email in emails],
    )


_BY_MESSAGE_ID = "SELECT id FROM lz_digests WHERE message_id = :message_id"
_TAKE_OVER = (
    "UPDATE lz_digests SET state = 'claimed', time_num = :now, owner = :owner, message_id = :message_id,"
    " digest = :digest, passed_again = 'N' WHERE id = :id AND message_id = :before"
)


def _wish_row(address: str, wish: Wish) -> tuple[str, ...]:
    hours, categories = " ".join(map(str, wish.hours)), " ".join(wish.categories)
    return key(address), str(wish.interval), hours, wish.time_zone, wish.language, categories


def _wish(days: str, hours: str, time_zone: str, language: str, categories: str) -> Wish:
    return Wish(
        interval=Interval(days),
        hours=tuple(map(int, hours.split())),
        time_zone=time_zone,
        language=language,
        categories=tuple(map(Told, categories.split())),
    )
