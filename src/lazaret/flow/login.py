"""Coming in: passwords, the link of an invitation, sessions, and what happens after failed attempts.

A password is kept as argon2id; a session and an invitation as the SHA-256 of 256 random bits.
"""

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lazaret.model.errors import UserError
from lazaret.model.person import Person
from lazaret.model.session import Session, name_of

T = TypeVar("T")
log = logging.getLogger("lazaret.login")

INVITATION_S = 15 * 60
IDLE_S = 12 * 3600
SESSION_S = 7 * 86_400
GIVEN_S = 12 * 3600
"""So long lasts a session in which an OpenID provider says what somebody is: then it is asked again."""
HALF_S = 5 * 60
"""So long may it take to show the code after the password."""
FRESH_S = 15 * 60
"""So young is the session of somebody without a password who makes himself another key."""
SEEN_EVERY_S = 60
WINDOW_S = 15 * 60
"""Attempts that failed within it count."""
TRIES_PER_NAME = 5
TRIES_PER_PLACE = 20
MIN_PASSWORD, MAX_PASSWORD = 10, 1024
EX_DATAERR = 65


class Register(Protocol):
    """The people and their sessions, as the store keeps them."""

    async def named(self, name: str) -> Person | None: ...

    async def password(self, name: str) -> tuple[Person, str] | None: ...

    async def set_password(self, user: int, hashed: str, *, who: str) -> None: ...

    async def invite(self, digest: bytes, user: int, *, expires: float, who: str) -> None: ...

    async def invited(self, digest: bytes, *, now: float) -> Person | None: ...

    async def accept(self, digest: bytes, hashed: str, *, now: float) -> Person | None: ...

    async def begin(
        self,
        digest: bytes,
        user: int,
        *,
        remote: str,
        now: float,
        who: str,
        forget_before: float,
        half: bytes,
    ) -> None: ...

    async def holder(
        self, digest: bytes, *, idle_since: float, begun_since: float, given_since: float
    ) -> tuple[Person, float] | None: ...

    async def seen(self, digest: bytes, *, now: float) -> None: ...

    async def sessions(
        self, user: int, *, idle_since: float, begun_since: float, given_since: float
    ) -> list[Session]: ...

    async def end_one(self, user: int, name: str, *, who: str) -> bool: ...

    async def end_others(self, user: int, *, keep: bytes, who: str) -> None: ...

    async def end(self, digest: bytes, *, who: str) -> None: ...

    async def failures(self, subjects: Sequence[str], *, since: float) -> list[tuple[int, float]]: ...

    async def failed(self, subjects: Iterable[str], *, now: float, forget_before: float) -> None: ...

    async def succeeded(self, subject: str) -> None: ...


class Waiting(Protocol):
    """Logins that wait for a code, as the store keeps them."""

    async def wait(self, digest: bytes, user: int, *, expires: float, now: float) -> None: ...


class Refusal(StrEnum):
    """Why somebody did not come in; the log says which, the page does not."""

    UNKNOWN = "unknown"
    PASSWORD = "password"
    CODE = "code"
    DISABLED = "disabled"
    LOCKED = "locked"
    PASSKEY = "passkey"
    PROVIDER = "provider"
    """The OpenID provider did not let him in, or its answer is not to be believed."""
    STALE = "stale"
    """He has no password to show once more, and came in too long ago. This one is in no log."""


@dataclass(frozen=True, slots=True)
class LoginFailed(Exception):
    """The attempt was refused; `wait_s` is 0 unless there were too many."""

    why: Refusal
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody has proven himself, as far as that goes."""

    secret: str
    """Of the new session; with `code_wanted` what is to be shown together with the code."""
    code_wanted: bool = False
    """He has a second factor."""


class Doorkeeper:
    """Lets people in. Attempts are counted in the database: they hold for every desk, and over a restart."""

    def __init__(self, register: Register, waiting: Waiting, clock: Callable[[], float] = time.time) -> None:
        self._register = register
        self._waiting = waiting
        self._clock = clock
        self._hasher = PasswordHasher()
        # A hash takes 64 MiB for 50 ms: not more than two at a time, and never on the event loop.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="password")
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))

    async def invite(self, person: Person, *, who: str) -> str:
        """The secret of a link that holds for 15 minutes, for choosing a password once."""
        token = secrets.token_urlsafe(32)
        await self._register.invite(digest(token), person.id, expires=self._clock() + INVITATION_S, who=who)
        return token

    async def invited(self, token: str) -> Person | None:
        """Whom an invitation is for; looking does not use it up."""
        return await self._register.invited(digest(token), now=self._clock())

    async def accept(self, token: str, password: str, *, remote: str) -> Entered | None:
        """Uses an invitation up: the password holds from now on, and he comes in. UserError; None."""
        check_password(password)
        hashed = await self._in_thread(self._hasher.hash, password)
        person = await self._register.accept(digest(token), hashed, now=self._clock())
        return await self.enter(person, remote=remote) if person else None

    async def login(self, name: str, password: str, *, remote: str) -> Entered:
        """Comes in by a password. LoginFailed."""
        return await self.enter(await self.prove(name, password, remote=remote), remote=remote)

    async def prove(self, name: str, password: str, *, remote: str) -> Person:
        """Whose password it is. LoginFailed."""
        name = plain_name(name)
        subjects = (f"name:{name}", f"from:{remote}")
        await self.refuse_many(name, remote, subjects)
        found = await self._register.password(name)
        hashed = found[1] if found and found[1] else self._nobody
        right = await self._in_thread(self._verify, hashed, password[: MAX_PASSWORD + 1])
        # Of guesses that are sent all at once each was let through before the first had failed.
        await self.refuse_many(name, remote, subjects)
        if found is None or not right or found[0].disabled:
            now = self._clock()
            why = Refusal.UNKNOWN if found is None else Refusal.PASSWORD if not right else Refusal.DISABLED
            await self._register.failed(subjects, now=now, forget_before=now - WINDOW_S)
            raise self.refused(name, remote, why)
        await self._register.succeeded(subjects[0])
        if self._hasher.check_needs_rehash(hashed):
            renewed = await self._in_thread(self._hasher.hash, password)
            await self._register.set_password(found[0].id, renewed, who=who(found[0]))
        return found[0]

    async def refuse_many(self, name: str, remote: str, subjects: tuple[str, str]) -> None:
        """LoginFailed when too many attempts failed of late; subjects: of this person, from this place."""
        now = self._clock()
        (by_name, last_name), (by_place, last_place) = await self._register.failures(
            subjects, since=now - WINDOW_S
        )
        if by_name >= TRIES_PER_NAME or by_place >= TRIES_PER_PLACE:
            last = max(last_name, last_place)
            raise self.refused(name, remote, Refusal.LOCKED, max(1.0, last + WINDOW_S - now))

    async def change_password(self, person: Person, old: str, new: str, *, remote: str) -> None:
        """Sets a new password and ends all sessions. A wrong old one counts as a failed login does: whoever
        has somebody's session must not guess on. LoginFailed; UserError."""
        check_password(new)
        await self.prove(person.name, old, remote=remote)
        hashed = await self._in_thread(self._hasher.hash, new)
        await self._register.set_password(person.id, hashed, who=who(person))

    async def holder(self, token: str) -> Person | None:
        """Whose session this is."""
        now = self._clock()
        found = await self._register.holder(
            digest(token), idle_since=now - IDLE_S, begun_since=now - SESSION_S, given_since=now - GIVEN_S
        )
        if found is None:
            return None
        person, seen = found
        if now - seen > SEEN_EVERY_S:
            await self._register.seen(digest(token), now=now)
        return person

    async def logout(self, token: str, person: Person) -> None:
        """Ends the session."""
        await self._register.end(digest(token), who=who(person))

    async def sessions(self, person: Person) -> list[Session]:
        """Where he is logged in; the one that was used last first."""
        now = self._clock()
        return await self._register.sessions(
            person.id, idle_since=now - IDLE_S, begun_since=now - SESSION_S, given_since=now - GIVEN_S
        )

    async def check_fresh(self, person: Person, token: str) -> None:
        """LoginFailed unless the session with this secret has just begun; "" is none."""
        name = name_of(digest(token)) if token else ""
        begun = [one.begun for one in await self.sessions(person) if one.name == name]
        if not begun or self._clock() - begun[0] > FRESH_S:
            raise LoginFailed(Refusal.STALE)

    async def end_session(self, person: Person, name: str) -> bool:
        """Ends the session of this name; False when he has none."""
        return await self._register.end_one(person.id, name, who=who(person))

    async def end_others(self, person: Person, token: str) -> None:
        """Ends all his sessions but for the one with this secret; "": all."""
        await self._register.end_others(person.id, keep=digest(token) if token else b"", who=who(person))

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def enter(self, person: Person, *, remote: str) -> Entered:
        """For somebody who has shown a password, or a link: a session, or that a code is wanted."""
        if not person.second_factor:
            return Entered(await self.admit(person, remote=remote))
        half, now = secrets.token_urlsafe(32), self._clock()
        await self._waiting.wait(digest(half), person.id, expires=now + HALF_S, now=now)
        return Entered(half, code_wanted=True)

    async def admit(self, person: Person, *, remote: str, half: str = "") -> str:
        """The secret of a new session of somebody who has proven all that he must; `half` from `enter`."""
        token, now = secrets.token_urlsafe(32), self._clock()
        await self._register.begin(
            digest(token),
            person.id,
            remote=remote,
            now=now,
            who=who(person),
            forget_before=now - SESSION_S,
            half=digest(half) if half else b"",
        )
        return token

    def refused(self, name: str, remote: str, why: Refusal, wait_s: float = 0.0) -> LoginFailed:
        """What to raise, once it is in the log."""
        # fail2ban reads this line: its form is a promise (docs/web.md).
        log.warning('login failed: from=%s user="%s" reason=%s', remote, shown_name(name), why)
        return LoginFailed(why, wait_s)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[..., T], *arguments: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def check_password(password: str) -> None:
    """UserError when it is too short to keep anybody out, or absurdly long (NIST SP 800-63B, 5.1.1.2)."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise UserError(f"a password has from {MIN_PASSWORD} to {MAX_PASSWORD} characters", EX_DATAERR)


def plain_name(name: str) -> str:
    """The form in which names are compared."""
    return name.strip().lower()[:255]


def shown_name(name: str) -> str:
    """A name as it stands between quotation marks in a line of the log, whatever somebody typed."""
    return "".join(c if c.isprintable() and c not in ' "' else "?" for c in name)


def who(person: Person) -> str:
    """Under which name acts over the web are written down."""
    return f"web:{person.name}"


def digest(token: str) -> bytes:
    """What the database knows a secret by."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
