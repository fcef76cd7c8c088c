"""What keeps the database from growing for ever (the Protocol `flow.needs.Retention`).

What is to go is looked up by a reader; the writer only removes, so that mail never waits for a search.
"""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lazaret.store import digests
from lazaret.store.connection import Connection
from lazaret.store.database import Database
from lazaret.store.dialect import sql
from lazaret.store.journal import PARTIAL_DAYS
from lazaret.store.keys import Key
from lazaret.store.reader import Reader
from lazaret.store.removal import remove_messages, remove_orphans, remove_texts
from lazaret.store.sqlite import MERGE_WORDS, SqliteDatabase
from lazaret.store.writer import Writer

RECLAIMED_PAGES = 500
"""Pages given back at a time: other writers wait for it."""
_INCREMENTAL = 2
"""PRAGMA auto_vacuum of a database that Lazaret made."""
ADDRESSES = 20
"""Addresses looked at for each message of a batch: there are more of them, and a look is cheap."""

_STORED = (
    "EXISTS (SELECT 1 FROM lz_msgs l JOIN lz_msgrcpt x ON x.msg = l.id AND x.stored = 'Y'"
    " WHERE l.mail_id = m.mail_id AND l.partition_tag = m.partition_tag AND x.action "
)
_OLD_TEXTS = (
    "SELECT m.mail_id, m.partition_tag FROM msgs m WHERE m.quar_type = 'Q' AND m.time_num < :before"
    " ORDER BY m.time_num LIMIT :batch"
)
_KILLED_TEXTS = sql(
    "SELECT m.mail_id, m.partition_tag FROM msgs m WHERE m.quar_type = 'Q' AND m.time_num < :killed_before",
    sql("AND", _STORED, "= 'discard') AND NOT", _STORED, "<> 'discard')"),
    "ORDER BY m.time_num LIMIT :batch",
)
_OLD_HISTORY = (
    "SELECT m.mail_id, m.partition_tag FROM msgs m WHERE m.time_num < :history_before"
    " AND (COALESCE(m.quar_type, ' ') <> 'Q' OR m.content IS NULL) ORDER BY m.time_num LIMIT :batch"
)
_ORPHANS = (
    "SELECT o.mail_id, o.partition_tag FROM"
    " (SELECT mail_id, partition_tag FROM lz_msgs UNION SELECT mail_id, partition_tag FROM msgrcpt"
    " UNION SELECT mail_id, partition_tag FROM quarantine) o"
    " WHERE NOT EXISTS"
    " (SELECT 1 FROM msgs m WHERE m.mail_id = o.mail_id AND m.partition_tag = o.partition_tag)"
    " LIMIT :batch"
)
_UNUSED = (
    "NOT EXISTS (SELECT 1 FROM msgs m WHERE m.sid = maddr.id)"
    " AND NOT EXISTS (SELECT 1 FROM msgrcpt r WHERE r.rid = maddr.id)"
)
_SOME_ADDRESSES = sql("SELECT id,", _UNUSED, "FROM maddr WHERE id > :after ORDER BY id LIMIT :batch")
_REMOVE_ADDRESS = sql("DELETE FROM maddr WHERE id = :id AND", _UNUSED)
_REMOVE_LAPSED = (
    "DELETE FROM lz_partial WHERE time_num < :partial_before",
    "DELETE FROM lz_audit WHERE time_num < :history_before",
    "DELETE FROM lz_digest_items WHERE digest IN (SELECT id FROM lz_digests WHERE due < :digest_before)",
    "DELETE FROM lz_digests WHERE due < :digest_before",
)


class SqlRetention:
    """Removes by age, in batches of which each is one short transaction."""

    def __init__(self, reader: Reader, writer: Writer, database: Database) -> None:
        self._reader = reader
        self._writer = writer
        self._database = database
        self._seen_address = 0

    async def purge(self, *, before: float, killed_before: float, history_before: float, batch: int) -> int:
        """One batch; times are seconds since 1970. Call it until it returns 0.

        Texts older than `before` go first (killed ones: `killed_before`), then history without a text
        older than `history_before`, then what other programs' deletions and ours left behind.
        """
        ages = {
            "before": int(before),
            "killed_before": int(killed_before),
            "history_before": int(history_before),
            "batch": batch,
        }
        for statement in (_OLD_TEXTS, _KILLED_TEXTS):
            if old := await self._keys(statement, ages):
                await self._writer.run(partial(remove_texts, messages=old))
                return len(old)
        if old := await self._keys(_OLD_HISTORY, ages):
            await self._writer.run(partial(remove_messages, messages=old))
            return len(old)
        return await self._tidy(ages, batch)

    async def remove(self, mail_id: str, partition_tag: int) -> None:
        """Removes every trace of one message."""
        await self._writer.run(partial(remove_messages, messages=[Key(mail_id, partition_tag)]))

    async def reclaim(self) -> None:
        """Gives free pages of a file back to its system, a few at a time; servers see to it themselves."""
        if isinstance(self._database, SqliteDatabase):
            while await self._reader.run(partial(_reclaim_some, database=self._database)):
                pass

    async def _tidy(self, ages: Mapping[str, int], batch: int) -> int:
        """What nothing points to any more; what was removed."""
        if orphans := await self._keys(_ORPHANS, ages):
            await self._writer.run(partial(remove_orphans, messages=orphans))
            return len(orphans)
        removed = await self._remove_addresses(batch * ADDRESSES)
        if removed == 0:
            await self._writer.run(partial(_remove_lapsed, history_before=ages["history_before"]))
        return removed

    async def _remove_addresses(self, batch: int) -> int:
        """Unused addresses: reads on until it finds some or has seen all, beginning where it left off."""
        while True:
            seen = {"after": self._seen_address, "batch": batch}
            some = await self._reader.run(partial(_fetch, statement=_SOME_ADDRESSES, values=seen))
            self._seen_address = some[-1][0] if len(some) == batch else 0
            unused = [number for number, is_unused in some if is_unused]
            if unused:
                return await self._writer.run(partial(_remove_unused, numbers=unused))
            if self._seen_address == 0:
                return 0

    async def _keys(self, statement: str, values: Mapping[str, int]) -> list[Key]:
        found = await self._reader.run(partial(_fetch, statement=statement, values=values))
        return [Key(mail_id, tag) for mail_id, tag in found]


def _reclaim_some(_: Connection, database: SqliteDatabase) -> bool:
    """Whether there is more to give back."""
    connection = database.connect(writing=True)
    try:
        # Only a script runs this statement to its end: it gives back a page a step, and no rows.
        connection.executescript(f"PRAGMA incremental_vacuum({RECLAIMED_PAGES})")
        (left,) = connection.execute("PRAGMA freelist_count").fetchone()
        (mode,) = connection.execute("PRAGMA auto_vacuum").fetchone()
        if left > 0 and mode == _INCREMENTAL:
            return True
        connection.execute(MERGE_WORDS)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return False
    finally:
        connection.close()


def _fetch(connection: Connection, statement: str, values: Mapping[str, int]) -> list[Any]:
    return connection.execute(statement, values).fetchall()


def _remove_unused(connection: Connection, numbers: Sequence[int]) -> int:
    """Addresses that nothing has come to use since they were found unused; how many went."""
    return sum(connection.execute(_REMOVE_ADDRESS, {"id": number}).rowcount for number in numbers)


def _remove_lapsed(connection: Connection, history_before: int) -> None:
    now = int(time.time())
    lapsed = {
        "partial_before": now - PARTIAL_DAYS * 86_400,
        "history_before": history_before,
        "digest_before": now - digests.KEEP_DAYS * 86_400,
    }
    for statement in _REMOVE_LAPSED:
        connection.execute(statement, lapsed)
