"""People as an OpenID provider knows them."""

import time

from lazaret.model.identity import Identity
from lazaret.model.person import Person
from lazaret.store import audit
from lazaret.store.addresses import plain
from lazaret.store.connection import Connection
from lazaret.store.inserting import Table, insert
from lazaret.store.people import forget_sessions, person_by_id
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

_IDENTITIES = Table("lz_identities", ("digest", "user_id", "issuer", "subject", "created"))
_OTHER = "SELECT 1 FROM lz_identities WHERE user_id = :user AND issuer = :issuer"


class SqlIdentities:
    """Who is whom."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def holder(self, identity: Identity) -> Person | None:
        """Whose account it is."""

        def work(connection: Connection) -> Person | None:
            found = connection.execute(
                "SELECT user_id FROM lz_identities WHERE digest = :digest", {"digest": identity.digest}
            ).fetchone()
            return person_by_id(connection, found[0]) if found else None

        return await self._reader.run(work)

    async def link(self, person: Person, identity: Identity, *, who: str) -> bool:
        """From now on the identity is this person's; False when he has another of this issuer already."""

        def work(connection: Connection) -> bool:
            values = {"user": person.id, "issuer": plain(identity.issuer, 255)}
            if connection.execute(_OTHER, values).fetchone():
                return False
            row = (
                identity.digest,
                person.id,
                values["issuer"],
                plain(identity.subject, 255),
                int(time.time()),
            )
            insert(connection, _IDENTITIES, [row])
            audit.write(connection, who, "identity", detail=f"{person.name} is known to {identity.issuer}")
            return True

        return await self._writer.run(work, durable=True)

    async def remove(self, person: Person, *, who: str) -> bool:
        """No identity lets in under this name any more, and all sessions end; whether there was one."""

        def work(connection: Connection) -> bool:
            gone = connection.execute("DELETE FROM lz_identities WHERE user_id = :user", {"user": person.id})
            if gone.rowcount:
                forget_sessions(connection, person.id)
                audit.write(connection, who, "identity", detail=f"removed for {person.name}")
            return gone.rowcount > 0

        return await self._writer.run(work, durable=True)
