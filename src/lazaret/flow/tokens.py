"""Tokens for programs: made once, shown once, good for what their scopes say."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lazaret.flow.login import digest, who
from lazaret.flow.rights import Right
from lazaret.model.errors import UserError
from lazaret.model.person import Person

PREFIX = "lzt_"
"""So that a token that was published by mistake is found by those who look for such."""
EX_DATAERR = 65

SCOPES: dict[str, frozenset[Right]] = {
    "read": frozenset({Right.FIND}),
    "bodies": frozenset({Right.PREVIEW, Right.DOWNLOAD}),
    "act": frozenset(
        {
            *(Right.RELEASE, Right.REQUEST, Right.REDIRECT, Right.DELETE, Right.LEARN, Right.LISTS),
            *(Right.DECIDE, Right.ALLOW, Right.BLOCK, Right.SEARCHES, Right.DIGEST),
        }
    ),
    "figures": frozenset({Right.FIGURES}),
    "admin": frozenset({Right.AUDIT, Right.PEOPLE, Right.POLICIES, Right.LEVELS}),
    "account": frozenset({Right.ACCOUNT}),
}
"""Scope -> what it leaves of its owner's rights."""


class Keeper(Protocol):
    """The tokens, as the store keeps them."""

    async def add(
        self,
        digest: bytes,
        user: int,
        label: str,
        scopes: Sequence[str],
        *,
        expires: float,
        who: str,
        maker: bytes,
    ) -> None: ...

    async def holder(self, digest: bytes, *, now: float) -> tuple[Person, tuple[str, ...], float] | None: ...


@dataclass(frozen=True, slots=True)
class Held:
    """A token that somebody has shown."""

    person: Person
    """Its owner."""
    digest: bytes
    scopes: tuple[str, ...]
    expires: float
    """Seconds since 1970; 0: never."""

    @property
    def rights(self) -> frozenset[Right]:
        """What it leaves of its owner's."""
        return frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in self.scopes))


class Tokens:
    """Makes and knows tokens."""

    def __init__(self, keeper: Keeper, clock: Callable[[], float] = time.time) -> None:
        self._keeper = keeper
        self._clock = clock

    async def make(
        self, person: Person, label: str, scopes: Sequence[str], *, days: int = 0, by: Held | None = None
    ) -> str:
        """A new token; 0 days: it does not lapse. `by`: the token that asks for it, which gives no more than
        it has, and no longer: without days the new one lapses with it, and is removed with it. UserError."""
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            raise UserError(f"scopes are some of: {', '.join(SCOPES)}", EX_DATAERR)
        token = PREFIX + secrets.token_urlsafe(32)
        expires = self._clock() + days * 86_400 if days else 0
        if by is not None:
            expires = _within(by, scopes, expires)
        await self._keeper.add(
            digest(token),
            person.id,
            label or "token",
            list(dict.fromkeys(scopes)),
            expires=expires,
            who=who(person),
            maker=by.digest if by else b"",
        )
        return token

    async def holder(self, token: str) -> Held | None:
        """Whose token it is, and what it is good for."""
        shown = digest(token)
        found = await self._keeper.holder(shown, now=self._clock())
        return Held(found[0], shown, found[1], found[2]) if found else None


def _within(by: Held, scopes: Sequence[str], expires: float) -> float:
    """When a token that this one makes lapses. UserError when it would be worth more."""
    more = [scope for scope in scopes if scope not in by.scopes]
    if more:
        raise UserError(f"this token has not the scope {more[0]}, and gives it to no other", EX_DATAERR)
    if by.expires and expires > by.expires:
        raise UserError("this token lapses before that, and makes none that outlives it", EX_DATAERR)
    return expires or by.expires
