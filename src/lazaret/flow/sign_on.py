"""Coming in by an OpenID provider: on the way there, back, and into whose account.

What must be known again on the way back (state, nonce, the verifier of PKCE, where to go then) lies sealed
in a cookie of the browser that set out: strangers make us store nothing, and nobody comes back for another.

An account is found by issuer and subject. The first time by the address, if the provider has verified it and
somebody has it for a name; or it is made, as a user's, for the domains of oidc.create_for. What a user is
beyond that, as the claim oidc.role_claim says, holds for the session that the provider has opened and for no
other: whoever has lost a group there is a user again when he next comes in. The account stays a user's.

The provider tells of those who sign out there (OpenID Connect Back-Channel Logout 1.0): their sessions end.
"""

import hmac
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken

from lazaret.flow.login import TRIES_PER_PLACE, WINDOW_S, Doorkeeper, Entered, Refusal, digest, who
from lazaret.model.address import DomainSet, is_valid, normalise, split
from lazaret.model.errors import LazaretError
from lazaret.model.identity import ClaimedRole, Identity, Logout, claimed
from lazaret.model.person import Person, Role

log = logging.getLogger("lazaret.login")

WAY_S = 10 * 60
"""So long may somebody be away."""
MAX_COOKIE = 4096


class Provider(Protocol):
    """The OpenID provider."""

    async def authorization(self, state: str, nonce: str, verifier: str) -> str: ...

    async def identity(self, code: str, nonce: str, verifier: str) -> Identity: ...

    async def farewell(self, back: str) -> str: ...

    async def logout(self, token: str) -> Logout: ...

    def close(self) -> None: ...


class Identities(Protocol):
    """Who is whom, as the store keeps it."""

    async def holder(self, identity: Identity) -> Person | None: ...

    async def link(self, person: Person, identity: Identity, *, who: str) -> bool: ...


class SignOns(Protocol):
    """What the provider has opened, as the store keeps it."""

    async def note(
        self, digest: bytes, person: Person, identity: Identity, role: ClaimedRole | None, *, who: str
    ) -> None: ...

    async def end(self, logout: Logout) -> int | None: ...


class Register(Protocol):
    """The people, and what was tried lately."""

    async def named(self, name: str) -> Person | None: ...

    async def add(self, person: Person, *, who: str) -> Person: ...

    async def failures(self, subjects: Sequence[str], *, since: float) -> list[tuple[int, float]]: ...

    async def failed(self, subjects: Iterable[str], *, now: float, forget_before: float) -> None: ...


@dataclass(frozen=True, slots=True)
class SetOut:
    """Somebody is sent to the provider."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Back:
    """Somebody has come back, and in."""

    entered: Entered
    wish: str
    """Where he wanted to go."""


class SignOn:
    """Sends people to the provider, and takes them in when they are back."""

    def __init__(
        self,
        *,
        provider: Provider,
        identities: Identities,
        register: Register,
        doorkeeper: Doorkeeper,
        key: bytes,
        create_for: Iterable[str],
        sign_ons: SignOns,
        roles: Sequence[ClaimedRole] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`key`: as Fernet wants it. `create_for`: domains whose people get an account when they come.
        `roles`: what a value of the claim makes of a user.
        """
        self._provider = provider
        self._identities = identities
        self._register = register
        self._doorkeeper = doorkeeper
        self._seal = Fernet(key)
        self._create_for = DomainSet(create_for)
        self._sign_ons = sign_ons
        self._roles = roles
        self._clock = clock

    async def set_out(self, wish: str) -> SetOut:
        """Where to send the browser, and the cookie that it must bring back. LazaretError."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url = await self._provider.authorization(state, nonce, verifier)
        kept = json.dumps([state, nonce, verifier, wish]).encode()
        return SetOut(url, self._seal.encrypt_at_time(kept, int(self._clock())).decode())

    async def come_back(self, cookie: str, state: str, code: str, error: str, *, remote: str) -> Back | None:
        """In, or a code is wanted; None when this browser has not set out, or long ago. LoginFailed."""
        kept = self._opened(cookie)
        if kept is None or not hmac.compare_digest(kept[0].encode(), state.encode()):
            return None
        _, nonce, verifier, wish = kept
        if error:
            raise self._doorkeeper.refused("", remote, Refusal.PROVIDER)
        now = self._clock()
        place = f"from:{remote}"
        [(tries, last)] = await self._register.failures([place], since=now - WINDOW_S)
        if tries >= TRIES_PER_PLACE:
            raise self._doorkeeper.refused("", remote, Refusal.LOCKED, max(1.0, last + WINDOW_S - now))
        try:
            identity = await self._provider.identity(code, nonce, verifier)
        except LazaretError as problem:
            log.error("signing in by the provider: %s", problem)
            await self._register.failed([place], now=now, forget_before=now - WINDOW_S)
            raise self._doorkeeper.refused("", remote, Refusal.PROVIDER) from None
        person = await self._person(identity, remote)
        if person.disabled:
            raise self._doorkeeper.refused(person.name, remote, Refusal.DISABLED)
        role = claimed(identity.groups, self._roles) if person.role is Role.USER else None
        given = replace(person, role=role.role, domains=role.domains) if role else person
        entered = await self._doorkeeper.enter(given, remote=remote)
        await self._sign_ons.note(digest(entered.secret), person, identity, role, who=who(person))
        return Back(entered, wish)

    async def signed_out(self, token: str) -> bool:
        """Ends the sessions of which the provider says so; False when it said so before. LazaretError."""
        logout = await self._provider.logout(token)
        return await self._sign_ons.end(logout) is not None

    async def farewell(self, back: str) -> str:
        """Where to sign out at the provider too; "" when it has no such place. LazaretError."""
        return await self._provider.farewell(back)

    def close(self) -> None:
        """Ends threads."""
        self._provider.close()

    async def _person(self, identity: Identity, remote: str) -> Person:
        """Whose account it is. LoginFailed."""
        known = await self._identities.holder(identity)
        if known is not None:
            return known
        name = normalise(identity.email.strip())
        if not (identity.verified and is_valid(name) and len(name) <= 255):
            raise self._doorkeeper.refused(name[:255], remote, Refusal.UNKNOWN)
        by = f"oidc:{name}"
        person = await self._register.named(name)
        if person is None and split(name)[1] in self._create_for:
            person = await self._register.add(Person(0, name, Role.USER, addresses=(name,)), who=by)
        # Whoever is known to this provider under another subject is not the same: addresses are given to
        # new people, subjects are not (Core, section 5.7).
        if person is None or not await self._identities.link(person, identity, who=by):
            raise self._doorkeeper.refused(name, remote, Refusal.UNKNOWN)
        return person

    def _opened(self, cookie: str) -> list[str] | None:
        if len(cookie) > MAX_COOKIE or not cookie.isascii():
            return None
        try:
            kept = self._seal.decrypt_at_time(cookie.encode(), ttl=WAY_S, current_time=int(self._clock()))
        except InvalidToken:
            return None
        found: list[str] = json.loads(kept)
        return found
