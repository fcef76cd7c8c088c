"""Whose policy holds for a message: the configuration, and what people have written into the database.

One query per message at most. What was read is kept for some seconds; a change that Lazaret itself makes,
in whatever process or on whatever machine, is in force within a second, one that another program makes
into the same tables within ten. While the tables are empty a message costs no query at all.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lazaret.flow.needs import Policies
from lazaret.mime import mailboxes
from lazaret.mime.message import Message
from lazaret.model.policies import ListEntry, PoliciesState, PolicyRow
from lazaret.model.verdict import Policy, Report
from lazaret.policy.keys import keys
from lazaret.policy.lookup import Lookup
from lazaret.policy.merge import merged, ordered
from lazaret.policy.senders import UNKNOWN, Evidence, Senders, Standing, standing

LOOK_S = 1.0
"""So often it is looked whether anything has changed."""
KEPT_S = 10.0
"""So long a policy is believed without being read again."""
MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Held:
    """What holds for one recipient."""

    policy: Policy
    rows: tuple[PolicyRow, ...] = ()
    """In the order in which they count."""
    entries: tuple[ListEntry, ...] = ()
    """What his lists say of the senders that were asked for."""


@dataclass(slots=True)
class _Kept:
    held: Held
    until: float


class PolicyBook:
    """Knows the policy of every recipient. StoreUnavailable when the database must be asked and does not
    answer: a wrong policy is worse than a message that comes again."""

    def __init__(
        self,
        lookup: Lookup,
        source: Policies,
        *,
        delimiter: str = "+",
        trust_others: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`trust_others`: list entries that amavis' tools wrote count as in amavis (`lists.require_auth`)."""
        self.lookup = lookup
        self._source = source
        self.delimiter = delimiter
        self.trust_others = trust_others
        self._clock = clock
        self._state = PoliciesState()
        self._look_at = 0.0
        self._kept: dict[tuple[str, tuple[str, ...]], _Kept] = {}

    async def of(self, recipients: Iterable[str], message: Message, sender: str) -> "Guidance":
        """What holds for each recipient of a message."""
        await self._look()
        if not self._state.policies:
            return Guidance({a: Held(self.lookup.policy_for(a)) for a in recipients})
        senders = senders_of(message, sender, self.delimiter) if self._state.lists else Senders("")
        asked = senders.addresses if self._state.lists else ()
        now = self._clock()
        held: dict[str, Held] = {}
        missing: list[str] = []
        for address in recipients:
            kept = self._kept.get((address, asked))
            if kept is None or kept.until <= now:
                missing.append(address)
            else:
                held[address] = kept.held
        if missing:
            held |= await self._read(missing, senders if asked else None)
        if len(self._kept) + len(missing) > MOST_KEPT:
            self._kept.clear()
        self._kept |= {(a, asked): _Kept(held[a], now + KEPT_S) for a in missing}
        return Guidance(held, senders, trust_others=self.trust_others)

    async def _look(self) -> None:
        now = self._clock()
        if now < self._look_at:
            return
        state = await self._source.state()
        if state != self._state:
            self._kept.clear()
        self._state = state
        self._look_at = now + LOOK_S

    async def _read(self, recipients: Sequence[str], senders: Senders | None) -> dict[str, Held]:
        looked_up = {a: self.keys(a) for a in recipients}
        wanted = list(dict.fromkeys(key for found in looked_up.values() for key in found))
        found = await self._source.rows(wanted, senders.all_keys if senders else ())
        by_key = {row.key: row for row in found.rows}
        by_user: dict[int, list[ListEntry]] = {}
        for entry in found.entries:
            by_user.setdefault(entry.user, []).append(entry)
        held = {}
        for address, own in looked_up.items():
            rows = tuple(ordered([by_key[k] for k in own if k in by_key], own))
            entries = tuple(e for row in rows for e in by_user.get(row.user, ()))
            held[address] = Held(merged(self.lookup.policy_for(address), rows), rows, entries)
        return held

    async def held(self, recipient: str, senders: Senders | None = None) -> Held:
        """The same for one recipient, read anew: for whoever wants to know why."""
        return (await self._read([recipient], senders))[recipient]

    def keys(self, recipient: str) -> tuple[str, ...]:
        """Under which keys a recipient is looked up, the most specific first."""
        is_ours = self.lookup.is_known_local(recipient)
        return keys(recipient, delimiter=self.delimiter, bare_user=is_ours)


class Guidance:
    """What holds for each recipient of one message."""

    def __init__(
        self, held: Mapping[str, Held], senders: Senders | None = None, *, trust_others: bool = False
    ) -> None:
        self._held = held
        self._senders = senders
        self._trust_others = trust_others

    def policy(self, recipient: str) -> Policy:
        """The policy of one of the recipients."""
        return self._held[recipient].policy

    def standing(self, recipient: str, report: Report, *, client_ip: str, now: float) -> Standing:
        """What his lists make of the sender. `client_ip` as the MTA told it, else ""."""
        held = self._held[recipient]
        if not held.entries or self._senders is None:
            return UNKNOWN
        symbols = frozenset(hit.symbol for hit in report.hits)
        return standing(
            held.rows,
            held.entries,
            self._senders,
            Evidence(symbols, client_ip, whole=not report.over_budget),
            now=now,
            trust_others=self._trust_others,
        )


def senders_of(message: Message, envelope_sender: str, delimiter: str) -> Senders:
    """The envelope sender and the authors of a message."""
    named = (box.address for value in message.header.values("From") for box in mailboxes.parse(value))
    header = tuple(address.decode("utf-8", "surrogateescape") for address in named if address)
    return Senders(envelope_sender, header, delimiter)
