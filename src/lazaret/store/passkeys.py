"""Passkeys of people, and the challenges that were answered."""

import time
from collections.abc import Sequence
from typing import Any

from lazaret.model.errors import UserError
from lazaret.model.passkey import Passkey
from lazaret.model.person import Person
from lazaret.store import audit
from lazaret.store.addresses import plain
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import Table, insert
from lazaret.store.once import used_up
from lazaret.store.people import forget_sessions, person_by_id
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

MOST = 20
"""Of one person."""
LABEL_LENGTH = 64
EX_CANTCREAT = 73

_PASSKEYS = Table(
    "lz_passkeys", ("digest", "user_id", "credential", "public_key", "sign_count", "label", "created")
)
_SELECT = "SELECT user_id, credential, public_key, sign_count, label, created, used FROM lz_passkeys"
_USED = "UPDATE lz_passkeys SET sign_count = :count, used = :now WHERE digest = :digest"


class SqlPasskeys:
    """Whose they are is asked with every change: a name alone removes nothing."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def of(self, user: int) -> list[Passkey]:
        """Those of one person, the oldest first."""
        return await self._reader.run(lambda connection: _of(connection, user))

    async def holder(self, credential: bytes) -> tuple[Person, Passkey] | None:
        """Whose it is, and what is known of it."""
        digest = Passkey(credential, b"").digest

        def work(connection: Connection) -> tuple[Person, Passkey] | None:
            row = connection.execute(sql(_SELECT, "WHERE digest = :digest"), {"digest": digest}).fetchone()
            person = person_by_id(connection, row[0]) if row else None
            return (person, _passkey(row)) if person else None

        return await self._reader.run(work)

    async def add(self, person: Person, passkey: Passkey, *, keep: bytes, who: str) -> None:
        """From now on it lets in; all sessions end but `keep`. UserError: it is known, or there are many."""

        def work(connection: Connection) -> None:
            known = connection.execute(
                "SELECT 1 FROM lz_passkeys WHERE digest = :digest", {"digest": passkey.digest}
            ).fetchone()
            if known or len(_of(connection, person.id)) >= MOST:
                raise UserError(f"this passkey is known, or there are {MOST} already", EX_CANTCREAT)
            label = plain(passkey.label, LABEL_LENGTH)
            row = (passkey.digest, person.id, passkey.credential, passkey.public_key)
            insert(connection, _PASSKEYS, [(*row, passkey.sign_count, label, int(time.time()))])
            forget_sessions(connection, person.id, keep=keep)
            audit.write(connection, who, "passkey", detail=f"added: {label}")

        await self._writer.run(work, durable=True)

    async def use(
        self, passkey: Passkey, count: int, challenge: bytes, *, expires: float, now: float
    ) -> bool:
        """Notes a use; False when the challenge was answered before."""

        def work(connection: Connection) -> bool:
            if not used_up(connection, challenge, expires, now):
                return False
            values = {"digest": passkey.digest, "count": count, "now": int(now)}
            connection.execute(_USED, values)
            return True

        return await self._writer.run(work, durable=True)

    async def answer(self, challenge: bytes, *, expires: float, now: float) -> bool:
        """Uses a challenge up; False when it was answered before."""
        return await self._writer.run(
            lambda connection: used_up(connection, challenge, expires, now), durable=True
        )

    async def rename(self, user: int, name: str, label: str) -> bool:
        """Calls one by another name; False when the person has none such."""

        def work(connection: Connection) -> bool:
            found = _named(connection, user, name)
            for one in found:
                values = {"digest": one.digest, "label": plain(label, LABEL_LENGTH)}
                connection.execute("UPDATE lz_passkeys SET label = :label WHERE digest = :digest", values)
            return bool(found)

        return await self._writer.run(work)

    async def remove(self, user: int, name: str, *, who: str) -> bool:
        """It lets in no more; False when the person has none such."""

        def work(connection: Connection) -> bool:
            found = _named(connection, user, name)
            for one in found:
                connection.execute("DELETE FROM lz_passkeys WHERE digest = :digest", {"digest": one.digest})
                audit.write(connection, who, "passkey", detail=f"removed: {one.label}")
            return bool(found)

        return await self._writer.run(work, durable=True)

    async def remove_all(self, person: Person, *, who: str) -> bool:
        """None of somebody's lets in any more, and his sessions end; whether there was one."""

        def work(connection: Connection) -> bool:
            gone = connection.execute("DELETE FROM lz_passkeys WHERE user_id = :user", {"user": person.id})
            if gone.rowcount:
                forget_sessions(connection, person.id)
                audit.write(connection, who, "passkey", detail=f"all removed for {person.name}")
            return gone.rowcount > 0

        return await self._writer.run(work, durable=True)


def _of(connection: Connection, user: int) -> list[Passkey]:
    statement = sql(_SELECT, "WHERE user_id = :user ORDER BY created, digest")
    return [_passkey(row) for row in connection.execute(statement, {"user": user}).fetchall()]


def _named(connection: Connection, user: int, name: str) -> list[Passkey]:
    return [one for one in _of(connection, user) if one.name == name]


def _passkey(row: Sequence[Any]) -> Passkey:
    _user, credential, public_key, count, label, created, used = row
    return Passkey(
        credential=bytes(credential),
        public_key=bytes(public_key),
        sign_count=int(count),
        label=str(label),
        created=float(created),
        used=float(used),
    )
