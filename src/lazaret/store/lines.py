"""Lists in which messages that are alike are one line: the newest of them, and how many there are.

However many copies a flood has, a page reads a bounded number of rows: then it may end early.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lazaret.model.quarantine import Line, Lines
from lazaret.store import listing
from lazaret.store.condition import ALL, Condition, joined, one_of
from lazaret.store.connection import Connection, snapshot
from lazaret.store.dialect import sql
from lazaret.store.inserting import padded, repeated
from lazaret.store.listing import FROM
from lazaret.store.narrowing import narrowed, one_of_many

WINDOWS = (64, 64, 128, 400, 1600, 6000)
"""Rows that are looked through, one window after the other, until they give a page of lines."""
COUNTED = 1000
"""Rows of campaigns that are looked at for all lines of a page together."""
LARGE, LEAST = 100, 10
"""Of a campaign that does not go into it so many of its newest members are looked at, as there is room."""
SHOWN = 10
"""So many of them tell whether it stands on an earlier page."""
DEARER = 5
"""Where each row is asked for a word, there are so many times fewer of them."""

_KEYS = "SELECT m.time_num, m.mail_id, m.partition_tag, l.campaign"
# The few rows of a campaign come first: CROSS JOIN keeps SQLite from beginning with the whole quarantine.
_MEMBERS = (
    "FROM lz_msgs l CROSS JOIN msgs m WHERE m.mail_id = l.mail_id AND m.partition_tag = l.partition_tag AND"
)
_LAST = "SELECT l.id FROM lz_msgs l WHERE l.campaign = :campaign ORDER BY l.id DESC LIMIT :most"
_NO_SIZES = "SELECT 0, 0"
_SIZE = "UNION ALL SELECT ?, count(*) FROM (SELECT 1 FROM lz_msgs l WHERE l.campaign = ? LIMIT ?) counted"
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
    def place(self) -> tuple[int, str, int]:
        """Whose order is that of a list."""
        return self.time, self.mail_id, self.tag

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
        wanted = narrowed(connection, wanted)
        if wanted.few and not _is_dear(wanted):
            return _of_few(connection, wanted, limit, after, since, grouped=grouped)
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
        counts = _counts(connection, wanted, {c: n for c, n in sizes.items() if n > 1})
        return Lines(tuple(_lines(connection, chosen, counts)), cursor if more else "")


def _is_dear(wanted: Condition) -> bool:
    """Whether it costs less to know of a page alone, and not how many messages there are."""
    return wanted.frequent and wanted.narrow is not None and len(wanted.narrow.keys) > COUNTED


def _of_few(
    connection: Connection, wanted: Condition, limit: int, after: str, since: int, *, grouped: bool
) -> Lines:
    """The same where all messages that fulfil the condition are read at once: then nothing is asked twice."""
    found = [_Key(*row) for row in connection.execute(sql(_KEYS, FROM, "WHERE", wanted.sql), wanted.values)]
    if not grouped:
        found = [one._replace(campaign=None) for one in found]
    found.sort(key=lambda one: one.place, reverse=True)
    place = listing.after_cursor(after).values if after else {}
    behind = (place["time"], place["mail_id"], place["tag"]) if place else None
    newer = [one for one in found if behind is not None and one.place >= behind]
    shown = {one.campaign for one in newer if one.campaign is not None}
    older = [one for one in found[len(newer) :] if one.time >= since and one.campaign not in shown]
    chosen: list[_Key] = []
    cursor, full = _fold(older, chosen, limit, after)
    members = Counter(one.campaign for one in found if one.campaign is not None)
    counts = {campaign: (number, False) for campaign, number in members.items()}
    return Lines(tuple(_lines(connection, chosen, counts)), cursor if full else "", count=len(found))


def _keys(connection: Connection, wanted: Condition, window: int, after: str, since: int) -> list[_Key]:
    if wanted.narrow:
        where = listing.newest(connection, wanted.narrow, window, after, since)
        return _read(connection, where, window, listing.by_moments(connection))
    where = joined([wanted, listing.after_cursor(after)], "AND") if after else wanted
    if since:
        newer = "m.time_num >= :since"
        where = joined([where, Condition(newer, {"since": since}, first=newer)], "AND")
    return _read(connection, listing.in_steps(connection, where, window), window, FROM)


def _read(connection: Connection, where: Condition, window: int, place: str) -> list[_Key]:
    statement = sql(_KEYS, place, "WHERE", where.sql, listing.newest_first(where))
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
    """Rows of each campaign, whoever may see them: of one alone there is nothing to count, and counting a
    large one ends when it is known to be."""
    found = sorted({one.campaign for one in chosen if one.campaign is not None})
    if not found:
        return {}
    campaigns, most = padded(found), max(COUNTED // 2, LARGE) + 1
    values = [value for campaign in campaigns for value in (campaign, campaign, most)]
    return dict(connection.execute(sql(_NO_SIZES, repeated(_SIZE, len(campaigns))), values).fetchall())


def _shown_before(
    connection: Connection, wanted: Condition, campaigns: Sequence[int], after: str
) -> set[int | None]:
    """Those of which a newer message stands on an earlier page, as far as its newest members tell."""
    newer = Condition(_NEWER, listing.after_cursor(after).values)
    newest = _newest(connection, dict.fromkeys(campaigns, SHOWN))
    return set(_fulfilling(connection, wanted, newest, newer))


def _newest(connection: Connection, wanted: Mapping[int, int]) -> list[int]:
    """The members of each campaign that came last, so many as is said."""
    found: list[int] = []
    for campaign, most in wanted.items():
        rows = connection.execute(_LAST, {"campaign": campaign, "most": most}).fetchall()
        found += [number for (number,) in rows]
    return found


def _fulfilling(
    connection: Connection, wanted: Condition, members: Sequence[int], place: Condition = ALL
) -> Mapping[int, int]:
    """How many of these members fulfil the condition, by their campaigns."""
    if not members:
        return {}
    return _by_campaign(connection, wanted, joined([one_of_many(connection, "l.id", members), place], "AND"))


def _by_campaign(connection: Connection, wanted: Condition, members: Condition) -> Mapping[int, int]:
    if wanted.narrow is None:
        where = joined([members, wanted], "AND")
        statement = sql("SELECT l.campaign, count(*)", _MEMBERS, where.sql, "GROUP BY l.campaign")
        return dict(connection.execute(statement, where.values).fetchall())
    # Not all the keys with every question: a server takes long to read so many parameters.
    where = joined([members, wanted.narrow.rest], "AND")
    statement = sql("SELECT l.campaign, m.partition_tag, m.mail_id", _MEMBERS, where.sql)
    rows = connection.execute(statement, where.values)
    return Counter(campaign for campaign, *place in rows if tuple(place) in wanted.narrow.keys)


def _lines(
    connection: Connection, chosen: Sequence[_Key], counts: Mapping[int, tuple[int, bool]]
) -> list[Line]:
    items = {(i.mail_id, i.partition_tag): i for i in listing.of_keys(connection, _places(chosen))}
    found = []
    for one in chosen:
        members, more = counts.get(one.campaign or 0, (1, False))
        found.append(Line(items[one.mail_id, one.tag], members, more))
    return found


def _places(chosen: Sequence[_Key]) -> set[tuple[int, str]]:
    return {(one.tag, one.mail_id) for one in chosen}


def _counts(connection: Connection, wanted: Condition, sizes: dict[int, int]) -> dict[int, tuple[int, bool]]:
    """Members of each campaign that fulfil the condition, and whether there may be more.

    All of the small ones, as long as they are few together; of each of the others some of the newest.
    """
    left = COUNTED // DEARER if wanted.frequent else COUNTED
    small: list[int] = []
    for campaign, size in sorted(sizes.items(), key=lambda one: one[1]):
        if size > left // 2:
            break
        left -= size
        small.append(campaign)
    counts: dict[int, tuple[int, bool]] = {}
    if small:
        found = _by_campaign(connection, wanted, one_of("l.campaign", small))
        counts = {campaign: (number, False) for campaign, number in found.items()}
    large = sizes.keys() - set(small)
    most = min(LARGE, max(LEAST, left // max(1, len(large))))
    found = _fulfilling(connection, wanted, _newest(connection, dict.fromkeys(large, most)))
    counts |= {c: (max(1, found.get(c, 0)), sizes[c] > most) for c in large}
    return counts
