"""What a recipient's lists make of a sender: allowed, blocked, so many points, or nothing.

Looked up as amavis does it: the envelope sender and each address of header From; for each the recipient's
rows in the order of their priority, and in each list the most specific entry. But what an allow entry
says of an address anybody can write into a message: it counts in full only for a sender who proved to be
himself, or whose mail comes from a network that the entry names; otherwise it takes off a few points.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lazaret.model.address import normalise
from lazaret.model.network import NetworkSet
from lazaret.model.policies import ListEntry, PolicyRow
from lazaret.model.verdict import ScoredHit
from lazaret.policy.keys import in_words, keys

UNPROVEN_POINTS = 3.0
"""What all allow entries together take off at most, for a sender who did not prove to be himself."""
SYMBOL = "AM.WBL"
"""amavis' name for points from a list of senders."""

_HEADER_PROOFS = ("DKIM_VALID_AU", "DMARC_PASS")
_ENVELOPE_PROOFS = ("DKIM_VALID_EF", "SPF_PASS")
MOST_ADDRESSES = 10
"""Addresses of one header From that are looked up."""


@dataclass(frozen=True, slots=True)
class Senders:
    """Who a message says that it is from."""

    envelope: str
    header: tuple[str, ...] = ()
    """The addresses in header From."""
    delimiter: str = ""
    """What an address extension begins with."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Each once, as they are looked up."""
        named = (self.envelope, *self.header[:MOST_ADDRESSES])
        return tuple(dict.fromkeys(normalise(a) for a in named))

    def keys(self, address: str) -> tuple[str, ...]:
        """Under which one of them is looked up, the most specific first."""
        return keys(address, delimiter=self.delimiter)

    @property
    def all_keys(self) -> tuple[str, ...]:
        """Of all addresses."""
        return tuple(dict.fromkeys(key for address in self.addresses for key in self.keys(address)))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of whether the sender is himself."""

    symbols: frozenset[str] = frozenset()
    client_ip: str = ""
    """The MTA's client; "" when nobody told."""
    whole: bool = True
    """The message was examined to its end."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the lists say. `reason` completes the sentence of the verdict; "" when they say nothing."""

    allowed: bool = False
    blocked: bool = False
    points: float = 0.0
    reason: str = ""

    @property
    def hits(self) -> tuple[ScoredHit, ...]:
        """The points, as they stand among the tests."""
        if not self.points:
            return ()
        return (ScoredHit(SYMBOL, self.points, "The recipient's lists of senders", self.reason),)


UNKNOWN = Standing()


@dataclass(slots=True)
class _Tally:
    allowed: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    proven: float = 0.0
    unproven: float = 0.0
    notes: list[str] = field(default_factory=list)

    def standing(self) -> Standing:
        if self.allowed:  # as in amavis, who is on both lists is allowed
            return Standing(allowed=True, reason=self.allowed[0])
        unproven = max(self.unproven, -UNPROVEN_POINTS)
        points = round(self.proven + unproven, 3) + 0.0
        if self.blocked:
            return Standing(blocked=True, points=points, reason=self.blocked[0])
        return Standing(points=points, reason="; ".join(self.notes[:3]))


def standing(
    rows: Sequence[PolicyRow],
    entries: Sequence[ListEntry],
    senders: Senders,
    evidence: Evidence,
    *,
    now: float,
    trust_others: bool = False,
) -> Standing:
    """What the lists of one recipient say; `rows` are his, in the order of `merge.ordered`.

    `trust_others`: entries that amavis' tools wrote count in full, as amavis counts them.
    """
    if not entries:
        return UNKNOWN
    matches: dict[tuple[int, int], list[str]] = {}
    matched: dict[tuple[int, int], ListEntry] = {}
    for address in senders.addresses:
        for entry in _matching(senders.keys(address), rows, entries, now):
            matches.setdefault((entry.user, entry.sender), []).append(address)
            matched[entry.user, entry.sender] = entry
    tally = _Tally()
    for number, entry in matched.items():
        proven = next((a for a in matches[number] if _is_proven(a, entry, senders, evidence)), None)
        full = proven is not None or (trust_others and not entry.ours)
        _count(tally, matches[number][0] if proven is None else proven, entry, full=full)
    return tally.standing()


def _matching(
    looked_up: Sequence[str], rows: Sequence[PolicyRow], entries: Sequence[ListEntry], now: float
) -> Iterator[ListEntry]:
    """The entries that hold for these keys: after the first that is no number nothing more is looked up."""
    place = {key: number for number, key in enumerate(looked_up)}
    for row in rows:
        here = [e for e in entries if e.user == row.user and e.key in place and not 0 < e.expires <= now]
        if not here:
            continue
        entry = min(here, key=lambda e: (-e.priority, place[e.key]))
        yield entry
        if entry.points is None:
            return


def _count(tally: _Tally, address: str, entry: ListEntry, *, full: bool) -> None:
    named = in_words(entry.key)
    who = named if entry.key == address or not address else f"{address} ({named})"
    whose = f"the list of {in_words(entry.owner)}"
    points = entry.points
    if not entry.word:
        return
    if points is not None:
        if points < 0 and not full:
            tally.unproven += points
        else:
            tally.proven += points
        tally.notes.append(f"{whose} gives {who} {points:+g} points{_capped(points, full=full)}")
    elif entry.blocks:
        tally.blocked.append(f"{whose} blocks {who}")
    elif full:
        tally.allowed.append(f"{whose} allows {who}")
    else:
        tally.unproven -= UNPROVEN_POINTS
        tally.notes.append(
            f"{whose} allows {who}, but nothing proves that the message is from there: "
            f"{UNPROVEN_POINTS:g} points off at most"
        )


def _capped(points: float, *, full: bool) -> str:
    if full or points >= -UNPROVEN_POINTS:
        return ""
    return f", {UNPROVEN_POINTS:g} off at most without a proof of the sender"


def _is_proven(address: str, entry: ListEntry, senders: Senders, evidence: Evidence) -> bool:
    """Whether this address is more than what somebody wrote; what was not examined whole proves nothing."""
    if not evidence.whole:
        return False
    if _lies_in(evidence.client_ip, entry.networks):
        return True
    symbols = evidence.symbols
    if address == normalise(senders.envelope) and any(p in symbols for p in _ENVELOPE_PROOFS):
        return True
    # A signature of one author says nothing of the others.
    only_author = [normalise(a) for a in senders.header] == [address]
    return only_author and any(p in symbols for p in _HEADER_PROOFS)


def _lies_in(client_ip: str, networks: Sequence[str]) -> bool:
    if not client_ip or not networks:
        return False
    try:
        return client_ip in NetworkSet(networks)
    except ValueError:  # whatever wrote it: what is no network holds nobody
        return False
