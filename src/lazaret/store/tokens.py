"""Tokens of programs, and the answers that they were given, so that a repeated request acts once."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from lazaret.model.errors import UserError
from lazaret.model.person import Person
from lazaret.model.session import name_of
from lazaret.store import audit
from lazaret.store.addresses import plain
from lazaret.store.connection import Connection
from lazaret.store.people import person_by_id
from lazaret.store.reader import Reader
from lazaret.store.writer import Writer

ANSWER_S = 86_400
"""How long an answer is remembered."""
SEEN_EVERY_S = 300
MOST = 100
"""Tokens of one person."""
EX_CANTCREAT = 73

_DELETE = "DELETE FROM lz_api_tokens WHERE digest = :digest"
# It locks the row as well: who removes the maker waits until what it makes is there to be found.
_STILL_THERE = "UPDATE lz_api_tokens SET seen = seen WHERE digest = :digest"


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; the token itself nobody knows but its owner."""

    name: str
    """The first half of its digest, hexadecimal."""
    label: str
    scopes: tuple[str, ...]
    created: float
    expires: float
    """0: never."""
    seen: float
    maker: str = ""
    """The name of the token that made it; "": a person did."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the same Idempotency-Key was used for before."""

    same: bool
    """For the same request."""
    answer: str
    """Empty: it is being worked on."""


class SqlTokens:
    """Tokens come in as SHA-256 digests only."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def add(
        self,
        digest: bytes,
        user: int,
        label: str,
        scopes: Sequence[str],
        *,
        expires: float,
        who: str,
        maker: bytes = b"",
    ) -> None:
        """Makes a token known; `maker`: the digest of the token that makes it.

        UserError when its owner has too many, or the maker was removed meanwhile.
        """

        def work(connection: Connection) -> None:
            if maker and not connection.execute(_STILL_THERE, {"digest": maker}).rowcount:
                raise UserError("the token that makes this one was removed", EX_CANTCREAT)
            (held,) = connection.execute(
                "SELECT count(*) FROM lz_api_tokens WHERE user_id = :user", {"user": user}
            ).fetchone()
            if held >= MOST:
                raise UserError(f"there are {MOST} tokens already; remove one first", EX_CANTCREAT)
            connection.execute(
                "INSERT INTO lz_api_tokens (digest, user_id, label, scopes, created, expires, maker)"
                " VALUES (:digest, :user, :label, :scopes, :now, :expires, :maker)",
                {
                    "digest": digest,
                    "user": user,
                    "label": plain(label, 64),
                    "scopes": " ".join(scopes),
                    "now": int(time.time()),
                    "expires": int(expires),
                    "maker": name_of(maker) if maker else "",
                },
            )
            by = f", made by {name_of(maker)}" if maker else ""
            audit.write(connection, who, "token-add", detail=f"{label}: {' '.join(scopes)}{by}")

        await self._writer.run(work, durable=True)

    async def of(self, user: int) -> list[Token]:
        """Those of one person, the newest first."""

        def work(connection: Connection) -> list[Token]:
            rows = connection.execute(
                "SELECT digest, label, scopes, created, expires, seen, maker FROM lz_api_tokens"
                " WHERE user_id = :user ORDER BY created DESC, digest",
                {"user": user},
            )
            return [
                Token(name_of(digest), label, tuple(scopes.split()), created, expires, seen, maker)
                for digest, label, scopes, created, expires, seen, maker in rows
            ]

        return await self._reader.run(work)

    async def holder(self, digest: bytes, *, now: float) -> tuple[Person, tuple[str, ...], float] | None:
        """Whose token it is, what it is good for, and when it lapses (0: never); None when it is none."""

        def work(connection: Connection) -> tuple[Person, tuple[str, ...], float, float] | None:
            found = connection.execute(
                "SELECT user_id, scopes, expires, seen FROM lz_api_tokens"
                " WHERE digest = :digest AND (expires = 0 OR expires > :now)",
                {"digest": digest, "now": int(now)},
            ).fetchone()
            person = person_by_id(connection, found[0]) if found else None
            if found is None or person is None or person.disabled:
                return None
            return person, tuple(found[1].split()), float(found[2]), float(found[3])

        known = await self._reader.run(work)
        if known is None:
            return None
        person, scopes, expires, seen = known
        if now - seen > SEEN_EVERY_S:
            await self._run(
                "UPDATE lz_api_tokens SET seen = :now WHERE digest = :digest",
                {"digest": digest, "now": int(now)},
            )
        return person, scopes, expires

    async def remove(self, user: int, name: str, *, who: str) -> bool:
        """Ends the token of this name, and all that it and those that it made have made: whoever takes a
        stolen token away is rid of what the thief made by it. False when the person has none such."""

        def work(connection: Connection) -> bool:
            ended = _end(connection, user, name)
            if ended:
                audit.write(connection, who, "token-remove", detail=name)
                _end_made_by(connection, user, name, who)
            return ended

        return await self._writer.run(work, durable=True)

    # Answers

    async def begin(self, digest: bytes, request: bytes, *, now: float) -> Earlier | None:
        """Takes the key for a request; what it was used for before, when it was."""

        def work(connection: Connection) -> Earlier | None:
            connection.execute(
                "DELETE FROM lz_answers WHERE time_num < :before", {"before": int(now - ANSWER_S)}
            )
            found = connection.execute(
                "SELECT request, answer FROM lz_answers WHERE digest = :digest", {"digest": digest}
            ).fetchone()
            if found:
                return Earlier(bytes(found[0]) == request, found[1])
            connection.execute(
                "INSERT INTO lz_answers (digest, request, time_num, answer)"
                " VALUES (:digest, :request, :now, '')",
                {"digest": digest, "request": request, "now": int(now)},
            )
            return None

        return await self._writer.run(work, durable=True)

    async def finish(self, digest: bytes, answer: str) -> None:
        """Keeps the answer for whoever asks again."""
        await self._run(
            "UPDATE lz_answers SET answer = :answer WHERE digest = :digest",
            {"digest": digest, "answer": answer},
        )

    async def forget(self, digest: bytes) -> None:
        """Gives the key free: nothing was done."""
        await self._run("DELETE FROM lz_answers WHERE digest = :digest", {"digest": digest})

    async def _run(self, statement: str, values: dict[str, object]) -> None:
        await self._writer.run(lambda connection: connection.execute(statement, values) and None)


def _end(connection: Connection, user: int, name: str) -> bool:
    """Ends one token; False when the person has none of this name."""
    rows = connection.execute("SELECT digest FROM lz_api_tokens WHERE user_id = :user", {"user": user})
    named = [digest for (digest,) in rows.fetchall() if name_of(digest) == name]
    for digest in named:
        connection.execute(_DELETE, {"digest": digest})
    return bool(named)


def _end_made_by(connection: Connection, user: int, maker: str, who: str) -> None:
    """Ends what a token has made, that is gone itself; a person has few enough to go one by one."""
    waiting = [maker]
    while waiting:
        maker = waiting.pop()
        rows = connection.execute(
            "SELECT digest FROM lz_api_tokens WHERE user_id = :user AND maker = :maker",
            {"user": user, "maker": maker},
        )
        for (digest,) in rows.fetchall():
            name = name_of(digest)
            connection.execute(_DELETE, {"digest": digest})
            audit.write(connection, who, "token-remove", detail=f"{name}, made by {maker}")
            waiting.append(name)
