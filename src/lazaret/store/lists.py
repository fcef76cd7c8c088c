"""Lists of senders as people read and change them (the Protocol `flow.needs.SenderLists`).

The tables are amavis' own, `wblist` and `mailaddr`; networks, expiry and note stand in `lz_lists`.
"""

import time
from collections.abc import Iterable, Sequence

from lazaret.model.policies import ListEntry, NewEntry
from lazaret.policy.keys import priority
from lazaret.store.addresses import plain
from lazaret.store.condition import Condition, escaped, joined, like
from lazaret.store.connection import Connection
from lazaret.store.inserting import Table, insert
from lazaret.store.policies import ENTRIES, read_entry
from lazaret.store.policy_tables import changed, drop_owner, owner
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

_BLOCKS = "'B', 'b', 'N', 'n', 'F', 'f', '+', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'"
BLOCKING = Condition("substr(w.wb, 1, 1) IN (" + _BLOCKS + ")")
ALLOWING = Condition("substr(w.wb, 1, 1) NOT IN (" + _BLOCKS + ", ' ', '')")

_MAILADDR = Table("mailaddr", ("priority", "email"), skip_known=True)
EXPIRED_AT_ONCE = 500


class SqlSenderLists:
    """Reads in the reader's threads, writes through the writer's."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def page(
        self,
        *,
        allow: bool | None,
        owner: str | None = None,
        containing: str = "",
        limit: int,
        after: tuple[int, int] = (0, 0),
    ) -> list[ListEntry]:
        conditions = [
            Condition("w.rid > :rid OR (w.rid = :rid AND w.sid > :sid)", {"rid": after[0], "sid": after[1]})
        ]
        if allow is not None:
            conditions.append(ALLOWING if allow else BLOCKING)
        if owner is not None:
            conditions.append(Condition("u.email = :owner", {"owner": owner}))
        if containing:
            conditions.append(like("m.email", "%" + escaped(containing.lower()) + "%"))
        wanted = joined(conditions, "AND")

        def work(connection: Connection) -> list[ListEntry]:
            statement = " ".join([ENTRIES, "WHERE", wanted.sql, "ORDER BY w.rid, w.sid LIMIT :limit"])
            rows = connection.execute(statement, {**wanted.values, "limit": limit})
            return [read_entry(row) for row in rows]

        return await self._reader.run(work, limited=True)

    async def add(self, entries: Sequence[NewEntry], *, who: str) -> list[ListEntry]:
        now = int(time.time())

        def work(connection: Connection) -> list[ListEntry]:
            written = [_add(connection, entry, who, now) for entry in entries]
            changed(connection)
            return written

        return await self._writer.run(work, durable=True)

    async def remove(self, pairs: Iterable[tuple[str, str]], *, allow: bool) -> list[ListEntry]:
        def work(connection: Connection) -> list[ListEntry]:
            removed = [
                entry
                for pair in pairs
                for entry in _remove(connection, pair, ALLOWING if allow else BLOCKING)
            ]
            if removed:
                changed(connection)
            return removed

        return await self._writer.run(work, durable=True)

    async def expire(self, now: float) -> int:
        """Removes what has expired, a batch at a time; how many entries."""

        def work(connection: Connection) -> int:
            rows = connection.execute(
                "SELECT rid, sid, wb FROM lz_lists WHERE expires > 0 AND expires <= :now LIMIT :limit",
                {"now": int(now), "limit": EXPIRED_AT_ONCE},
            ).fetchall()
            for rid, sid, wb in rows:
                _delete(connection, rid, sid, wb)
            if rows:
                changed(connection)
            return len(rows)

        removed = 0
        while batch := await self._writer.run(work, durable=True):
            removed += batch
        return removed


def _add(connection: Connection, entry: NewEntry, who: str, now: int) -> ListEntry:
    """Writes over what the list says of this sender so far."""
    user, sender = owner(connection, entry.owner), _sender(connection, entry.key)
    pair = {"rid": user, "sid": sender}
    connection.execute("DELETE FROM wblist WHERE rid = :rid AND sid = :sid", pair)
    connection.execute("DELETE FROM lz_lists WHERE rid = :rid AND sid = :sid", pair)
    connection.execute("INSERT INTO wblist (rid, sid, wb) VALUES (:rid, :sid, :wb)", pair | {"wb": entry.wb})
    connection.execute(
        "INSERT INTO lz_lists (rid, sid, wb, networks, expires, note, who, time_num)"
        " VALUES (:rid, :sid, :wb, :networks, :expires, :note, :who, :time)",
        pair
        | {
            "wb": entry.wb,
            "networks": " ".join(entry.networks),
            "expires": entry.expires,
            "note": plain(entry.note, 255),
            "who": plain(who, 255),
            "time": now,
        },
    )
    (found,) = connection.execute(_ONE, pair)
    return read_entry(found)


_ONE = " ".join([ENTRIES, "WHERE w.rid = :rid AND w.sid = :sid"])


def _sender(connection: Connection, key: str) -> int:
    """`mailaddr.id`; the row is made when it is missing."""
    found = connection.execute(_SENDER, {"email": key}).fetchone()
    if found is None:
        insert(connection, _MAILADDR, [(priority(key), key)])
        found = connection.execute(_SENDER, {"email": key}).fetchone()
    return int(found[0])


_SENDER = "SELECT id FROM mailaddr WHERE email = :email"


def _remove(connection: Connection, pair: tuple[str, str], kind: Condition) -> list[ListEntry]:
    statement = " ".join([ENTRIES, "WHERE u.email = :owner AND m.email = :key AND", kind.sql])
    rows = connection.execute(statement, {"owner": pair[0], "key": pair[1]}).fetchall()
    removed = [read_entry(row) for row in rows]
    for entry in removed:
        _delete(connection, entry.user, entry.sender, entry.wb)
    return removed


def _delete(connection: Connection, user: int, sender: int, wb: str) -> None:
    """Removes an entry, and its owner when nothing else is said of him; not what another program has put
    in its place."""
    pair = {"rid": user, "sid": sender}
    connection.execute("DELETE FROM wblist WHERE rid = :rid AND sid = :sid AND wb = :wb", pair | {"wb": wb})
    connection.execute("DELETE FROM lz_lists WHERE rid = :rid AND sid = :sid", pair)
    drop_owner(connection, user)
