"""Rows of the database as Items: pages of a search, newest first, each beginning after a cursor."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from lazaret.model.errors import UserError
from lazaret.model.quarantine import RS_LETTERS, Copy, Item, State
from lazaret.model.verdict import ScoredHit
from lazaret.store import releases
from lazaret.store.addresses import from_octets
from lazaret.store.condition import ALL, Condition, Narrow, joined
from lazaret.store.connection import Connection, snapshot
from lazaret.store.dialect import sql
from lazaret.store.inserting import marks
from lazaret.store.keys import Key
from lazaret.store.narrowing import FEW, Place, narrowed, one_of_keys
from lazaret.store.rows import IMPORTED
from lazaret.store.symbols import unpacked

_MESSAGES = " FROM msgs m"
_OURS = "LEFT JOIN lz_msgs l ON l.partition_tag = m.partition_tag AND l.mail_id = m.mail_id"
FROM = sql(_MESSAGES, _OURS)
_COLUMNS = (
    "SELECT m.partition_tag, m.mail_id, m.time_num,"
    " (SELECT a.email FROM maddr a WHERE a.id = m.sid) AS email, l.sender, m.subject, m.from_addr,"
    " m.message_id, m.spam_level, m.content, m.size, m.client_addr, m.quar_type, l.queue_id, l.hits,"
    " m.policy, l.campaign"
)
_AFTER = (
    "m.time_num <= :time AND (m.time_num < :time OR m.mail_id < :mail_id"
    " OR m.mail_id = :mail_id AND m.partition_tag < :tag)"
)
_MOMENTS = sql("SELECT m.partition_tag, m.mail_id, m.time_num", _MESSAGES)
_NEWEST_FIRST = " ORDER BY m.time_num DESC, m.mail_id DESC, m.partition_tag DESC LIMIT :limit"
_SKIPPING = " ORDER BY m.time_num DESC, m.mail_id DESC LIMIT 1 OFFSET :most"
STEP = 1.2
LEAST = 8
"""So many times what is missing on a page, and some, are asked whether they belong on it."""
NEWEST = 50_000
"""Messages that a page looks at one by one before the indexes are asked for the others."""
_COUNTED_FROM = "SELECT count(*) FROM (SELECT 1 FROM ("
_AND_MORE = (
    ") k CROSS JOIN msgs m LEFT JOIN lz_msgs l ON l.partition_tag = m.partition_tag AND l.mail_id = m.mail_id"
    " WHERE m.partition_tag = k.partition_tag AND m.mail_id = k.mail_id AND"
)
_COPIES = (
    "SELECT r.partition_tag, r.mail_id, a.email, r.content, r.ds, r.rs, r.bspam_level, r.smtp_resp,"
    " x.address, x.action, x.stored"
    " FROM msgrcpt r LEFT JOIN maddr a ON a.id = r.rid"
    " LEFT JOIN lz_msgs l ON l.partition_tag = r.partition_tag AND l.mail_id = r.mail_id"
    " LEFT JOIN lz_msgrcpt x ON x.msg = l.id AND x.rseqnum = r.rseqnum WHERE r.mail_id IN ("
)

_UNSIGNED = (1 << 64) - 1
_ACTIONS_OF_DS = {"P": "deliver", "R": "reject", "B": "reject", "D": "discard", "T": "defer"}
_STATES_OF_DS = {"P": State.DELIVERED, "T": State.DEFERRED}
_BLOCKED = ("D", "R", "B")


class _Row(NamedTuple):
    tag: int
    mail_id: str
    time: int
    email: str | None
    sender: bytes | None
    subject: str | None
    from_addr: str | None
    message_id: str | None
    score: float | None
    category: str
    size: int
    client_ip: str | None
    quar_type: str | None
    queue_id: str | None
    hits: str | None
    policy: str | None
    campaign: int | None


class _CopyRow(NamedTuple):
    tag: int
    mail_id: str
    email: str | None
    category: str
    ds: str
    rs: str
    score: float | None
    response: str | None
    address: bytes | None
    action: str | None
    stored: str | None


def page(connection: Connection, wanted: Condition, limit: int, after: str) -> list[Item]:
    """At most `limit` items that come after the cursor, all parts of each read in the same moment."""
    if connection.in_transaction:
        return _read(connection, wanted, limit, after)
    with snapshot(connection):
        return _read(connection, wanted, limit, after)


def _read(connection: Connection, wanted: Condition, limit: int, after: str) -> list[Item]:
    wanted = narrowed(connection, wanted)
    where = joined([wanted, after_cursor(after)], "AND") if after else wanted
    place = FROM
    if wanted.narrow and len(wanted.narrow.keys) > limit:
        where = newest(connection, wanted.narrow, limit, after)
        place = by_moments(connection)
    elif where.few:
        # Sorted are the keys alone, not all that is shown of all messages.
        statement = sql("SELECT m.partition_tag, m.mail_id", FROM, "WHERE", where.sql, newest_first(where))
        keys = connection.execute(statement, where.values | {"limit": limit}).fetchall()
        where = replace(one_of_keys(connection, keys), few=True)
    else:
        where = in_steps(connection, where, limit)
    statement = sql(_COLUMNS, place, "WHERE", where.sql, newest_first(where))
    rows = [_Row(*row) for row in connection.execute(statement, where.values | {"limit": limit})]
    return _items(connection, rows) if rows else []


def newest(connection: Connection, narrow: Narrow, limit: int, after: str, since: int = 0) -> Condition:
    """The newest that fulfil the rest. They are put in order first, and asked from the newest on."""
    ordered = _in_order(connection, narrow, after, since)
    chosen: list[Place] = []
    size = int(STEP * limit)
    while ordered and len(chosen) < limit:
        some, ordered = ordered[:size], ordered[size:]
        left = limit - len(chosen)
        found = _fulfilling(connection, narrow.rest, some, left)
        chosen += found
        # As many as should have the missing ones; each that is asked may be a page of the disk.
        expected = int(STEP * (left - len(found)) * size / max(1, len(found))) + LEAST
        size = min(4 * size, expected)
    return replace(one_of_keys(connection, chosen), few=True)


def in_steps(connection: Connection, where: Condition, limit: int) -> Condition:
    """The condition, as its newest messages fulfil it: by their keys, where that is quicker."""
    if not (where.by_steps and connection.dialect.by_key):
        return where
    return replace(one_of_keys(connection, _by_steps(connection, where, limit)), few=True)


def _by_steps(connection: Connection, where: Condition, limit: int) -> list[Place]:
    """The newest that fulfil a condition; only what fulfils its first part is asked for the rest."""
    first = Condition(where.first, where.values)
    chosen: list[Place] = []
    size, asked = int(STEP * limit) + LEAST, first
    while len(chosen) < limit:
        statement = sql(_MOMENTS, _OURS, "WHERE", asked.sql, _NEWEST_FIRST)
        some = connection.execute(statement, asked.values | {"limit": size}).fetchall()
        chosen += _fulfilling(
            connection, where, [(tag, mail_id) for tag, mail_id, _ in some], limit - len(chosen)
        )
        if len(some) < size:
            break
        tag, mail_id, time = some[-1]
        asked = joined([first, after_cursor(f"{time}-{tag}-{mail_id}")], "AND")
        size = min(4 * size, FEW)
    return chosen


def _fulfilling(connection: Connection, where: Condition, some: Sequence[Place], limit: int) -> list[Place]:
    """The newest of these that fulfil a condition."""
    both = joined([where, replace(one_of_keys(connection, some), few=True)], "AND")
    statement = sql(
        "SELECT m.partition_tag, m.mail_id", by_moments(connection), "WHERE", both.sql, newest_first(both)
    )
    return list(connection.execute(statement, both.values | {"limit": limit}))


def by_moments(connection: Connection) -> str:
    """FROM, for keys that were read from that index a moment ago, and not from the one of the primary key."""
    return sql(_MESSAGES, connection.dialect.their_moments, _OURS)


def _in_order(connection: Connection, narrow: Narrow, after: str, since: int) -> list[Place]:
    """Those that come after the cursor, the newest first, as `_NEWEST_FIRST` has them, and no earlier."""
    moments = {place: time for place, time in narrow.keys.items() if time is not None}
    if unknown := [place for place in narrow.keys if place not in moments]:
        where = one_of_keys(connection, unknown)
        statement = sql(_MOMENTS, connection.dialect.their_moments, "WHERE", where.sql)
        for tag, mail_id, time in connection.execute(statement, where.values):
            moments[tag, mail_id] = time
    ordered = sorted(((time, mail_id, tag) for (tag, mail_id), time in moments.items()), reverse=True)
    if after:
        cursor = after_cursor(after).values
        place = (cursor["time"], cursor["mail_id"], cursor["tag"])
        ordered = [one for one in ordered if one < place]
    return [(tag, mail_id) for time, mail_id, tag in ordered if time >= since]


def newest_first(where: Condition) -> str:
    """ORDER BY and LIMIT :limit for messages that fulfil a condition.

    A sum is in no index: few messages are sorted, not looked for among all others in their order.
    """
    return _NEWEST_FIRST.replace("m.time_num", "m.time_num + 0") if where.few else _NEWEST_FIRST


def floor(connection: Connection, after: str, *, stored: bool) -> int:
    """Since when the NEWEST messages after a cursor came in; 0 when there are no more than those."""
    where = after_cursor(after) if after else ALL
    place = "m.quar_type = 'Q' AND" if stored else ""
    statement = sql("SELECT m.time_num FROM msgs m WHERE", place, "(", where.sql, ")", _SKIPPING)
    found = connection.execute(statement, {**where.values, "most": NEWEST}).fetchone()
    return int(found[0]) if found else 0


def count(connection: Connection, wanted: Condition, most: int = 0) -> int:
    """How many messages fulfil a condition; counting ends at `most`, unless that is 0."""
    wanted = narrowed(connection, wanted, most or FEW)
    values: dict[str, object] = dict(wanted.values)
    source = next((one for one in wanted.sources if not one.scattered), None)
    if most and source and not wanted.few:
        statement = sql(_COUNTED_FROM, source.sql, _AND_MORE, source.rest, "LIMIT :limit) counted")
        values |= {**source.values, "limit": most}
    elif most:
        # In the order of a list, or SQLite reads them in that of their scores, here and there in the file.
        statement = sql(
            "SELECT count(*) FROM (SELECT 1", FROM, "WHERE", wanted.sql, newest_first(wanted), ") counted"
        )
        values["limit"] = most
    else:
        statement = sql("SELECT count(*)", FROM, "WHERE", wanted.sql)
    (number,) = connection.execute(statement, values).fetchone()
    return int(number)


def one(connection: Connection, message: Key) -> Item:
    """The item of a message that is known to be there."""
    wanted = Condition("m.mail_id = :mail_id AND m.partition_tag = :tag", message.values)
    (item,) = page(connection, wanted, 1, "")
    return item


def of_keys(connection: Connection, found: Collection[Place]) -> list[Item]:
    """The items with these keys, newest first."""
    return page(connection, one_of_keys(connection, found), len(found), "") if found else []


def after_cursor(cursor: str) -> Condition:
    """What comes after it. UserError when the cursor is not one of ours."""
    try:
        moment, tag, mail_id = cursor.split("-", 2)
        values = {"time": int(moment), "tag": int(tag), "mail_id": mail_id}
        return Condition(_AFTER, values, first=_AFTER)
    except ValueError:
        raise UserError(f"{cursor[:40]!r} is no cursor: take the one that came with an item") from None


def _items(connection: Connection, rows: Sequence[_Row]) -> list[Item]:
    copies = _copies(connection, rows)
    hits = unpacked(connection, [row.hits or "" for row in rows])
    return [
        _item(row, copies.get((row.tag, row.mail_id), ()), found)
        for row, found in zip(rows, hits, strict=True)
    ]


def _item(row: _Row, copies: Iterable[Copy], hits: Iterable[ScoredHit]) -> Item:
    return Item(
        mail_id=row.mail_id,
        partition_tag=row.tag,
        time=float(row.time),
        sender=_address(row.email, row.sender),
        copies=tuple(copies),
        subject=row.subject or "",
        from_header=row.from_addr or "",
        message_id=row.message_id or "",
        score=row.score or 0.0,
        category=row.category,
        size=row.size,
        client_ip=row.client_ip or "",
        queue_id=row.queue_id or "",
        stored=row.quar_type == "Q",
        symbols=tuple(hit.symbol for hit in sorted(hits, key=lambda hit: (-hit.score, hit.symbol))),
        imported=row.policy == IMPORTED,
        campaign="" if row.campaign is None else f"{row.campaign & _UNSIGNED:016x}",
    )


def _copies(connection: Connection, rows: Sequence[_Row]) -> dict[tuple[int, str], list[Copy]]:
    kept = {(row.tag, row.mail_id) for row in rows if row.quar_type == "Q"}
    crashed = releases.crashed(connection)
    copies: dict[tuple[int, str], list[Copy]] = {}
    statement = sql(_COPIES, marks(len(rows)), ") ORDER BY r.partition_tag, r.mail_id, r.rseqnum")
    for row in map(_CopyRow._make, connection.execute(statement, [row.mail_id for row in rows])):
        uncertain = (Key(row.mail_id, row.tag), row.email) in crashed
        place = (row.tag, row.mail_id)
        copies.setdefault(place, []).append(_copy(row, place in kept, uncertain))
    return copies


def _copy(row: _CopyRow, kept: bool, uncertain: bool) -> Copy:
    return Copy(
        address=_address(row.email, row.address),
        state=State.UNCERTAIN if uncertain else _state(row, kept),
        category=row.category.strip(),
        action=row.action or _action(row, kept),
        score=row.score or 0.0,
        response=row.response or "",
    )


def _state(row: _CopyRow, kept: bool) -> State:
    letter = RS_LETTERS.get(row.rs, State.QUARANTINED)
    if letter in (State.RELEASED, State.DELETED):
        return letter
    if kept and row.ds in _BLOCKED and row.stored != "N":
        return letter
    return _STATES_OF_DS.get(row.ds, State.REFUSED)


def _action(row: _CopyRow, kept: bool) -> str:
    """The action of a copy that amavisd decided on."""
    return "quarantine" if kept and row.ds in _BLOCKED else _ACTIONS_OF_DS.get(row.ds, "")


def _address(email: str | None, exact: bytes | None) -> str:
    return from_octets(exact) if exact is not None else email or ""
