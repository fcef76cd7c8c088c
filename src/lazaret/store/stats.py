"""Figures from the history: for `lazaret stats`, `report`, `simulate` and the web page."""

from dataclasses import dataclass
from typing import Any

from lazaret.model.person import ALL, Sight
from lazaret.model.quarantine import Item
from lazaret.store import listing
from lazaret.store.condition import Condition, joined
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.reader import Reader
from lazaret.store.search import Scope, condition
from lazaret.store.sight import of_figures


@dataclass(frozen=True, slots=True)
class SymbolCount:
    """How often a symbol was seen, and what it was worth on the average."""

    name: str
    description: str
    messages: int
    mean_score: float


@dataclass(frozen=True, slots=True)
class Overview:
    """What the filter did in a span of time."""

    messages: int
    octets: int
    mean_ms: float
    """Time for one message, of those that Lazaret itself filtered."""
    categories: dict[str, int]
    """Letter of the category -> messages."""
    actions: dict[str, int]
    """Word of the action -> recipients."""
    days: dict[int, dict[str, int]]
    """Midnight UTC of a day, seconds since 1970 -> category -> messages."""
    symbols: tuple[SymbolCount, ...]
    """The most frequent first."""
    scores: dict[int, int]
    """Score rounded down to a whole point -> messages."""


class Stats:
    """Counts on the reader's threads."""

    def __init__(self, reader: Reader, *, foreign: bool) -> None:
        self._reader = reader
        self._foreign = foreign

    async def overview(
        self, *, since: float = 0.0, before: float = 1e10, top: int = 20, sight: Sight = ALL
    ) -> Overview:
        """Figures for messages received from `since` to before `before`, with the `top` symbols.

        With a `sight` only of messages, and of copies, that it covers.
        """
        span = {"since": int(since), "before": int(before)}
        return await self._reader.run(lambda connection: _overview(connection, span, top, sight))

    async def quarantined(self, *, since: float = 0.0, limit: int = 10_000) -> list[Item]:
        """What was put into the quarantine since then and not deleted: the lowest score first."""

        def work(connection: Connection) -> list[Item]:
            wanted = condition(connection, "state:quarantined", Scope(foreign=self._foreign), 0.0)
            recent = Condition("m.time_num >= :since", {"since": int(since)})
            return listing.page(connection, joined([wanted, recent], "AND"), limit, "")

        items = await self._reader.run(work)
        return sorted(items, key=lambda item: (item.score, -item.time))


_SPAN = "WHERE m.content IS NOT NULL AND m.time_num >= :since AND m.time_num < :before AND $MESSAGE"
_OURS = "JOIN lz_msgs l ON l.partition_tag = m.partition_tag AND l.mail_id = m.mail_id"
_ACTION = (
    "COALESCE(x.action, CASE r.ds WHEN 'P' THEN 'deliver' WHEN 'D' THEN 'discard' WHEN 'T' THEN 'defer'"
    " ELSE 'reject' END)"
)
_RECIPIENTS = sql(
    "FROM msgs m JOIN msgrcpt r ON r.partition_tag = m.partition_tag AND r.mail_id = m.mail_id",
    sql(
        "LEFT", _OURS, "LEFT JOIN lz_msgrcpt x ON x.msg = l.id AND x.rseqnum = r.rseqnum", _SPAN, "AND $COPY"
    ),
)
_TOTALS = sql("SELECT count(*), COALESCE(sum(m.size), 0) FROM msgs m", _SPAN)
_TIMES = sql("SELECT COALESCE(avg(l.took_ms), 0) FROM msgs m", _OURS, _SPAN)
_DAYS = sql(
    "SELECT m.time_num - m.time_num % 86400, m.content, count(*) FROM msgs m",
    sql(_SPAN, "GROUP BY 1, 2 ORDER BY 1"),
)
_ACTIONS = sql("SELECT", _ACTION, ", count(*)", _RECIPIENTS, "GROUP BY 1")
_SCORES = sql("SELECT FLOOR(COALESCE(m.spam_level, 0)), count(*) FROM msgs m", _SPAN, "GROUP BY 1 ORDER BY 1")
_SYMBOLS = sql(
    "SELECT s.name, s.description, c.number, c.mean FROM lz_symbols s JOIN",
    "(SELECT h.symbol, count(*) AS number, avg(h.score) AS mean FROM msgs m",
    sql(_OURS, "JOIN lz_hits h ON h.msg = l.id", _SPAN, "GROUP BY h.symbol)"),
    "c ON c.symbol = s.id ORDER BY c.number DESC, s.name LIMIT :top",
)


def _overview(connection: Connection, span: dict[str, int], top: int, seen: Sight) -> Overview:
    def ask(statement: str, **more: int) -> list[Any]:
        wanted = of_figures(statement, seen)
        return connection.execute(wanted.sql, wanted.values | span | more).fetchall()

    [(messages, octets)] = ask(_TOTALS)
    [(mean_ms,)] = ask(_TIMES)
    days: dict[int, dict[str, int]] = {}
    categories: dict[str, int] = {}
    for day, category, number in ask(_DAYS):
        days.setdefault(day, {})[category] = number
        categories[category] = categories.get(category, 0) + number
    return Overview(
        messages=messages,
        octets=octets,
        mean_ms=mean_ms,
        categories=categories,
        actions=dict(ask(_ACTIONS)),
        days=days,
        symbols=tuple(SymbolCount(*row) for row in ask(_SYMBOLS, top=top)),
        scores={int(points): number for points, number in ask(_SCORES)},
    )
