"""What the overview and the rules page plot: counts over the history, by time, sender and rule."""

from dataclasses import dataclass
from typing import Any

from lazaret.model.person import ALL, Sight
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.reader import Reader
from lazaret.store.sight import of_figures

_SPAN = "WHERE m.content IS NOT NULL AND m.time_num >= :since AND $MESSAGE"
_OURS = "LEFT JOIN lz_msgs l ON l.partition_tag = m.partition_tag AND l.mail_id = m.mail_id"
_ACTION = (
    "COALESCE(x.action, CASE r.ds WHEN 'P' THEN 'deliver' WHEN 'D' THEN 'discard' WHEN 'T' THEN 'defer'"
    " ELSE 'reject' END)"
)
_VOLUME = sql(
    sql("SELECT m.time_num - m.time_num % :bucket,", _ACTION, ", count(*) FROM msgs m"),
    "JOIN msgrcpt r ON r.partition_tag = m.partition_tag AND r.mail_id = m.mail_id",
    sql(_OURS, "LEFT JOIN lz_msgrcpt x ON x.msg = l.id AND x.rseqnum = r.rseqnum", _SPAN),
    "AND $COPY GROUP BY 1, 2 ORDER BY 1",
)
_SENDERS = sql(
    "SELECT a.email, c.number FROM maddr a JOIN (SELECT m.sid, count(*) AS number FROM msgs m",
    sql(_SPAN, "AND m.quar_type = 'Q' GROUP BY m.sid"),
    ") c ON c.sid = a.id ORDER BY c.number DESC, a.email LIMIT :top",
)
# A release says that somebody wanted the mail: the best sign of a wrong verdict that there is.
_RULES = sql(
    "SELECT s.name, s.description, c.number, c.mean, c.stopped, c.released FROM lz_symbols s JOIN",
    "(SELECT h.symbol, count(*) AS number, avg(h.score) AS mean,",
    "sum(CASE WHEN m.quar_type = 'Q' THEN 1 ELSE 0 END) AS stopped,",
    "sum(CASE WHEN EXISTS (SELECT 1 FROM msgrcpt r WHERE r.partition_tag = m.partition_tag",
    "AND r.mail_id = m.mail_id AND r.rs = 'R' AND $COPY) THEN 1 ELSE 0 END) AS released FROM msgs m",
    "JOIN lz_msgs l ON l.partition_tag = m.partition_tag AND l.mail_id = m.mail_id",
    sql("JOIN lz_hits h ON h.msg = l.id", _SPAN, "GROUP BY h.symbol)"),
    "c ON c.symbol = s.id ORDER BY c.number DESC, s.name LIMIT :top",
)


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """One rule over a span of time."""

    name: str
    description: str
    messages: int
    mean_score: float
    stopped: int
    """Messages with this hit that came into the quarantine."""
    released: int
    """Of these, how many somebody released."""

    @property
    def released_share(self) -> float:
        """Part of what it helped to stop that somebody wanted after all, from 0 to 1."""
        return self.released / self.stopped if self.stopped else 0.0


class Figures:
    """Counts on the reader's threads, within the time of a search; with a `sight` only of what it covers."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def volume(self, *, since: float, bucket_s: int, sight: Sight = ALL) -> dict[int, dict[str, int]]:
        """Beginning of each span of time -> action -> recipients. SearchStopped."""
        spans: dict[int, dict[str, int]] = {}
        for at, action, number in await self._ask(_VOLUME, sight, since=int(since), bucket=bucket_s):
            spans.setdefault(at, {})[action] = number
        return spans

    async def senders(self, *, since: float, top: int = 10, sight: Sight = ALL) -> list[tuple[str, int]]:
        """Who had most of his messages quarantined. SearchStopped."""
        return await self._ask(_SENDERS, sight, since=int(since), top=top)

    async def rules(self, *, since: float, top: int = 500, sight: Sight = ALL) -> list[RuleFigures]:
        """The rules that hit, the most frequent first. SearchStopped."""
        return [RuleFigures(*row) for row in await self._ask(_RULES, sight, since=int(since), top=top)]

    async def _ask(self, statement: str, seen: Sight, **values: int) -> list[Any]:
        wanted = of_figures(statement, seen)

        def work(connection: Connection) -> list[Any]:
            return connection.execute(wanted.sql, wanted.values | values).fetchall()

        return await self._reader.run(work, limited=True)
