"""Whose policy holds for a message: the configuration, and what people have written into the database.

One query per message at most. What was read is kept for some seconds; a change that Lazaret itself makes,
in whatever process or on whatever machine, is in force within a second, one that another program makes
into the same tables within ten. While the tables are empty a message costs no query at all.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lazaret.flow.needs import Policies
from lazaret.mime import mailboxes
from lazaret.mime.message import Message
from lazaret.model.frozen import frozen
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
AT_ONCE = 100
"""Recipients of whom is asked in one query, where many are."""


@frozen
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
        self._kept: dict[str, _Kept] = {}

    async def of(self, recipients: Sequence[str], message: Message, sender: str) -> "Guidance":
        """What holds for each recipient of a message."""
        await self._look()
        if not self._state.policies:
            return Guidance({a: Held(self.lookup.policy_for(a)) for a in recipients})
        senders = senders_of(message, sender, self.delimiter) if self._state.lists else None
        held = self._known(recipients)
        if held is None:
            held = await self._read(recipients, senders)
        elif senders:
            held = await self._with_entries(held, senders)
        return Guidance(held, senders, trust_others=self.trust_others)

    def _known(self, recipients: Sequence[str]) -> dict[str, Held] | None:
        """What was read of them lately, without entries; None when anything is missing."""
        now = self._clock()
        found = {}
        for address in recipients:
            kept = self._kept.get(address)
            if kept is None or kept.until <= now:
                return None
            found[address] = kept.held
        return found

    async def _with_entries(self, held: dict[str, Held], senders: Senders) -> dict[str, Held]:
        users = list(dict.fromkeys(row.user for one in held.values() for row in one.rows))
        return _with(held, await self._source.entries(users, senders.all_keys)) if users else held

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
        """All in one query; what is not of the senders is kept."""
        state, until = self._state, self._clock() + KEPT_S
        looked_up = {a: self.keys(a) for a in recipients}
        wanted = list(dict.fromkeys(key for found in looked_up.values() for key in found))
        found = await self._source.rows(wanted, senders.all_keys if senders else ())
        by_key = {row.key: row for row in found.rows}
        held = {}
        for address, own in looked_up.items():
            rows = tuple(ordered([by_key[k] for k in own if k in by_key], own))
            held[address] = Held(merged(self.lookup.policy_for(address), rows), rows)
        if self._state is state:  # or something was changed meanwhile
            if len(self._kept) + len(held) > MOST_KEPT:
                self._kept.clear()
            self._kept |= {address: _Kept(one, until) for address, one in held.items()}
        return _with(held, found.entries)

    async def held(self, recipient: str, senders: Senders | None = None) -> Held:
        """The same for one recipient, read anew: for whoever wants to know why."""
        return (await self._read([recipient], senders))[recipient]

    async def any(self) -> bool:
        """Whether anybody has a policy in the database."""
        return (await self._source.state()).policies

    async def each(self, recipients: Sequence[str]) -> dict[str, Held]:
        """The same for many, some hundred with each query."""
        held: dict[str, Held] = {}
        for start in range(0, len(recipients), AT_ONCE):
            held |= await self._read(recipients[start : start + AT_ONCE], None)
        return held

    def keys(self, recipient: str) -> tuple[str, ...]:
        """Under which keys a recipient is looked up, the most specific first."""
        is_ours = self.lookup.is_known_local(recipient)
        return keys(recipient, delimiter=self.delimiter, bare_user=is_ours)


def _with(held: dict[str, Held], entries: Sequence[ListEntry]) -> dict[str, Held]:
    """The same with the entries of each one's lists."""
    if not entries:
        return held
    by_user: dict[int, list[ListEntry]] = {}
    for entry in entries:
        by_user.setdefault(entry.user, []).append(entry)
    return {
        address: replace(one, entries=tuple(e for row in one.rows for e in by_user.get(row.user, ())))
        for address, one in held.items()
    }


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
