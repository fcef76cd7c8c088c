"""Few messages are read by their keys, many in the order of their time: what is rare must not be looked for
by reading everything, and what is frequent not be collected in order to show fifty.

Databases guess which it is, and guess wrong: none of them knows how many messages a word is in.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import groupby

from lazaret.store.condition import Condition, Narrow, Source, joined, one_of
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql

FEW = 5000
"""So many are read by their keys, each in some microseconds; of more, fifty new ones are soon found."""
_SIZES = (16, 256, 1500, FEW)
"""Numbers of keys in a statement: few, so that databases keep them prepared."""

_FULFILLED = "(1 = 1)"
_QUARANTINED = "m.quar_type = 'Q'"
_QUARANTINED_BY_NO_INDEX = "COALESCE(m.quar_type, ' ') = 'Q'"

Place = tuple[int, str]
"""`partition_tag` and `mail_id` of a message."""
Found = dict[Place, int | None]
"""Messages, and when they came in where the index that had them says so."""


def narrowed(connection: Connection, wanted: Condition, most: int = FEW) -> Condition:
    """The same condition, with the keys of the messages that can fulfil it where those are few.

    `most`: more are too many where there is one place only to read them from.
    """
    if wanted.few or wanted.is_wide:
        return wanted
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
        return replace(wanted, is_wide=True, frequent=wanted.frequent or by_row)
    # Or SQLite reads all that is in the quarantine in the order of time, and looks for the keys there.
    unordered = replace(wanted, sql=asked.replace(_QUARANTINED, _QUARANTINED_BY_NO_INDEX))
    both = joined([unordered, replace(one_of_keys(connection, found), few=True)], "AND")
    return replace(both, narrow=Narrow(found, unordered))


def _few(connection: Connection, source: Source, most: int) -> Found | None:
    """What the source has, or None for too many."""
    if source.numbers:
        # Not a page of the disk for each of thousands of messages, only to see that they are too many.
        counted = sql("SELECT count(*) FROM (", source.numbers, "LIMIT :few) w")
        (number,) = connection.execute(counted, {**source.values, "few": most + 1}).fetchone()
        if number > most:
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
