"""Tokens for programs: made once, shown once, good for what their scopes say."""

import secrets
import time
from collections.abc import Callable, Sequence
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
}
"""Scope -> what it leaves of its owner's rights."""


class Keeper(Protocol):
    """The tokens, as the store keeps them."""

    async def add(
        self, digest: bytes, user: int, label: str, scopes: Sequence[str], *, expires: float, who: str
    ) -> None: ...

    async def holder(self, digest: bytes, *, now: float) -> tuple[Person, tuple[str, ...]] | None: ...


class Tokens:
    """Makes and knows tokens."""

    def __init__(self, keeper: Keeper, clock: Callable[[], float] = time.time) -> None:
        self._keeper = keeper
        self._clock = clock

    async def make(self, person: Person, label: str, scopes: Sequence[str], *, days: int = 0) -> str:
        """A new token; 0 days: it does not lapse. UserError."""
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            raise UserError(f"scopes are some of: {', '.join(SCOPES)}", EX_DATAERR)
        token = PREFIX + secrets.token_urlsafe(32)
        expires = self._clock() + days * 86_400 if days else 0
        await self._keeper.add(
            digest(token),
            person.id,
            label or "token",
            list(dict.fromkeys(scopes)),
            expires=expires,
            who=who(person),
        )
        return token

    async def holder(self, token: str) -> tuple[Person, frozenset[Right]] | None:
        """Whose token it is, and what it leaves of his rights."""
        found = await self._keeper.holder(digest(token), now=self._clock())
        if found is None:
            return None
        person, scopes = found
        return person, frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))
