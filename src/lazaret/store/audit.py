"""Who did what, in a chain: each row's hash covers the row before it, so that a change of the past shows.

chain(n) = SHA-256(chain(n - 1) + the row as JSON). The last one is kept apart, so that rows taken from the
end are missed too. Retention takes the oldest rows; the chain is then proven from the oldest that is left.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lazaret.store.addresses import plain
from lazaret.store.connection import Connection
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Act:
    """One row."""

    id: int
    time: float
    """Seconds since 1970."""
    who: str
    act: str
    mail_id: str
    detail: str


def write(connection: Connection, who: str, act: str, mail_id: str = "", detail: str = "") -> None:
    """Adds a row; to be called inside a transaction."""
    row = (int(time.time()), plain(who, 255), plain(act, 64), plain(mail_id, 16), plain(detail, 1000))
    connection.execute("UPDATE lz_audit_head SET length = length + 1 WHERE id = 1")
    (last,) = connection.execute("SELECT chain FROM lz_audit_head WHERE id = 1").fetchone()
    chain = _link(bytes(last or b""), row)
    connection.execute(
        "INSERT INTO lz_audit (time_num, who, act, mail_id, detail, chain)"
        " VALUES (:time, :who, :act, :id, :detail, :chain)",
        {"time": row[0], "who": row[1], "act": row[2], "id": row[3], "detail": row[4], "chain": chain},
    )
    connection.execute("UPDATE lz_audit_head SET chain = :chain WHERE id = 1", {"chain": chain})


class AuditLog:
    """Reads it, adds to it, and proves it."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self._proving = asyncio.Lock()

    async def write(self, who: str, act: str, mail_id: str = "", detail: str = "") -> None:
        """Adds a row."""
        await self._writer.run(lambda connection: write(connection, who, act, mail_id, detail))

    async def page(self, *, before: int = 0, limit: int = 100, who: str = "", mail_id: str = "") -> list[Act]:
        """The newest rows, those with an id below `before` when it is not 0."""
        values = {"before": before or 1 << 62, "limit": limit, "who": who, "mail_id": mail_id}

        def work(connection: Connection) -> list[Act]:
            return [Act(*row) for row in connection.execute(_PAGE, values)]

        return await self._reader.run(work, limited=True)

    async def verify(self) -> list[str]:
        """What is wrong with the chain, in words; empty when nothing is."""
        async with self._proving:  # it reads all there is: not on every thread at once
            return await self._reader.run(faults)


_PAGE = (
    "SELECT id, time_num, who, act, mail_id, detail FROM lz_audit"
    " WHERE id < :before AND (:who = '' OR who = :who) AND (:mail_id = '' OR mail_id = :mail_id)"
    " ORDER BY id DESC LIMIT :limit"
)
_CHAINED = (
    "SELECT id, time_num, who, act, mail_id, detail, chain FROM lz_audit"
    " WHERE id > :after ORDER BY id LIMIT :limit"
)


def faults(connection: Connection) -> list[str]:
    """What is wrong with the chain, in words; empty when nothing is."""
    found: list[str] = []
    after, last, begun = 0, b"", False
    (_, head) = connection.execute("SELECT length, chain FROM lz_audit_head WHERE id = 1").fetchone()
    while rows := connection.execute(_CHAINED, {"after": after, "limit": PAGE}).fetchall():
        for number, *row, chain in rows:
            after = number
            if chain is None and not begun:
                continue  # from before there was a chain
            if begun and chain != _link(last, row):
                found.append(f"the record of acts was changed at or before number {number}")
            begun, last = True, bytes(chain or b"")
        if len(found) > 10:
            return found
    if last != bytes(head or b"") and (begun or head):
        found.append("the end of the record of acts is missing")
    return found


def _link(last: bytes, row: Sequence[object]) -> bytes:
    return hashlib.sha256(last + json.dumps(list(row), ensure_ascii=True).encode("ascii")).digest()
