"""The journal of lessons (the Protocol `flow.needs.Lessons`): rows are added and never changed, but for
the mark that a later row takes them back."""

import secrets
import time
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial

from lazaret.model.lesson import Figures, JournalRow, Lesson, Limit, Pending, Taught, rank
from lazaret.store.addresses import key, plain
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import Table, insert, marks
from lazaret.store.lookup import Lookup
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

DAY_S = 86_400
SECRET = "learner"
SECRET_OCTETS = 32
LEAST = 2_000
"""So many lessons of each kind stay however old they are."""
GAP_S = 10
"""So long a missing number may be that of a row that is not committed yet."""

_AT_WORK, _FORGETTING = -(1 << 62), -(1 << 62) - 1
"""Stand for the number of a row that is about to get one; no row is ever committed with them. A row that
only forgets is not in force itself: it has its own number with a minus."""
_LEARNED = Table(
    "lz_learned",
    ("digest", "label", "who", "time_num", "weight", "mail_id", "undoes", "undone_by", "features"),
)
_SECRETS = Table("lz_secrets", ("name", "secret"), skip_known=True)

_IN_FORCE = "SELECT digest, id, label, who FROM lz_learned WHERE undone_by = 0 AND digest IN ("
_OF_MESSAGE = (
    "SELECT digest FROM lz_learned"
    " WHERE who = :who AND mail_id = :mail_id AND undone_by = 0 AND digest <> :digest"
)
_TODAY = "SELECT count(*) FROM lz_learned WHERE who = :who AND time_num > :since AND label <> 'F'"
_MARK = "UPDATE lz_learned SET undone_by = :by WHERE id = :id"
_MARK_TAKEN_BACK = "UPDATE lz_learned SET undone_by = :by, weight = 0 WHERE id = :id"
_NEW_ID = "SELECT id FROM lz_learned WHERE digest = :digest AND undone_by = :by"
_LATEST = (
    "SELECT id FROM lz_learned WHERE label = :label AND undone_by = 0 ORDER BY id DESC LIMIT 1 OFFSET :offset"
)
_HELD = "SELECT id, digest, undoes, who FROM lz_learned WHERE undone_by = 0 AND label <> 'F' AND"
_HELD_OF = sql(_HELD, "who = :who AND time_num >= :since ORDER BY id DESC")
_HELD_ON = sql(_HELD, "digest = :digest")
_NO_LONGER_OF = (
    "UPDATE lz_learned SET weight = 0"
    " WHERE who = :who AND time_num >= :since AND undone_by <> 0 AND label <> 'F'"
)
"""A lesson that was taken back weighs nothing, so that nobody brings it back."""
_PENDING = (
    "SELECT count(*), max(id), max(time_num),"
    # Each by itself comes from an end of the key, both together from all rows.
    " (SELECT min(id) FROM lz_learned), (SELECT max(id) FROM lz_learned)"
    " FROM lz_learned WHERE id > :after"
)
_BEFORE = "SELECT label, who, weight, mail_id, features, undoes FROM lz_learned WHERE id = :id"
_RECEIVED = (
    "SELECT m.message_id FROM msgs m"
    " JOIN msgrcpt r ON r.partition_tag = m.partition_tag AND r.mail_id = m.mail_id"
    " JOIN maddr a ON a.id = r.rid WHERE a.email = :email AND"
)
_SCANNED = sql(_RECEIVED, "m.message_id = :message_id")
_SCANNED_AS = sql(_RECEIVED, "m.mail_id = :mail_id")


class SqlLessons:
    """Reads in the reader's threads, but what is asked all the time; writes through the writer's."""

    def __init__(self, reader: Reader, lookup: Lookup, writer: Writer) -> None:
        self._reader = reader
        self._lookup = lookup
        self._writer = writer

    async def secret(self) -> bytes:
        """The site's secret for features, made when there is none yet."""
        return await self.known_secret() or await self._writer.run(_make_secret, durable=True)

    async def known_secret(self) -> bytes:
        """The same; empty when there is none yet."""
        return await self._reader.run(_secret)

    async def teach(self, lessons: Sequence[Lesson], limit: Limit | None = None) -> list[Taught]:
        """What became of each; on return they survive a power cut. `limit` holds for each teacher."""
        return await self._writer.run(partial(_teach, lessons=lessons, limit=limit), durable=True)

    async def forget(self, *, who: str, since: float) -> int:
        """Takes back what this teacher has taught since then; how many lessons.

        What they had overturned holds again.
        """

        def work(connection: Connection) -> int:
            teacher: dict[str, object] = {"who": plain(who, 255), "since": int(since)}
            connection.execute(_NO_LONGER_OF, teacher)
            return _forget(connection, _HELD_OF, teacher, _Again.ANY)

        return await self._writer.run(work, durable=True)

    async def forget_messages(self, digests: Sequence[bytes]) -> int:
        """Takes back what was taught of these messages, by whomever; how many lessons held.

        Nothing that they had overturned holds again: the messages are as if nobody had taught them.
        """

        def work(connection: Connection) -> int:
            return sum(_forget(connection, _HELD_ON, {"digest": one}, _Again.NONE) for one in digests)

        return await self._writer.run(work, durable=True)

    async def pending(self, after: int) -> Pending:
        """How far the journal goes beyond this row."""

        def work(connection: Connection) -> Pending:
            count, last, newest, first, known = connection.execute(_PENDING, {"after": after}).fetchone()
            if not count:
                return Pending(0, first or 0, known or 0, settled=True)
            settled = count == last - after or newest < time.time() - GAP_S
            return Pending(count, first, last, settled=settled)

        return await self._lookup.run(work)

    async def after(self, number: int, most: int) -> list[JournalRow]:
        """The rows that follow this one, as far as no row between them may still be on its way."""

        def work(connection: Connection) -> list[JournalRow]:
            found = connection.execute(
                "SELECT id, label, weight, features, undoes, time_num FROM lz_learned"
                " WHERE id > :after ORDER BY id LIMIT :most",
                {"after": number, "most": most},
            ).fetchall()
            entries: list[JournalRow] = []
            last, young = number, time.time() - GAP_S
            for *row, taught in found:
                if row[0] != last + 1 and taught > young:
                    break
                entries.append(_entry(*row))
                last = row[0]
            return entries

        return await self._reader.run(work)

    async def in_force(self, upto: int, after: bytes, most: int) -> tuple[list[JournalRow], bytes]:
        """Lessons that hold as of row `upto`, in the order of their digests, which is by chance; and where
        the next page begins: empty after the last one."""

        def work(connection: Connection) -> tuple[list[JournalRow], bytes]:
            found = connection.execute(
                "SELECT id, label, weight, features, 0, digest FROM lz_learned WHERE digest > :after"
                " AND id <= :upto AND label <> 'F' AND (undone_by = 0 OR undone_by > :upto)"
                " ORDER BY digest LIMIT :most",
                {"after": after, "upto": upto, "most": most},
            ).fetchall()
            following = bytes(found[-1][5]) if len(found) == most else b""
            return [_entry(*row) for *row, _ in found], following

        return await self._reader.run(work)

    async def expire(self, before: float, most: int) -> int:
        """Removes the oldest rows, `most` of them at once, and none after one that stays: of before then, and
        below the latest LEAST lessons of each kind. How many went.

        Models keep what they have learned of them until they are made anew.
        """
        end = await self._reader.run(partial(_expired_below, before=int(before)))

        def work(connection: Connection) -> int:
            (first,) = connection.execute("SELECT min(id) FROM lz_learned").fetchone()
            values = {"end": min(end, (first or end) + most)}
            return connection.execute("DELETE FROM lz_learned WHERE id < :end", values).rowcount

        return await self._writer.run(work) if end else 0

    async def figures(self) -> Figures:
        """What holds now."""
        return await self._reader.run(_figures)

    async def was_scanned_for(self, user: str, mail_id: str, message_id: str) -> bool:
        """Whether this site has examined the message for this recipient, as far as the history goes back."""
        wanted = plain(message_id, 255)
        if not (mail_id or wanted):
            return False

        def work(connection: Connection) -> bool:
            found = connection.execute(
                _SCANNED_AS if mail_id else _SCANNED,
                {"email": key(user), "mail_id": mail_id, "message_id": wanted},
            )
            return any(known == wanted for (known,) in found)

        return await self._reader.run(work)


def _secret(connection: Connection) -> bytes:
    found = connection.execute(
        "SELECT secret FROM lz_secrets WHERE name = :name", {"name": SECRET}
    ).fetchone()
    return bytes(found[0]) if found else b""


def _make_secret(connection: Connection) -> bytes:
    """Of two hosts at once, one makes it, and both have that one."""
    insert(connection, _SECRETS, [(SECRET, secrets.token_bytes(SECRET_OCTETS))])
    return _secret(connection)


def _teach(connection: Connection, lessons: Sequence[Lesson], limit: Limit | None) -> list[Taught]:
    known = _known(connection, [lesson.digest for lesson in lessons])
    now = int(time.time())
    today: dict[str, int] = {}
    fresh: list[tuple[object, ...]] = []
    results = []
    for lesson in lessons:
        spent = _spent(connection, lesson.who, today, now) if limit else 0
        result = _fate(lesson, known.get(lesson.digest), spent, limit)
        results.append(result)
        if result not in (Taught.NEW, Taught.MOVED):
            continue
        today[lesson.who] = spent + 1
        weight = limit.less * lesson.weight if limit and spent >= limit.daily else lesson.weight
        row = _row(lesson, now, weight)
        if lesson.mail_id and limit:
            _replace_earlier(connection, lesson)
        old = known.get(lesson.digest)
        if old is None:
            fresh.append((*row, 0, 0, lesson.features))
        else:
            insert(connection, _LEARNED, fresh)  # the message may have come twice in one go
            fresh.clear()
            _overturn(connection, lesson, row)
        known[lesson.digest] = (0, "S" if lesson.spam else "H", lesson.who)
    insert(connection, _LEARNED, fresh)
    return results


def _known(connection: Connection, digests: Sequence[bytes]) -> dict[bytes, tuple[int, str, str]]:
    """Digest -> number, label and teacher of the lesson that holds."""
    found: dict[bytes, tuple[int, str, str]] = {}
    for start in range(0, len(digests), 500):
        some = tuple(digests[start : start + 500])
        rows = connection.execute(sql(_IN_FORCE, marks(len(some)), ")"), some)
        found.update((bytes(digest), (number, label, who)) for digest, number, label, who in rows)
    return found


def _spent(connection: Connection, who: str, today: dict[str, int], now: int) -> int:
    if who not in today:
        values = {"who": plain(who, 255), "since": now - DAY_S}
        (today[who],) = connection.execute(_TODAY, values).fetchone()
    return today[who]


def _fate(lesson: Lesson, old: tuple[int, str, str] | None, spent: int, limit: Limit | None) -> Taught:
    if old is not None:
        _, label, who = old
        if (label == "S") == lesson.spam:
            return Taught.KNOWN
        if rank(who) > lesson.rank:
            return Taught.KEPT
    if limit and spent >= limit.most:
        return Taught.ENOUGH
    return Taught.NEW if old is None else Taught.MOVED


def _row(lesson: Lesson, now: int, weight: float) -> tuple[object, ...]:
    label = "S" if lesson.spam else "H"
    return lesson.digest, label, plain(lesson.who, 255), now, weight, plain(lesson.mail_id, 16)


def _overturn(connection: Connection, lesson: Lesson, row: tuple[object, ...]) -> None:
    """The new lesson in the place of the one that holds."""
    held = {"digest": lesson.digest, "by": 0}
    (old,) = connection.execute(_NEW_ID, held).fetchone()
    connection.execute(_MARK, {"by": _AT_WORK, "id": old})
    insert(connection, _LEARNED, [(*row, old, 0, lesson.features)])
    (new,) = connection.execute(_NEW_ID, held).fetchone()
    connection.execute(_MARK, {"by": new, "id": old})


def _replace_earlier(connection: Connection, lesson: Lesson) -> None:
    """A user teaches each message that we know once, whatever he has made of its text."""
    values = {"who": plain(lesson.who, 255), "mail_id": plain(lesson.mail_id, 16), "digest": lesson.digest}
    for (digest,) in connection.execute(_OF_MESSAGE, values).fetchall():
        _forget(connection, _HELD_ON, {"digest": bytes(digest)}, _Again.OF_OTHERS)


class _Again(Enum):
    """Which lessons hold once more, when that which had overturned them is taken back."""

    NONE, OF_OTHERS, ANY = range(3)


def _forget(connection: Connection, held: str, values: dict[str, object], again: _Again) -> int:
    """Takes back the lessons that the statement finds; how many."""
    found = connection.execute(held, values).fetchall()
    now = int(time.time())
    for number, digest, undoes, who in found:
        before = None
        if again is not _Again.NONE:
            before = _before(connection, undoes, who if again is _Again.OF_OTHERS else "")
        _take_back(connection, number, bytes(digest), before, now)
    return len(found)


def _before(connection: Connection, undoes: int, without: str) -> tuple[object, ...] | None:
    """What holds once more when that which had overturned row `undoes` is taken back: the latest lesson
    before it that was not taken back itself, and is not of that teacher."""
    while undoes:
        found = connection.execute(_BEFORE, {"id": undoes}).fetchone()
        if found is None or found[0] == "F":
            return None
        *lesson, undoes = found
        _, who, weight, *_ = lesson
        if weight and who != without:
            return tuple(lesson)
    return None


def _take_back(
    connection: Connection, number: int, digest: bytes, before: tuple[object, ...] | None, now: int
) -> None:
    """One lesson; the one that holds once more is taught again."""
    connection.execute(_MARK, {"by": _AT_WORK, "id": number})
    if before:
        label, who, weight, mail_id, features = before
        row, by = (digest, label, who, now, weight, mail_id, number, 0, features), 0
    else:
        row, by = (digest, "F", "", now, 0.0, "", number, _FORGETTING, b""), _FORGETTING
    insert(connection, _LEARNED, [row])
    (new,) = connection.execute(_NEW_ID, {"digest": digest, "by": by}).fetchone()
    connection.execute(_MARK_TAKEN_BACK, {"by": new, "id": number})
    if not before:
        connection.execute(_MARK, {"by": -new, "id": new})


def _expired_below(connection: Connection, before: int) -> int:
    """The number of the first row that stays; 0 when all do."""
    ends = [
        connection.execute("SELECT min(id) FROM lz_learned WHERE time_num >= :b", {"b": before}).fetchone()
    ]
    for label in ("S", "H"):
        ends.append(connection.execute(_LATEST, {"label": label, "offset": LEAST - 1}).fetchone())
    ends.append(connection.execute("SELECT max(id) FROM lz_learned").fetchone())
    # Without a row of before then all are younger, and of too few lessons none goes; the last row stays in
    # any case, as models are told by its number how far they are.
    (young, *kept) = [row[0] if row else None for row in ends]
    if None in kept:
        return 0
    (first,) = connection.execute("SELECT min(id) FROM lz_learned").fetchone()
    end = min(kept if young is None else [young, *kept])
    return end if first < end else 0


def _figures(connection: Connection) -> Figures:
    rows = connection.execute(
        "SELECT label, CASE WHEN who LIKE 'auto:%' THEN 1 ELSE 0 END, count(*) FROM lz_learned"
        " WHERE undone_by = 0 AND label <> 'F' GROUP BY 1, 2"
    ).fetchall()
    last, newest = connection.execute("SELECT max(id), max(time_num) FROM lz_learned").fetchone()

    def total(test: Callable[[str, int], bool]) -> int:
        return sum(count for label, automatic, count in rows if test(label, automatic))

    return Figures(
        spam=total(lambda label, _: label == "S"),
        ham=total(lambda label, _: label == "H"),
        by_people=total(lambda _, automatic: not automatic),
        automatic=total(lambda _, automatic: bool(automatic)),
        last=last or 0,
        newest=newest or 0,
    )


def _entry(number: int, label: str, weight: float, features: bytes, undoes: int) -> JournalRow:
    return JournalRow(number, label == "S", weight, bytes(features), undoes)
