"""What counts once, until it would have lapsed anyway: challenges of passkeys, notices of a provider."""

import time

from lazaret.store.connection import Connection
from lazaret.store.inserting import Table, insert

_CHALLENGES = Table("lz_used_challenges", ("digest", "expires"))


def used_up(connection: Connection, digest: bytes, expires: float, now: float | None = None) -> bool:
    """Uses it up; False when it was used before."""
    now = time.time() if now is None else now
    connection.execute("DELETE FROM lz_used_challenges WHERE expires <= :now", {"now": int(now)})
    values = {"digest": digest}
    if connection.execute("SELECT 1 FROM lz_used_challenges WHERE digest = :digest", values).fetchone():
        return False
    insert(connection, _CHALLENGES, [(digest, int(expires) + 1)])
    return True
