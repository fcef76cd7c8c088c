"""Lists in which messages that are alike are one line: the newest of them, and how many there are.

However many copies a flood has, a page reads a bounded number of rows: then it may end early.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lazaret.model.quarantine import Line, Lines
from lazaret.store import listing
from lazaret.store.condition import Condition, joined, one_of
from lazaret.store.connection import Connection, snapshot
from lazaret.store.dialect import sql
from lazaret.store.listing import FROM
from lazaret.store.narrowing import narrowed

WINDOWS = (100, 400, 1600, 6000)
"""Rows that are looked through, one window after the other, until they give a page of lines."""
COUNTED = 2000
"""Rows of campaigns that are looked at for all lines of a page together."""
LARGE = 100
"""Of a campaign that does not go into it so many members are counted."""
DEARER = 5
"""Where each row is asked for a word, there are so many times fewer of both."""

_KEYS = "SELECT m.time_num, m.mail_id, m.partition_tag, l.campaign"
# The few rows of a campaign come first: CROSS JOIN keeps SQLite from beginning with the whole quarantine.
_MEMBERS = (
    "FROM lz_msgs l CROSS JOIN msgs m WHERE m.mail_id = l.mail_id AND m.partition_tag = l.partition_tag AND"
)
# The other way round, where the keys of the messages are known.
_OF_THEM = (
    "FROM msgs m CROSS JOIN lz_msgs l WHERE l.mail_id = m.mail_id AND l.partition_tag = m.partition_tag AND"
)
_SIZES = "SELECT l.campaign, count(*) FROM lz_msgs l WHERE "
_NEWER = (
    "(m.time_num > :time OR m.time_num = :time AND (m.mail_id > :mail_id"
    " OR m.mail_id = :mail_id AND m.partition_tag >= :tag))"
)


class _Key(NamedTuple):
    time: int
    mail_id: str
    tag: int
    campaign: int | None

    @property
    def cursor(self) -> str:
        return f"{self.time}-{self.tag}-{self.mail_id}"


def lines(
    connection: Connection,
    wanted: Condition,
    limit: int,
    after: str,
    *,
    since: int = 0,
    grouped: bool = True,
) -> Lines:
    """At most `limit` lines that come after the cursor, all read in the same moment.

    `since`: only lines whose newest message came in no earlier; its older ones count nevertheless.
    Not `grouped`: each message is a line.
    """
    with snapshot(connection):
        wanted = listing.settled(connection, narrowed(connection, wanted))
        chosen: list[_Key] = []
        cursor, more = after, True
        for window in WINDOWS:
            found = _keys(connection, wanted, window, cursor, since)
            if not grouped:
                found = [one._replace(campaign=None) for one in found]
            cursor, full = _fold(found, chosen, limit, cursor)
            more = full or len(found) == window
            if not more or full:
                break
        sizes = _sizes(connection, chosen)
        if after:
            shown = _shown_before(connection, wanted, [c for c, n in sizes.items() if n > 1], after)
            chosen = [one for one in chosen if one.campaign not in shown]
        return Lines(tuple(_lines(connection, wanted, chosen, sizes)), cursor if more else "")


def _keys(connection: Connection, wanted: Condition, window: int, after: str, since: int) -> list[_Key]:
    where = joined([wanted, listing.after_cursor(after)], "AND") if after else wanted
    if since:
        where = joined([where, Condition("m.time_num >= :since", {"since": since})], "AND")
    statement = sql(_KEYS, FROM, "WHERE", where.sql, listing.newest_first(where))
    return [_Key(*row) for row in connection.execute(statement, where.values | {"limit": window})]


def _fold(found: Sequence[_Key], chosen: list[_Key], limit: int, cursor: str) -> tuple[str, bool]:
    """Adds the first of each campaign to `chosen`; the cursor behind what was used; whether it is full."""
    seen = {one.campaign for one in chosen if one.campaign is not None}
    for one in found:
        if one.campaign is None or one.campaign not in seen:
            if len(chosen) == limit:
                return cursor, True
            chosen.append(one)
            if one.campaign is not None:
                seen.add(one.campaign)
        cursor = one.cursor
    return cursor, False


def _sizes(connection: Connection, chosen: Sequence[_Key]) -> dict[int, int]:
    """Rows of each campaign, whoever may see them: of one alone there is nothing to count."""
    campaigns = sorted({one.campaign for one in chosen if one.campaign is not None})
    if not campaigns:
        return {}
    where = one_of("l.campaign", campaigns)
    return dict(connection.execute(sql(_SIZES, where.sql, "GROUP BY l.campaign"), where.values).fetchall())


def _shown_before(
    connection: Connection, wanted: Condition, campaigns: Sequence[int], after: str
) -> set[int | None]:
    """Those of which a newer message stands on an earlier page."""
    place = joined([wanted, Condition(_NEWER, listing.after_cursor(after).values)], "AND")
    if wanted.few and campaigns:
        newer = joined([one_of("l.campaign", campaigns), place], "AND")
        statement = sql("SELECT DISTINCT l.campaign", _OF_THEM, newer.sql)
        return {campaign for (campaign,) in connection.execute(statement, newer.values)}
    shown: set[int | None] = set()
    for campaign in campaigns:
        newer = joined([one_of("l.campaign", [campaign]), place], "AND")
        statement = sql("SELECT 1", _MEMBERS, newer.sql, "ORDER BY l.id DESC LIMIT 1")
        if connection.execute(statement, newer.values).fetchone() is not None:
            shown.add(campaign)
    return shown


def _lines(
    connection: Connection, wanted: Condition, chosen: Sequence[_Key], sizes: dict[int, int]
) -> list[Line]:
    counts = _counts(connection, wanted, {c: n for c, n in sizes.items() if n > 1})
    items = {(i.mail_id, i.partition_tag): i for i in listing.of_keys(connection, _places(chosen))}
    found = []
    for one in chosen:
        members, more = counts.get(one.campaign or 0, (1, False))
        found.append(Line(items[one.mail_id, one.tag], members, more))
    return found


def _places(chosen: Sequence[_Key]) -> set[tuple[int, str]]:
    return {(one.tag, one.mail_id) for one in chosen}


def _counts(connection: Connection, wanted: Condition, sizes: dict[int, int]) -> dict[int, tuple[int, bool]]:
    """Members of each campaign that fulfil the condition, and whether there are more.

    The small ones in one statement, as long as all their rows are few; each of the others for itself.
    """
    dearer = DEARER if wanted.frequent else 1
    small, rows = [], 0
    for campaign, size in sorted(sizes.items(), key=lambda one: one[1]):
        rows += size
        if rows <= COUNTED // dearer:
            small.append(campaign)
    if wanted.few:
        small = list(sizes)
    counts: dict[int, tuple[int, bool]] = {}
    if small:
        where = joined([one_of("l.campaign", small), wanted], "AND")
        if wanted.few:
            statement = sql("SELECT l.campaign, count(*)", _OF_THEM, where.sql, "GROUP BY l.campaign")
        else:
            statement = sql("SELECT l.campaign, count(*)", _MEMBERS, where.sql, "GROUP BY l.campaign")
        counts = {c: (n, False) for c, n in connection.execute(statement, where.values).fetchall()}
    for campaign in sizes.keys() - set(small):
        most = LARGE // dearer
        number = _count(connection, wanted, campaign, most + 1)
        counts[campaign] = min(number, most), number > most
    return counts


def _count(connection: Connection, wanted: Condition, campaign: int, most: int) -> int:
    where = joined([one_of("l.campaign", [campaign]), wanted], "AND")
    statement = sql("SELECT count(*) FROM (SELECT 1", _MEMBERS, where.sql, "LIMIT :most) counted")
    (number,) = connection.execute(statement, where.values | {"most": most}).fetchone()
    return int(number)
