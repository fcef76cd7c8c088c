"""A session: somebody is logged in with one browser."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """What is known of it; its secret nobody knows but the browser. Times are seconds since 1970."""

    name: str
    """The first half of its digest, hexadecimal."""
    begun: float
    seen: float
    """To the minute."""
    remote: str
    """Where it began."""


def name_of(digest: bytes) -> str:
    """By what a session, or a token, is known to its owner."""
    return bytes(digest)[:16].hex()
