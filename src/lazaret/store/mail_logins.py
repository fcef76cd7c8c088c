"""Links by which people come in without a password: each is good once, for a little while."""

from lazaret.store.addresses import key
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import Table, insert
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

_LINKS = Table("lz_mail_logins", ("digest", "email", "expires"))
_HOLDS = "FROM lz_mail_logins WHERE digest = :digest AND expires > :now"
_EMAIL = sql("SELECT email", _HOLDS)


class SqlMailLogins:
    """Secrets come in as SHA-256 digests only: who reads the database can come in as nobody."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def make(self, digest: bytes, address: str, *, expires: float, now: float) -> None:
        """Takes the link; forgets those whose time is over."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM lz_mail_logins WHERE expires <= :now", {"now": int(now)})
            insert(connection, _LINKS, [(digest, key(address), int(expires))])

        await self._writer.run(work, durable=True)

    async def address(self, digest: bytes, *, now: float) -> str | None:
        """To whom the link was sent, when it holds; looking does not use it up."""

        def work(connection: Connection) -> str | None:
            found = connection.execute(_EMAIL, {"digest": digest, "now": int(now)}).fetchone()
            return str(found[0]) if found else None

        return await self._reader.run(work)

    async def use(self, digest: bytes, *, now: float) -> str | None:
        """The same, and it holds no more; None when it does not hold, or did a moment ago."""

        def work(connection: Connection) -> str | None:
            found = connection.execute(_EMAIL, {"digest": digest, "now": int(now)}).fetchone()
            used = connection.execute("DELETE FROM lz_mail_logins WHERE digest = :digest", {"digest": digest})
            return str(found[0]) if found and used.rowcount else None

        return await self._writer.run(work, durable=True)
