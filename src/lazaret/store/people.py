"""People with a login: their names, rights, sessions, invitations and failed attempts."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lazaret.model.errors import UserError
from lazaret.model.person import Person, Role
from lazaret.model.session import Session, name_of
from lazaret.store import audit
from lazaret.store.addresses import plain
from lazaret.store.connection import Connection
from lazaret.store.dialect import sql
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

EX_NOUSER = 67
EX_CANTCREAT = 73

_PERSON = (
    "SELECT id, name, role, language, disabled, created, last_login, password,"
    " (SELECT count(*) FROM lz_second_factors f"
    " WHERE f.user_id = lz_users.id AND f.confirmed = 'Y') AS factors,"
    " (SELECT count(*) FROM lz_identities i WHERE i.user_id = lz_users.id) AS identities,"
    " (SELECT count(*) FROM lz_passkeys k WHERE k.user_id = lz_users.id) AS passkeys"
    " FROM lz_users"
)


class SqlPeople:
    """Secrets come in as SHA-256 digests only: who reads the database can log in as nobody."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def all(self) -> list[Person]:
        """Everybody, by name."""

        def work(connection: Connection) -> list[Person]:
            rows = connection.execute(sql(_PERSON, "ORDER BY name")).fetchall()
            return [_person(connection, row) for row in rows]

        return await self._reader.run(work)

    async def named(self, name: str) -> Person | None:
        """The person with this name."""

        def work(connection: Connection) -> Person | None:
            row = connection.execute(sql(_PERSON, "WHERE name = :name"), {"name": name}).fetchone()
            return _person(connection, row) if row else None

        return await self._reader.run(work)

    async def add(self, person: Person, *, who: str) -> Person:
        """The person with an id. UserError when the name is taken."""

        def work(connection: Connection) -> Person:
            name = {"name": person.name}
            if connection.execute("SELECT 1 FROM lz_users WHERE name = :name", name).fetchone():
                raise UserError(f"there is a user {person.name} already", EX_CANTCREAT)
            connection.execute(
                "INSERT INTO lz_users (name, role, language, created) VALUES (:name, :role, :lang, :now)",
                name | {"role": str(person.role), "lang": person.language, "now": int(time.time())},
            )
            row = connection.execute(sql(_PERSON, "WHERE name = :name"), name).fetchone()
            _write_scopes(connection, row[0], person)
            audit.write(connection, who, "user-add", detail=f"{person.name} as {person.role}")
            return _person(connection, row)

        return await self._writer.run(work, durable=True)

    async def change(self, person: Person, *, who: str) -> None:
        """Role, scopes, language and whether he may come in. One who may not loses his sessions."""

        def work(connection: Connection) -> None:
            changed = connection.execute(
                "UPDATE lz_users SET role = :role, language = :language, disabled = :disabled WHERE id = :id",
                {
                    "role": str(person.role),
                    "language": person.language,
                    "disabled": "Y" if person.disabled else "N",
                    "id": person.id,
                },
            )
            if changed.rowcount == 0:
                raise UserError(f"there is no user {person.name}", EX_NOUSER)
            _write_scopes(connection, person.id, person)
            if person.disabled:
                forget_sessions(connection, person.id)
            audit.write(connection, who, "user-change", detail=f"{person.name} as {person.role}")

        await self._writer.run(work, durable=True)

    async def remove(self, person: Person, *, who: str) -> None:
        """Takes the person out, with sessions, tokens and searches; what he did stays on record."""

        def work(connection: Connection) -> None:
            forget_sessions(connection, person.id)
            for statement in _REMOVE:
                connection.execute(statement, {"id": person.id})
            audit.write(connection, who, "user-remove", detail=person.name)

        await self._writer.run(work, durable=True)

    # Passwords

    async def password(self, name: str) -> tuple[Person, str] | None:
        """The person with this name, and the hash of his password."""

        def work(connection: Connection) -> tuple[Person, str] | None:
            row = connection.execute(sql(_PERSON, "WHERE name = :name"), {"name": name}).fetchone()
            return (_person(connection, row), row[7]) if row else None

        return await self._reader.run(work)

    async def set_password(self, user: int, hashed: str, *, who: str) -> None:
        """Takes a new hash; all sessions of the person end."""

        def work(connection: Connection) -> None:
            _set_password(connection, user, hashed)
            audit.write(connection, who, "password")

        await self._writer.run(work, durable=True)

    # Invitations

    async def invite(self, digest: bytes, user: int, *, expires: float, who: str) -> None:
        """Lets the holder of the link choose a password, once; earlier links end."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM lz_invitations WHERE user_id = :id", {"id": user})
            connection.execute(
                "INSERT INTO lz_invitations (digest, user_id, expires) VALUES (:digest, :id, :expires)",
                {"digest": digest, "id": user, "expires": int(expires)},
            )
            audit.write(connection, who, "user-invite", detail=f"user {user}")

        await self._writer.run(work, durable=True)

    async def invited(self, digest: bytes, *, now: float) -> Person | None:
        """Whom the link is for, when it holds."""
        return await self._reader.run(lambda connection: _invited(connection, digest, now))

    async def accept(self, digest: bytes, hashed: str, *, now: float) -> Person | None:
        """Uses the link up and takes the password; None when it does not hold, or did a moment ago."""

        def work(connection: Connection) -> Person | None:
            person = _invited(connection, digest, now)
            used = connection.execute("DELETE FROM lz_invitations WHERE digest = :digest", {"digest": digest})
            if person is None or used.rowcount == 0:
                return None
            _set_password(connection, person.id, hashed)
            audit.write(connection, f"web:{person.name}", "password", detail="by invitation")
            return person

        return await self._writer.run(work, durable=True)

    # Sessions

    async def begin(
        self,
        digest: bytes,
        user: int,
        *,
        remote: str,
        now: float,
        who: str,
        forget_before: float = 0.0,
        half: bytes = b"",
    ) -> None:
        """Opens a session; forgets those that began earlier. `half`: the login that it goes on from."""

        def work(connection: Connection) -> None:
            for statement in _LAPSE:
                connection.execute(statement, {"before": int(forget_before)})
            if half:
                connection.execute(_GO_ON, {"digest": digest, "half": half, "id": user})
            connection.execute(
                "INSERT INTO lz_sessions (digest, user_id, created, seen, remote)"
                " VALUES (:digest, :id, :now, :now, :remote)",
                {"digest": digest, "id": user, "now": int(now), "remote": plain(remote, 64)},
            )
            connection.execute(
                "UPDATE lz_users SET last_login = :now WHERE id = :id", {"id": user, "now": int(now)}
            )
            audit.write(connection, who, "login", detail=f"from {remote}")

        await self._writer.run(work)

    async def holder(
        self, digest: bytes, *, idle_since: float, begun_since: float, given_since: float = 0.0
    ) -> tuple[Person, float] | None:
        """Whose session it is, and when it was last seen; None when there is none, or it has lapsed.

        `given_since`: one in which a provider says what he is ends when it began earlier.
        """
        values = {"digest": digest, "idle": int(idle_since), "begun": int(begun_since)}
        values |= {"given": int(given_since)}

        def work(connection: Connection) -> tuple[Person, float] | None:
            found = connection.execute(_SESSION, values).fetchone()
            person = person_by_id(connection, found[0]) if found else None
            if found is None or person is None or person.disabled:
                return None
            return _as_given(person, found[2], found[3]), float(found[1])

        return await self._reader.run(work)

    async def seen(self, digest: bytes, *, now: float) -> None:
        """The session was used at this moment."""
        await self._run(
            "UPDATE lz_sessions SET seen = :now WHERE digest = :digest", {"digest": digest, "now": int(now)}
        )

    async def end(self, digest: bytes, *, who: str) -> None:
        """Closes a session."""

        def work(connection: Connection) -> None:
            _close(connection, digest)
            audit.write(connection, who, "logout")

        await self._writer.run(work)

    async def sessions(
        self, user: int, *, idle_since: float, begun_since: float, given_since: float
    ) -> list[Session]:
        """Those of one person that hold, the one that was used last first; see `holder`."""
        values = {"user": user, "idle": int(idle_since), "begun": int(begun_since)}
        values |= {"given": int(given_since)}

        def work(connection: Connection) -> list[Session]:
            rows = connection.execute(_SESSIONS, values)
            return [Session(name_of(digest), begun, seen, remote) for digest, begun, seen, remote in rows]

        return await self._reader.run(work)

    async def end_one(self, user: int, name: str, *, who: str) -> bool:
        """Closes the session of this name; False when the person has none."""

        def work(connection: Connection) -> bool:
            rows = connection.execute("SELECT digest FROM lz_sessions WHERE user_id = :user", {"user": user})
            for (digest,) in [row for row in rows.fetchall() if name_of(row[0]) == name]:
                _close(connection, bytes(digest))
                audit.write(connection, who, "session-end", detail=name)
                return True
            return False

        return await self._writer.run(work, durable=True)

    async def end_others(self, user: int, *, keep: bytes, who: str) -> None:
        """Closes all sessions of a person but for `keep`, and whatever else would let in."""

        def work(connection: Connection) -> None:
            forget_sessions(connection, user, keep=keep)
            audit.write(connection, who, "session-end", detail="all others" if keep else "all")

        await self._writer.run(work, durable=True)

    # Failed attempts

    async def failures(self, subjects: Sequence[str], *, since: float) -> list[tuple[int, float]]:
        """Of each subject how many attempts failed since then, and when the last of them was."""

        def work(connection: Connection) -> list[tuple[int, float]]:
            return [
                connection.execute(_FAILURES, {"subject": subject, "since": int(since)}).fetchone()
                for subject in subjects
            ]

        return await self._reader.run(work)

    async def failed(self, subjects: Iterable[str], *, now: float, forget_before: float) -> None:
        """Notes an attempt that failed, for each subject; forgets old ones."""
        rows = [(plain(subject, 255), int(now)) for subject in subjects]

        def work(connection: Connection) -> None:
            connection.execute(
                "DELETE FROM lz_failed_logins WHERE time_num < :before", {"before": int(forget_before)}
            )
            connection.executemany("INSERT INTO lz_failed_logins (subject, time_num) VALUES (?, ?)", rows)

        await self._writer.run(work)

    async def succeeded(self, subject: str) -> None:
        """Forgets the failures of a subject."""
        await self._run("DELETE FROM lz_failed_logins WHERE subject = :subject", {"subject": subject})

    async def _run(self, statement: str, values: dict[str, object]) -> None:
        await self._writer.run(lambda connection: connection.execute(statement, values) and None)


_HOLDS = "s.seen >= :idle AND s.created >= :begun AND (s.created >= :given OR COALESCE(o.role, '') = '')"
_JOINED = "FROM lz_sessions s LEFT JOIN lz_sign_ons o ON o.digest = s.digest WHERE"
_SESSION = sql("SELECT s.user_id, s.seen, o.role, o.domains", _JOINED, "s.digest = :digest AND", _HOLDS)
_SESSIONS = sql(
    sql("SELECT s.digest, s.created, s.seen, s.remote", _JOINED, "s.user_id = :user AND", _HOLDS),
    "ORDER BY s.seen DESC, s.digest LIMIT 500",
)
_LAPSE = (
    "DELETE FROM lz_sign_ons WHERE digest IN (SELECT s.digest FROM lz_sessions s WHERE s.created < :before)",
    "DELETE FROM lz_sessions WHERE created < :before",
)
_GO_ON = "UPDATE lz_sign_ons SET digest = :digest WHERE digest = :half AND user_id = :id"
_FAILURES = (
    "SELECT count(*), COALESCE(max(time_num), 0) FROM lz_failed_logins"
    " WHERE subject = :subject AND time_num >= :since"
)
_FORGET = (
    "DELETE FROM lz_sessions WHERE user_id = :id AND digest <> :keep",
    "DELETE FROM lz_sign_ons WHERE user_id = :id AND digest <> :keep",
    "DELETE FROM lz_half_logins WHERE user_id = :id",
    "DELETE FROM lz_invitations WHERE user_id = :id",
)
_REMOVE = (
    "DELETE FROM lz_api_tokens WHERE user_id = :id",
    "DELETE FROM lz_searches WHERE user_id = :id",
    "DELETE FROM lz_second_factors WHERE user_id = :id",
    "DELETE FROM lz_recovery_codes WHERE user_id = :id",
    "DELETE FROM lz_identities WHERE user_id = :id",
    "DELETE FROM lz_passkeys WHERE user_id = :id",
    "DELETE FROM lz_user_scopes WHERE user_id = :id",
    "DELETE FROM lz_users WHERE id = :id",
)


def _close(connection: Connection, digest: bytes) -> None:
    connection.execute("DELETE FROM lz_sessions WHERE digest = :digest", {"digest": digest})
    connection.execute("DELETE FROM lz_sign_ons WHERE digest = :digest", {"digest": digest})


def forget_sessions(connection: Connection, user: int, *, keep: bytes = b"") -> None:
    """Ends the sessions of a person, but for `keep`, and whatever else would let in under this name."""
    for statement in _FORGET:
        connection.execute(statement, {"id": user} | ({"keep": keep} if ":keep" in statement else {}))


def _set_password(connection: Connection, user: int, hashed: str) -> None:
    forget_sessions(connection, user)
    connection.execute(
        "UPDATE lz_users SET password = :hashed WHERE id = :id", {"hashed": hashed, "id": user}
    )


def _invited(connection: Connection, digest: bytes, now: float) -> Person | None:
    found = connection.execute(
        "SELECT user_id FROM lz_invitations WHERE digest = :digest AND expires > :now",
        {"digest": digest, "now": int(now)},
    ).fetchone()
    person = person_by_id(connection, found[0]) if found else None
    return person if person and not person.disabled else None


def person_by_id(connection: Connection, user: int) -> Person | None:
    row = connection.execute(sql(_PERSON, "WHERE id = :id"), {"id": user}).fetchone()
    return _person(connection, row) if row else None


def _person(connection: Connection, row: Sequence[object]) -> Person:
    number, name, role, language, disabled, created, last_login, password, factors, identities, passkeys = row
    scopes = connection.execute(
        "SELECT kind, value AS email FROM lz_user_scopes WHERE user_id = :id ORDER BY kind, value",
        {"id": number},
    ).fetchall()
    return Person(
        id=int(str(number)),
        name=str(name),
        role=Role(str(role)),
        addresses=tuple(value for kind, value in scopes if kind == "A"),
        domains=tuple(value for kind, value in scopes if kind == "D"),
        language=str(language),
        disabled=disabled == "Y",
        created=float(str(created)),
        last_login=float(str(last_login)),
        has_password=password != "",
        totp=factors != 0,
        passkeys=int(str(passkeys)),
        single_sign_on=identities != 0,
    )


def _as_given(person: Person, role: str | None, domains: str | None) -> Person:
    """As a provider says in this session. Whom an admin made more than a user here stays what he is."""
    if not role or person.role is not Role.USER:
        return person
    return replace(person, role=Role(role), domains=tuple((domains or "").split()), role_is_given=True)


def _write_scopes(connection: Connection, user: int, person: Person) -> None:
    connection.execute("DELETE FROM lz_user_scopes WHERE user_id = :id", {"id": user})
    scopes = [("A", a) for a in person.addresses] + [("D", d) for d in person.domains]
    connection.executemany(
        "INSERT INTO lz_user_scopes (user_id, kind, value) VALUES (?, ?, ?)",
        [(user, kind, plain(value, 255)) for kind, value in dict.fromkeys(scopes)],
    )
