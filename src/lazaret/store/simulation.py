"""The history for a what-if (the Protocol `flow.needs.Past`): counted by score, and its border cases."""

from collections.abc import Sequence

from lazaret.model.address import normalise, reversed_domain, split
from lazaret.model.person import ALL, Sight
from lazaret.model.simulation import Border, Past
from lazaret.store.addresses import key
from lazaret.store.condition import NEVER, Condition, escaped, joined, like
from lazaret.store.connection import Connection
from lazaret.store.reader import Reader
from lazaret.store.sight import addresses

_ACTION = (
    "COALESCE(x.action, CASE r.ds WHEN 'P' THEN 'deliver' WHEN 'D' THEN 'discard' WHEN 'T' THEN 'defer'"
    " ELSE 'reject' END)"
)
_JUDGED = (
    "CASE WHEN r.content IN ('C', 'Y', 'S', 'U') AND m.originating <> 'Y' AND r.ds <> 'T'"
    " AND COALESCE(r.bl, ' ') <> 'Y' AND COALESCE(r.wl, ' ') <> 'Y' THEN 1 ELSE 0 END"
)
_SAID = (
    "CASE WHEN t.label = 'S' THEN 'spam' WHEN t.label = 'H' THEN 'ham' WHEN r.rs = 'S' THEN 'spam'"
    " WHEN r.rs IN ('R', 'H') THEN 'ham' ELSE '' END"
)
_SCORE = "COALESCE(r.bspam_level, 0)"
# What the filter has taught itself is no word of a person.
_TAUGHT = (
    "(SELECT mail_id, max(label) AS label FROM lz_learned"
    " WHERE undone_by = 0 AND mail_id <> '' AND label <> 'F' AND who NOT LIKE 'auto:%' GROUP BY mail_id)"
)
_FROM = " ".join(
    [
        "FROM msgs m JOIN msgrcpt r ON r.partition_tag = m.partition_tag AND r.mail_id = m.mail_id",
        "JOIN maddr a ON a.id = r.rid",
        "LEFT JOIN lz_msgs l ON l.partition_tag = m.partition_tag AND l.mail_id = m.mail_id",
        "LEFT JOIN lz_msgrcpt x ON x.msg = l.id AND x.rseqnum = r.rseqnum",
        "LEFT JOIN",
        _TAUGHT,
        "t ON t.mail_id = m.mail_id",
        "WHERE m.content IS NOT NULL AND m.time_num >= :since AND",
    ]
)
_BORDER = " ".join(
    [
        "SELECT m.mail_id, m.time_num,",
        _SCORE,
        ", a.email, m.from_addr, m.subject,",
        _ACTION,
        ",",
        _SAID,
        _FROM,
    ]
)


class SqlPast:
    """Counts on the reader's threads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def copies(
        self,
        *,
        since: float,
        recipient: str = "",
        domain: str = "",
        exempt: Sequence[str] = (),
        apart: bool = False,
        sight: Sight = ALL,
    ) -> list[Past]:
        seen = Condition("1 = 1") if sight.everything else addresses(sight)
        whose = joined([_whose(recipient, domain), seen], "AND").numbered(0)
        spared = _named(exempt).numbered(1)
        statement = " ".join(
            [
                "SELECT",
                *(_SCORE, "AS score,", _ACTION, "AS act,", _JUDGED, "AS judged,"),
                *("CASE WHEN", spared.sql, "THEN 1 ELSE 0 END AS spared,", _SAID, "AS said, count(*),"),
                *("a.email" if apart else "'' AS email", _FROM, whose.sql),
                *("GROUP BY score, act, judged, spared, said", ", a.email" if apart else ""),
                "ORDER BY score",
            ]
        )
        values = {**whose.values, **spared.values, "since": int(since)}

        def work(connection: Connection) -> list[Past]:
            return [
                Past(round(score, 3), action, bool(judged), bool(spared), said, copies, email)
                for score, action, judged, spared, said, copies, email in connection.execute(
                    statement, values
                )
            ]

        return await self._reader.run(work)

    async def border(
        self, level: float, *, since: float, recipient: str = "", domain: str = "", limit: int
    ) -> list[Border]:
        whose = _whose(recipient, domain).numbered(0)
        values = {**whose.values, "since": int(since), "level": level, "limit": limit}
        near = " ".join([_BORDER, whose.sql, "AND", _JUDGED, "= 1 AND", _SCORE])

        def work(connection: Connection) -> list[Border]:
            above = " ".join([near, ">= :level ORDER BY", _SCORE, ", m.time_num DESC LIMIT :limit"])
            below = " ".join([near, "< :level ORDER BY", _SCORE, "DESC, m.time_num DESC LIMIT :limit"])
            rows = [
                *reversed(connection.execute(above, values).fetchall()),
                *connection.execute(below, values),
            ]
            return [
                Border(mail_id, time, round(score, 3), email, sender or "", subject or "", action, said)
                for mail_id, time, score, email, sender, subject, action, said in rows
            ]

        return await self._reader.run(work)


def _whose(recipient: str, domain: str) -> Condition:
    """Copies of one recipient, or of a domain and all below it."""
    if recipient:
        return Condition("a.email = :email", {"email": key(recipient)})
    if domain:
        return _below(reversed_domain("@" + domain))
    return Condition("1 = 1")


def _below(name: str) -> Condition:
    tree = like("a.domain", escaped(name) + ".%")
    return joined([Condition("a.domain = :name", {"name": name}), tree], "OR")


def _named(patterns: Sequence[str]) -> Condition:
    """By patterns of `policy.always_deliver`: `user@`, `user@domain`, `@domain`, `@.domain`."""
    conditions = []
    for pattern in patterns:
        local, domain = split(pattern)
        if not domain:
            conditions.append(like("a.email", escaped(local.lower()) + "@%"))
        elif local:
            conditions.append(Condition("a.email = :email", {"email": normalise(pattern)}))
        elif domain.startswith("."):
            conditions.append(_below(reversed_domain("@" + domain[1:])))
        else:
            conditions.append(Condition("a.domain = :name", {"name": reversed_domain(pattern)}))
    return joined(conditions, "OR") if conditions else NEVER
