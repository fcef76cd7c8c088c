"""Who somebody is to an OpenID provider."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from lazaret.model.person import Role


@dataclass(frozen=True, slots=True)
class Identity:
    """What a provider vouches for. Only issuer and subject together name a person, and for ever."""

    issuer: str
    subject: str
    email: str = ""
    verified: bool = False
    """The provider says that the address is his."""
    session: str = ""
    """What the provider calls its own session (`sid`); empty when it does not say."""
    groups: frozenset[str] = frozenset()
    """What stands in the claim that is asked for roles."""

    @property
    def digest(self) -> bytes:
        """What the database finds it by."""
        return named(self.issuer, self.subject)

    @property
    def session_digest(self) -> bytes:
        """What the database finds the provider's session by; of none the digest of no name."""
        return named(self.issuer, f"sid\0{self.session}")


@dataclass(frozen=True, slots=True)
class ClaimedRole:
    """What somebody is here who has this value in his claim."""

    value: str
    role: Role
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Logout:
    """The provider says that somebody has signed out there: from one session, or from all."""

    issuer: str
    subject: str
    session: str
    token: bytes
    """Digest of the name of this notice: it counts once."""
    expires: float
    """So long it could be sent again."""


def named(issuer: str, name: str) -> bytes:
    """A digest of something that an issuer calls so."""
    return hashlib.sha256(f"{issuer}\0{name}".encode()).digest()


def claimed(groups: frozenset[str], roles: Iterable[ClaimedRole]) -> ClaimedRole | None:
    """The first of the roles whose value is there."""
    return next((one for one in roles if one.value in groups), None)
