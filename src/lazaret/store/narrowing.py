"""Few messages are read by their keys, many in the order of their time: what is rare must not be looked for
by reading everything, and what is frequent not be collected in order to show fifty.

Databases guess which it is, and guess wrong: none of them knows how many messages a word is in.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import groupby

from lazaret.store.condition import Condition, Narrow, Source, indexed, joined, one_of
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql

FEW = 5000
"""So many are read by their keys, each in some microseconds; of more, fifty new ones are soon found."""
_LOOKED_AT = 64
"""Messages of a page. To find them in the order of time `_LOOKED_AT * all / n` are looked at, of `n`."""
_SIZES = (16, 64, 256, 750, 1500, 2500, FEW)
"""Numbers of keys in a statement: few, so that databases keep them prepared."""

_WITH_TIME = "SELECT k.partition_tag, k.mail_id, m.time_num FROM ("
_IN_TIME = ") k CROSS JOIN msgs m"
_OF_KEYS = "WHERE m.partition_tag = k.partition_tag AND m.mail_id = k.mail_id"
_FULFILLED = "(1 = 1)"
_QUARANTINED = "m.quar_type = 'Q'"
_QUARANTINED_BY_NO_INDEX = "COALESCE(m.quar_type, ' ') = 'Q'"

Place = tuple[int, str]
"""`partition_tag` and `mail_id` of a message."""
Found = dict[Place, int | None]
"""Messages, and when they came in where the index that had them says so."""


def narrowed(connection: Connection, wanted: Condition, counted: int = 0) -> Condition:
    """The same condition, with the keys of the messages that can fulfil it where those are few.

    `counted`: not a page is wanted, but the number of messages, up to this.
    """
    if wanted.few or wanted.is_wide:
        return wanted
    most = min(counted or FEW, FEW)
    found: Found | None = None
    asked = wanted.sql
    for source in wanted.sources:
        # To ask some messages is no worse than to read so many of what else they shall fulfil.
        others = FEW if found is None else min(FEW, max(len(found), _SIZES[0]))
        some = _few(connection, source, most if len(wanted.sources) == 1 else others)
        if some is not None:
            found = some if found is None else _in_both(found, some)
            asked = asked.replace(f"({source.whole})", _FULFILLED) if source.whole else asked
        elif source.by_no_index:
            # Or SQLite reads all members of a campaign, and looks for the keys among them.
            asked = asked.replace(f"({source.whole})", f"({source.by_no_index})")
    if found is None:
        by_row = any(source.by_row for source in wanted.sources)
        narrow = None if counted else _sooner_in_order(connection, wanted)
        return replace(wanted, is_wide=True, frequent=wanted.frequent or by_row, narrow=narrow)
    # Or SQLite reads all that is in the quarantine in the order of time, and looks for the keys there.
    unordered = replace(wanted, sql=asked.replace(_QUARANTINED, _QUARANTINED_BY_NO_INDEX))
    both = joined([unordered, replace(one_of_keys(connection, found), few=True)], "AND")
    return replace(both, narrow=Narrow(found, unordered))


def _sooner_in_order(connection: Connection, wanted: Condition) -> Narrow | None:
    """The messages of a source that are not few, where a page of them would be far apart among all others:
    all of them and their times are read from indexes, and the newest then asked for the rest."""
    _, stored = indexed(connection)
    most = int((_LOOKED_AT * connection.dialect.walk_cost * stored) ** 0.5)
    for source in wanted.sources:
        if most <= FEW or not source.numbers or source.by_row or _are_more(connection, source, most):
            continue
        statement = sql(_WITH_TIME, source.sql, _IN_TIME, connection.dialect.their_moments, _OF_KEYS)
        rows = connection.execute(statement, source.values).fetchall()
        rest = wanted.sql.replace(f"({source.whole})", _FULFILLED)
        return Narrow({(tag, mail_id): time for tag, mail_id, time in rows}, replace(wanted, sql=rest))
    return None


def _are_more(connection: Connection, source: Source, most: int) -> bool:
    """Without a page of the disk for each of thousands of messages, or all of their keys."""
    counted = sql("SELECT count(*) FROM (", source.sql, "LIMIT :few) w")
    if source.numbers:
        counted = sql("SELECT count(*) FROM (", source.numbers, "LIMIT :few) w")
    (number,) = connection.execute(counted, {**source.values, "few": most + 1}).fetchone()
    return bool(number > most)


def _few(connection: Connection, source: Source, most: int) -> Found | None:
    """What the source has, or None for too many."""
    if (source.numbers or source.scattered) and _are_more(connection, source, most):
        return None
    statement = sql(source.timed, "LIMIT :few") if source.timed else sql(source.sql, "LIMIT :few")
    rows = connection.execute(statement, {**source.values, "few": most + 1}).fetchall()
    if len(rows) > most:
        return None
    found: Found = {}
    for tag, mail_id, *time in rows:
        found[tag, mail_id] = found.get((tag, mail_id)) or (time[0] if time else None)
    return found


def _in_both(some: Found, others: Found) -> Found:
    return {key: some[key] or others[key] for key in some.keys() & others.keys()}


def one_of_many(connection: Connection, column: str, values: Sequence[int]) -> Condition:
    """`column` is one of these numbers, which may be thousands."""
    if listed := connection.dialect.listed:
        where = column + " IN (" + listed.replace("$NAME", "listed") + ")"
        return Condition(where, {"listed": json.dumps(list(values))})
    return one_of(column, values)


def one_of_keys(connection: Connection, found: Collection[Place]) -> Condition:
    """`m` has one of these keys; partition by partition, which is how indexes have them."""
    if not found:
        return Condition("1 = 0")
    parts = []
    for tag, keys in groupby(sorted(found), key=lambda one: one[0]):
        ids = [mail_id for _, mail_id in keys]
        if listed := connection.dialect.listed:
            where = "m.partition_tag = :tag AND m.mail_id IN (" + listed.replace("$NAME", "keys") + ")"
            parts.append(Condition(where, {"tag": tag, "keys": json.dumps(ids)}))
            continue
        size = next(size for size in _SIZES if len(ids) <= size)
        ids += ids[-1:] * (size - len(ids))
        names = [f"key_{number}" for number in range(size)]
        marks = ", ".join(":" + name for name in names)
        values: dict[str, object] = {"tag": tag, **dict(zip(names, ids, strict=True))}
        parts.append(Condition("m.partition_tag = :tag AND m.mail_id IN (" + marks + ")", values))
    return joined(parts, "OR")
