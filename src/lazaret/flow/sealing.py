"""Secrets that must be known again, kept so that whoever reads the database alone learns nothing.

AES-256-GCM with a key in the data directory. What belongs to one person does not open as another's.
"""

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MARK = "1."
"""Stands before what is sealed; no Base32 begins so."""
_NONCE_OCTETS = 12


class WrongKey(Exception):
    """It was sealed with another key, for another person, or is damaged."""


class Seal:
    """Closes and opens secrets of people."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, user: int, secret: str) -> str:
        """The secret as it may lie in the database: another text each time."""
        nonce = secrets.token_bytes(_NONCE_OCTETS)
        sealed = nonce + self._cipher.encrypt(nonce, secret.encode(), _whose(user))
        return _MARK + base64.urlsafe_b64encode(sealed).decode("ascii")

    def open(self, user: int, kept: str) -> str:
        """The secret; one that was kept before there were seals is given as it is. WrongKey."""
        if not is_sealed(kept):
            return kept
        try:
            octets = base64.urlsafe_b64decode(kept.removeprefix(_MARK))
            opened = self._cipher.decrypt(octets[:_NONCE_OCTETS], octets[_NONCE_OCTETS:], _whose(user))
        except (InvalidTag, ValueError, binascii.Error):
            raise WrongKey from None
        return opened.decode()


def is_sealed(kept: str) -> bool:
    """Whether it is not in clear."""
    return kept.startswith(_MARK)


def _whose(user: int) -> bytes:
    return b"lazaret second factor of user %d" % user
