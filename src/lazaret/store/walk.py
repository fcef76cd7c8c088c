"""Reading through a table in the order of an index, some rows at a time, for what is to be removed.

What is passed over is not read again: neither mail nor other readers wait for a look at the whole table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lazaret.store.connection import Connection
from lazaret.store.dialect import Dialect, sql
from lazaret.store.keys import Key

LOOK = 2000
"""Rows to a look; some milliseconds."""


@dataclass(frozen=True, slots=True)
class Path:
    """A statement whose rows begin with where they stand, and end with whether they are wanted."""

    statement: str
    start: Mapping[str, object]
    """Where it begins; the names, in the order of the rows, are parameters of the statement."""
    values: Mapping[str, object] = field(default_factory=dict)
    """Of its other parameters, beside `look`."""
    mail_id: int = 0
    """The place of `mail_id` in a row; that of `partition_tag` is `tag`."""
    tag: int = 0


_AFTER = (
    "m.time_num >= :at_time AND (m.time_num > :at_time OR m.mail_id > :at_id"
    " OR m.mail_id = :at_id AND m.partition_tag > :at_tag)"
)
_IN_ORDER = "ORDER BY m.time_num, m.mail_id, m.partition_tag LIMIT :look"
_FROM_THE_FIRST = {"at_time": 0, "at_id": "", "at_tag": 0}
# With a LIMIT, not EXISTS: for each look PostgreSQL would make a list of all messages that there are.
_MISSING = (
    "CASE WHEN (SELECT 1 FROM msgs m"
    " WHERE m.mail_id = o.mail_id AND m.partition_tag = o.partition_tag LIMIT 1) = 1 THEN 0 ELSE 1 END"
)
KEYS = {
    "sqlite": "(o.mail_id, o.partition_tag) > (:at_id, :at_tag) ORDER BY o.mail_id, o.partition_tag",
    "mariadb": (
        "(o.partition_tag > :at_tag OR o.partition_tag = :at_tag AND o.mail_id > :at_id)"
        " ORDER BY o.partition_tag, o.mail_id"
    ),
    "postgresql": ("(o.partition_tag, o.mail_id) > (:at_tag, :at_id) ORDER BY o.partition_tag, o.mail_id"),
}
"""The next keys, as each kind finds them in its index: in other words it reads all that came before again."""
_BY_NUMBER = sql(
    "SELECT o.id, o.partition_tag, o.mail_id,", _MISSING, "FROM lz_msgs o WHERE o.id > :at ORDER BY o.id"
)
OLD_HISTORY = (
    "FROM msgs m WHERE m.time_num < :history_before"
    " AND (COALESCE(m.quar_type, ' ') <> 'Q' OR m.content IS NULL)"
)
UNUSED = (
    "(SELECT 1 FROM msgs m WHERE m.sid = maddr.id LIMIT 1) IS NULL"
    " AND (SELECT 1 FROM msgrcpt r WHERE r.rid = maddr.id LIMIT 1) IS NULL"
)

ADDRESSES = Path(
    sql(
        "SELECT id, CASE WHEN", UNUSED, "THEN 1 ELSE 0 END FROM maddr WHERE id > :at ORDER BY id LIMIT :look"
    ),
    {"at": 0},
)
"""Addresses that no message has."""


def texts(limit: str, values: Mapping[str, object]) -> Path:
    """Stored messages that came in before `limit`, which is SQL of a moment."""
    statement = sql(
        sql(
            "SELECT m.time_num, m.mail_id, m.partition_tag, CASE WHEN m.time_num <",
            limit,
            "THEN 1 ELSE 0 END",
        ),
        sql("FROM msgs m WHERE m.quar_type = 'Q' AND m.time_num < :newest AND", _AFTER, _IN_ORDER),
    )
    return Path(statement, _FROM_THE_FIRST, values, mail_id=1, tag=2)


def orphans(dialect: Dialect) -> Iterator[Path]:
    """Messages of which rows are left, and none in msgs."""
    yield Path(sql(_BY_NUMBER, "LIMIT :look"), {"at": 0}, mail_id=2, tag=1)
    for place in ("FROM msgrcpt o WHERE", "FROM quarantine o WHERE"):
        statement = sql(
            "SELECT o.partition_tag, o.mail_id,", _MISSING, place, KEYS[dialect.kind], "LIMIT :look"
        )
        yield Path(statement, {"at_tag": -(2**31), "at_id": ""}, mail_id=1)


def history(before: int) -> Path:
    """Messages older than that without a text, or never finished."""
    statement = sql("SELECT m.time_num, m.mail_id, m.partition_tag, 1", OLD_HISTORY, "AND", _AFTER, _IN_ORDER)
    return Path(statement, _FROM_THE_FIRST, {"history_before": before}, mail_id=1, tag=2)


class Walk:
    """How far one has come on a path."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at: Mapping[str, object] = path.start
        self.ended = False

    def messages(self, connection: Connection) -> list[Key]:
        """The wanted ones among the next rows, each once."""
        path = self._path
        return list(dict.fromkeys(Key(row[path.mail_id], row[path.tag]) for row in self.look(connection)))

    def look(self, connection: Connection) -> list[Any]:
        """The rows of the wanted ones among the next."""
        rows = connection.execute(
            self._path.statement, {**self._path.values, **self._at, "look": LOOK}
        ).fetchall()
        self.ended = len(rows) < LOOK
        if rows:
            self._at = dict(zip(self._path.start, rows[-1], strict=False))
        return [row for row in rows if row[-1]]


def count(connection: Connection, path: Path) -> int:
    """How many rows are wanted on a path."""
    walk, found = Walk(path), 0
    while not walk.ended:
        found += len(walk.look(connection))
    return found
