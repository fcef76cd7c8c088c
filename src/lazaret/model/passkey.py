"""A passkey (WebAuthn): a key pair of which we know the public half."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passkey:
    """One of a person's."""

    credential: bytes
    """The id that the authenticator gave it."""
    public_key: bytes
    """COSE (RFC 9053)."""
    sign_count: int = 0
    label: str = ""
    created: float = 0.0
    used: float = 0.0
    """0: never."""

    @property
    def digest(self) -> bytes:
        """What the database finds it by."""
        return hashlib.sha256(self.credential).digest()

    @property
    def name(self) -> str:
        """What a form names it by."""
        return self.digest.hex()[:32]
