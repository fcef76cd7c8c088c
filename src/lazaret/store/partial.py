"""Who was served by an attempt that did not serve all: `lz_partial`, and what a process knows of it.

Nearly no message was tried before, and to ask a server about each costs more than to write its rows. So the
attempts that are remembered are read once a second, and only these are asked about. What another worker of
this machine remembers counts at once, since workers tell each other that there is something new (`Cue`);
what another machine remembers, within a second: no MTA comes again so soon, and to another machine.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from lazaret.store.addresses import from_octets, plain, to_octets
from lazaret.store.connection import Connection
from lazaret.store.inserting import Table, insert
from lazaret.store.lookup import Lookup
from lazaret.store.writer import Writer

PARTIAL_DAYS = 7
"""How long an MTA retries, and with it how long we know who was served already."""
LOOK_S = 1.0
"""So often it is looked which attempts are remembered."""
MOST = 1000
"""Of so many attempts a process knows; where there are more, each message is asked about."""

_DONE_BEFORE = "SELECT recipient, response FROM lz_partial WHERE attempt = :attempt AND time_num > :oldest"
_ATTEMPTS = "SELECT DISTINCT attempt FROM lz_partial LIMIT :most"
_PARTIAL = Table("lz_partial", ("attempt", "recipient", "response", "time_num"))


class Cue(Protocol):
    """How the processes of a machine tell each other that an attempt was remembered."""

    def count(self) -> float:
        """How many were, by all of them; it only grows."""

    def tell(self) -> None:
        """One more was."""


class Partial:
    """Reads through the look-ups, and writes through the writer's thread."""

    def __init__(self, lookup: Lookup, writer: Writer, clock: Callable[[], float] = time.monotonic) -> None:
        self.cue: Cue | None = None
        """None: there are no other processes on this machine."""
        self._lookup = lookup
        self._writer = writer
        self._clock = clock
        self._attempts: frozenset[bytes] | None = None
        """Those that are remembered; None: too many to know."""
        self._look_at = 0.0
        self._told = -1.0

    async def done_before(self, queue_id: str, sender: str, digest: bytes) -> Mapping[str, str]:
        """Recipient -> the response he had. StoreUnavailable."""
        await self._look()
        known = self._attempts
        if known is not None and not known:
            return {}
        attempt = _attempt(queue_id, sender, digest)
        if known is not None and attempt not in known:
            return {}
        wanted = {"attempt": attempt, "oldest": int(time.time()) - PARTIAL_DAYS * 86_400}
        found = await self._lookup.run(lambda connection: connection.execute(_DONE_BEFORE, wanted).fetchall())
        return {from_octets(recipient): response for recipient, response in found}

    async def remember(self, queue_id: str, sender: str, digest: bytes, responses: Mapping[str, str]) -> None:
        """Writes it durably."""
        attempt, now = _attempt(queue_id, sender, digest), int(time.time())

        def remember(connection: Connection) -> None:
            rows = [(attempt, to_octets(one), plain(text, 1000), now) for one, text in responses.items()]
            connection.executemany(
                "DELETE FROM lz_partial WHERE attempt = ? AND recipient = ?", [row[:2] for row in rows]
            )
            insert(connection, _PARTIAL, rows)

        try:
            await self._writer.run(remember, durable=True)
        finally:
            # After a lost answer of the server too: it may be committed.
            self._look_at = 0.0
            if self.cue is not None:
                self.cue.tell()

    async def _look(self) -> None:
        told, now = self.cue.count() if self.cue is not None else self._told, self._clock()
        if now < self._look_at and told == self._told:
            return
        found = await self._lookup.run(
            lambda connection: connection.execute(_ATTEMPTS, {"most": MOST + 1}).fetchall()
        )
        self._attempts = frozenset(bytes(attempt) for (attempt,) in found) if len(found) <= MOST else None
        self._told, self._look_at = told, now + LOOK_S


def _attempt(queue_id: str, sender: str, digest: bytes) -> bytes:
    return hashlib.sha256(b"\0".join((to_octets(queue_id), to_octets(sender), digest))).digest()
