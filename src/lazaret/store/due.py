"""Which texts have been kept long enough, as SQL, and what a purge would remove."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from lazaret.model.address import reversed_domain
from lazaret.model.keeping import DAY_S, Due, Keeping
from lazaret.model.verdict import Category
from lazaret.store import walk
from lazaret.store.connection import Connection
from lazaret.store.database import Database
from lazaret.store.dialect import sql

_COPIES = sql(
    "FROM msgrcpt r JOIN maddr a ON a.id = r.rid",
    "LEFT JOIN lz_msgs l ON l.partition_tag = r.partition_tag AND l.mail_id = r.mail_id",
    "LEFT JOIN lz_msgrcpt x ON x.msg = l.id AND x.rseqnum = r.rseqnum",
    "WHERE r.partition_tag = m.partition_tag AND r.mail_id = m.mail_id AND COALESCE(x.stored, 'Y') = 'Y'",
)
_OF_DOMAIN = "a.domain = :$NAME"
_BELOW = "(a.domain = :$NAME OR a.domain >= :$NAME_below AND a.domain < :$NAME_beyond)"
_STORED = "FROM msgs m WHERE m.quar_type = 'Q' AND m.time_num < :newest"


@dataclass(frozen=True, slots=True)
class Moments:
    """Until when a text of the table m must have come in to be due: `limit`, in seconds since 1970."""

    limit: str
    """SQL of that moment for one message."""
    values: Mapping[str, object]
    """Of its parameters, and `newest`: later ones are not due, whatever they are."""


def moments(keeping: Keeping, now: float) -> Moments:
    """The longest that any copy of a message is kept holds for it."""
    values: dict[str, object] = {
        "newest": int(now) - min(keeping.all_days()) * DAY_S,
        "oldest": int(now) - max(keeping.all_days()) * DAY_S,
        "others": int(now) - keeping.keep_days * DAY_S,
    }
    cases = []
    for number, domain in enumerate(("", *keeping.domains)):
        where = _domain(f"domain_{number}", domain, values) if domain else "1 = 1"
        # Everybody else comes last.
        cases.append((number == 0, where, _by_kind(keeping, domain, int(now))))
    whens = [f"WHEN {where} THEN {kind}" for _, where, kind in sorted(cases, key=lambda one: one[0])]
    one_copy = sql("CASE", *whens, "END")
    longest = sql("(SELECT min(", one_copy, ")", _COPIES, ")")
    # What is older than the longest time need not be looked at any closer.
    return Moments(
        sql("CASE WHEN m.time_num < :oldest THEN :oldest ELSE COALESCE(", longest, ", :others) END"), values
    )


def _domain(name: str, domain: str, values: dict[str, object]) -> str:
    reverse = reversed_domain("@" + domain.removeprefix("."))
    values[name] = reverse
    if not domain.startswith("."):
        return _OF_DOMAIN.replace("$NAME", name)
    values |= {name + "_below": reverse + ".", name + "_beyond": reverse + "/"}
    return _BELOW.replace("$NAME", name)


def _by_kind(keeping: Keeping, domain: str, now: int) -> str:
    """The moment for a copy in this domain, by its category and whether it was killed."""
    whens = []
    for category in (*keeping.categories, None):
        for killed in (True, False):
            moment = now - keeping.days(domain, category, killed=killed) * DAY_S
            asked = [f"r.content = '{category.value}'"] if category else []
            asked += ["x.action = 'discard'"] if killed else []
            whens.append(f"WHEN {' AND '.join(asked) or '1 = 1'} THEN {moment:d}")
    return sql("CASE", *whens, "END")


def due(database: Database, keeping: Keeping, now: float) -> Due:
    """What a purge would remove now; nothing is changed."""
    at = moments(keeping, now)
    with database.trouble(), closing(database.connect(patient=True)) as connection:
        past = sql(_STORED, "AND m.time_num <", at.limit)
        texts, octets = _one(connection, sql("SELECT count(*), COALESCE(sum(m.size), 0)", past), at.values)
        (late,) = _one(connection, sql("SELECT max(", at.limit, "- m.time_num)", past), at.values)
        history = {"history_before": int(now) - keeping.history_days * DAY_S}
        return Due(
            texts=texts,
            octets=octets,
            by_domain=tuple(_by_domain(connection, past, at.values)),
            history=_one(connection, _HISTORY, history)[0],
            orphans=sum(walk.count(connection, each) for each in walk.orphans(database.dialect)),
            addresses=walk.count(connection, walk.ADDRESSES),
            overdue_s=float(late or 0),
        )


_HISTORY = sql("SELECT count(*)", walk.OLD_HISTORY)


def _by_domain(
    connection: Connection, past: str, values: Mapping[str, object]
) -> Iterator[tuple[str, str, int]]:
    """Copies by category and domain; `past` selects the messages m."""
    statement = sql(
        "SELECT r.content, a.domain, count(*) FROM msgrcpt r JOIN maddr a ON a.id = r.rid",
        "WHERE (r.partition_tag, r.mail_id) IN (SELECT m.partition_tag, m.mail_id",
        past,
        ") GROUP BY r.content, a.domain ORDER BY 3 DESC, 2, 1",
    )
    for letter, reverse, copies in connection.execute(statement, values):
        name = ".".join(reversed(reverse.split(".")))
        yield _word(letter), name, copies


def _word(letter: str) -> str:
    try:
        return Category(letter).word
    except ValueError:
        return letter.strip() or "?"


def _one(connection: Connection, statement: str, values: Mapping[str, object]) -> Any:
    return connection.execute(statement, values).fetchone()
