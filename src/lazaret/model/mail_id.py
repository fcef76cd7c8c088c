"""The ids of a stored message, made as amavis makes them.

The secret is 9 random octets; `secret_id` is their base64url, `mail_id` the first 12 characters of
the base64url of their MD5. So a server can verify a secret without a database, and the id tells
nothing of the secret.
"""

import base64
import hashlib
import re
import secrets

_VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*={0,2}")


def from_secret(secret: bytes) -> tuple[str, str]:
    """(mail_id, secret_id) of 9 secret octets."""
    digest = hashlib.md5(secret, usedforsecurity=False).digest()
    return (
        base64.urlsafe_b64encode(digest)[:12].decode("ascii"),
        base64.urlsafe_b64encode(secret).decode("ascii"),
    )


def generate() -> tuple[str, str]:
    """A new (mail_id, secret_id). Neither end of an id is `-` or `_`, which shells and UIs mistake."""
    while True:
        mail_id, secret_id = from_secret(secrets.token_bytes(9))
        if mail_id[0].isalnum() and mail_id[-1].isalnum():
            return mail_id, secret_id


def is_valid(mail_id: str) -> bool:
    """Whether it has the form of an id, amavis' older alphabets included; at most 16 characters."""
    return len(mail_id) <= 16 and _VALID.fullmatch(mail_id) is not None


def matches(mail_id: str, secret_id: str) -> bool:
    """Whether the secret belongs to the id, by today's rule or by that of amavis before 2.7."""
    try:
        secret = base64.urlsafe_b64decode(secret_id + "=" * (-len(secret_id) % 4))
    except ValueError:
        secret = b""
    today = from_secret(secret)[0] if secret else ""
    old = base64.b64encode(
        hashlib.md5(secret_id.encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()
    )
    before_2_7 = old.decode("ascii").replace("/", "-")[: len(mail_id)]
    ok = secrets.compare_digest(today[: len(mail_id)].encode(), mail_id.encode())
    return (ok or secrets.compare_digest(before_2_7.encode(), mail_id.encode())) and len(mail_id) >= 12
