"""Sessions that an OpenID provider has opened, and ends again."""

from collections.abc import Sequence

from lazaret.model.identity import ClaimedRole, Identity, Logout, named
from lazaret.model.person import Person
from lazaret.store import audit
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.inserting import Table, insert
from lazaret.store.once import used_up
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

_SIGN_ONS = Table("lz_sign_ons", ("digest", "user_id", "identity", "sid", "role", "domains"))
_OF_SUBJECT = "SELECT digest, user_id FROM lz_sign_ons WHERE identity = :identity"
_MEANT = (
    "SELECT digest, user_id FROM lz_sign_ons"
    " WHERE (:any_subject = 1 OR identity = :identity) AND (:any_session = 1 OR sid = :sid)"
)
_GIVEN_OTHERWISE = sql(_OF_SUBJECT, "AND role <> '' AND (role <> :role OR domains <> :domains)")
_END = (
    "DELETE FROM lz_sessions WHERE digest = :digest",
    "DELETE FROM lz_half_logins WHERE digest = :digest",
    "DELETE FROM lz_sign_ons WHERE digest = :digest",
)


class SqlSignOns:
    """What the provider has to say in a session."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def note(
        self, digest: bytes, person: Person, identity: Identity, role: ClaimedRole | None, *, who: str
    ) -> None:
        """The session, or the login that waits for a code, was opened by the provider.

        Those in which it has made something else of him end.
        """
        row = (digest, person.id, identity.digest, identity.session_digest)
        given = (str(role.role), " ".join(role.domains)) if role else ("", "")

        def work(connection: Connection) -> None:
            others = {"identity": identity.digest, "role": given[0], "domains": given[1]}
            _end(connection, connection.execute(_GIVEN_OTHERWISE, others).fetchall())
            insert(connection, _SIGN_ONS, [(*row, *given)])
            if role:
                detail = " ".join([f"{person.name} as {role.role}", *role.domains])
                audit.write(connection, who, "role", detail=detail)

        await self._writer.run(work)

    async def end(self, logout: Logout) -> int | None:
        """Ends what the provider says; how many sessions that were. None: it said so before."""
        meant: dict[str, object] = {
            "any_subject": int(not logout.subject),
            "identity": named(logout.issuer, logout.subject),
            "any_session": int(not logout.session),
            "sid": named(logout.issuer, f"sid\0{logout.session}"),
        }

        def work(connection: Connection) -> int | None:
            if not used_up(connection, logout.token, logout.expires):
                return None
            found = connection.execute(_MEANT, meant).fetchall()
            _end(connection, found)
            for user in sorted({user for _, user in found}):
                audit.write(connection, "oidc", "logout", detail=f"user {user}, by {logout.issuer}")
            return len(found)

        return await self._writer.run(work, durable=True)


def _end(connection: Connection, found: Sequence[tuple[bytes, int]]) -> None:
    for digest, _ in found:
        for statement in _END:
            connection.execute(statement, {"digest": digest})
