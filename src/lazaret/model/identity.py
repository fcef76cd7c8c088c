"""Who somebody is to an OpenID provider."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """What a provider vouches for. Only issuer and subject together name a person, and for ever."""

    issuer: str
    subject: str
    email: str = ""
    verified: bool = False
    """The provider says that the address is his."""

    @property
    def digest(self) -> bytes:
        """What the database finds it by."""
        return hashlib.sha256(f"{self.issuer}\0{self.subject}".encode()).digest()
