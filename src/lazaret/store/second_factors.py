"""Codes of authenticator apps and recovery codes, and logins that wait for one."""

from collections.abc import Sequence

from lazaret.model.person import Person
from lazaret.store import audit
from lazaret.store.connection import Connection
from lazaret.store.inserting import Table, insert
from lazaret.store.people import forget_sessions, person_by_id
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

_HALVES = Table("lz_half_logins", ("digest", "user_id", "expires"))
_CODES = Table("lz_recovery_codes", ("digest", "user_id"))
_SECRETS = Table("lz_second_factors", ("user_id", "secret"))

_USE_STEP = (
    "UPDATE lz_second_factors SET last_step = :step WHERE user_id = :user AND last_step < :step"
    " AND confirmed = 'Y'"
)
_CONFIRM = (
    "UPDATE lz_second_factors SET last_step = :step, confirmed = 'Y' WHERE user_id = :user"
    " AND confirmed = 'N' AND secret = :secret"
)
_RESEAL = "UPDATE lz_second_factors SET secret = :new WHERE user_id = :user AND secret = :old"
_REMOVE = (
    "DELETE FROM lz_second_factors WHERE user_id = :user",
    "DELETE FROM lz_recovery_codes WHERE user_id = :user",
)


class SqlSecondFactors:
    """Recovery codes and waiting logins come in as SHA-256 digests only, the secrets of apps under a seal."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def wait(self, digest: bytes, user: int, *, expires: float, now: float) -> None:
        """A password was right, or a link; the code is still to come. Forgets those that came to nothing."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM lz_half_logins WHERE expires <= :now", {"now": int(now)})
            insert(connection, _HALVES, [(digest, user, int(expires))])

        await self._writer.run(work)

    async def waiting(self, digest: bytes, *, now: float) -> Person | None:
        """Who is to show a code."""

        def work(connection: Connection) -> Person | None:
            found = connection.execute(
                "SELECT user_id FROM lz_half_logins WHERE digest = :digest AND expires > :now",
                {"digest": digest, "now": int(now)},
            ).fetchone()
            person = person_by_id(connection, found[0]) if found else None
            return person if person and not person.disabled else None

        return await self._reader.run(work)

    async def finish(self, digest: bytes) -> bool:
        """Ends the waiting; whether it had not ended yet."""

        def work(connection: Connection) -> bool:
            ended = connection.execute(
                "DELETE FROM lz_half_logins WHERE digest = :digest", {"digest": digest}
            )
            return ended.rowcount > 0

        return await self._writer.run(work)

    async def propose(self, user: int, secret: str) -> None:
        """Keeps a secret that holds from its first code on; one that holds already stays."""

        def work(connection: Connection) -> None:
            connection.execute(
                "DELETE FROM lz_second_factors WHERE user_id = :user AND confirmed = 'N'", {"user": user}
            )
            if _secret(connection, user) is None:
                insert(connection, _SECRETS, [(user, secret)])

        await self._writer.run(work)

    async def secret(self, user: int) -> tuple[str, bool] | None:
        """The secret, and whether it holds; None when there is none."""
        return await self._reader.run(lambda connection: _secret(connection, user))

    async def secrets(self) -> list[tuple[int, str]]:
        """Whose they are, and the secrets as they are kept."""

        def work(connection: Connection) -> list[tuple[int, str]]:
            rows = connection.execute("SELECT user_id, secret FROM lz_second_factors").fetchall()
            return [(int(user), str(secret)) for user, secret in rows]

        return await self._reader.run(work)

    async def reseal(self, user: int, old: str, new: str) -> None:
        """Keeps the same secret in another form, unless it has changed meanwhile."""

        def work(connection: Connection) -> None:
            connection.execute(_RESEAL, {"user": user, "old": old, "new": new})

        await self._writer.run(work, durable=True)

    async def confirm(
        self, user: int, secret: str, step: int, codes: Sequence[bytes], *, keep: bytes, who: str
    ) -> bool:
        """From now on the secret holds, and these recovery codes; all sessions end but `keep`."""

        def work(connection: Connection) -> bool:
            values = {"user": user, "secret": secret, "step": step}
            if connection.execute(_CONFIRM, values).rowcount == 0:
                return False
            _replace_codes(connection, user, codes)
            forget_sessions(connection, user, keep=keep)
            audit.write(connection, who, "second-factor", detail="set up")
            return True

        return await self._writer.run(work, durable=True)

    async def use_step(self, user: int, step: int) -> bool:
        """Uses the code of this step up; False when it, or a later one, was used before."""

        def work(connection: Connection) -> bool:
            return connection.execute(_USE_STEP, {"user": user, "step": step}).rowcount > 0

        return await self._writer.run(work, durable=True)

    async def use_code(self, user: int, digest: bytes, *, who: str) -> bool:
        """Uses a recovery code up; False when it is none, or was used."""

        def work(connection: Connection) -> bool:
            used = connection.execute(
                "DELETE FROM lz_recovery_codes WHERE digest = :digest AND user_id = :user",
                {"digest": digest, "user": user},
            )
            if used.rowcount:
                audit.write(connection, who, "second-factor", detail="a recovery code was used")
            return used.rowcount > 0

        return await self._writer.run(work, durable=True)

    async def set_codes(self, user: int, codes: Sequence[bytes], *, who: str) -> None:
        """Puts new recovery codes in the place of all earlier ones."""

        def work(connection: Connection) -> None:
            _replace_codes(connection, user, codes)
            audit.write(connection, who, "second-factor", detail="new recovery codes")

        await self._writer.run(work, durable=True)

    async def codes_left(self, user: int) -> int:
        """Recovery codes that were not used."""

        def work(connection: Connection) -> int:
            (number,) = connection.execute(
                "SELECT count(*) FROM lz_recovery_codes WHERE user_id = :user", {"user": user}
            ).fetchone()
            return int(number)

        return await self._reader.run(work)

    async def remove(self, person: Person, *, who: str, end_sessions: bool = False) -> bool:
        """The password alone is enough again; whether there was anything to remove."""

        def work(connection: Connection) -> bool:
            there = _secret(connection, person.id) is not None
            for statement in _REMOVE:
                connection.execute(statement, {"user": person.id})
            if end_sessions:
                forget_sessions(connection, person.id)
            audit.write(connection, who, "second-factor", detail=f"removed for {person.name}")
            return there

        return await self._writer.run(work, durable=True)


def _secret(connection: Connection, user: int) -> tuple[str, bool] | None:
    found = connection.execute(
        "SELECT secret, confirmed FROM lz_second_factors WHERE user_id = :user", {"user": user}
    ).fetchone()
    return (str(found[0]), found[1] == "Y") if found else None


def _replace_codes(connection: Connection, user: int, codes: Sequence[bytes]) -> None:
    connection.execute("DELETE FROM lz_recovery_codes WHERE user_id = :user", {"user": user})
    insert(connection, _CODES, [(digest, user) for digest in codes])
