"""What if the levels had been others? The history judged again, and what people have said of it since."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from lazaret.flow import needs
from lazaret.flow.policies import Held, PolicyBook
from lazaret.model.errors import UserError
from lazaret.model.person import ALL, Sight
from lazaret.model.simulation import NOTHING, Border, Own, Past
from lazaret.policy.merge import found

EX_USAGE = 64
SPARE = 10
"""So many times the messages near a level are read: those of people with levels of their own are left out."""

FATES = ("delivered", "marked", "quarantined", "killed")
_FATE_OF = {
    "deliver": "delivered",
    "mark": "marked",
    "quarantine": "quarantined",
    "discard": "killed",
    "reject": "killed",
}


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Three levels in points; `kill` None: nothing is ever killed."""

    mark: float
    quarantine: float
    kill: float | None

    def __post_init__(self) -> None:
        """UserError when they are not finite, or not in their order."""
        levels = [self.mark, self.quarantine] + ([] if self.kill is None else [self.kill])
        if not all(map(math.isfinite, levels)) or levels != sorted(levels):
            raise UserError("write levels with mark <= quarantine <= kill", EX_USAGE)

    def fate(self, past: Past) -> str:
        """What would have become of such a copy; what no score has decided stays as it was."""
        own = past.own
        if not past.judged or own.unjudged:
            return _FATE_OF.get(past.action, "delivered")
        quarantine = self.quarantine if own.quarantine is None else own.quarantine
        kill = self.kill if own.kill is None else own.kill
        # In their order whatever somebody has written: the quarantine level is what counts.
        if past.score < min(self.mark if own.mark is None else own.mark, quarantine):
            return "delivered"
        if past.score < quarantine or past.exempt or own.lover:
            return "marked"
        return "quarantined" if kill is None or past.score < max(kill, quarantine) else "killed"


@dataclass(slots=True)
class Count:
    """Copies with one fate."""

    was: int = 0
    would_be: int = 0
    ham: int = 0
    """Of those that would be: released, or taught as ham since."""
    spam: int = 0
    """Of those that would be: taught as spam since."""


@dataclass(slots=True)
class Outcome:
    """What would have become of the history."""

    fates: dict[str, Count] = field(default_factory=lambda: {fate: Count() for fate in FATES})
    unjudged: int = 0
    """Copies that no score has decided: they stay as they were, and are counted in `fates`."""
    changed: int = 0
    """Copies whose fate would be another."""

    @property
    def false_positives(self) -> int:
        """At least so many that somebody wanted would be kept from their readers."""
        return self.fates["quarantined"].ham + self.fates["killed"].ham

    @property
    def misses(self) -> int:
        """At least so many that somebody called spam would get through unmarked or marked."""
        return self.fates["delivered"].spam + self.fates["marked"].spam


def judge(past: Iterable[Past], levels: WhatIf) -> Outcome:
    """The outcome; pure, and quick enough to be asked again for each position of a slider."""
    outcome = Outcome()
    for one in past:
        was, would_be = _FATE_OF.get(one.action), levels.fate(one)
        if was is None:  # deferred: it came again, and is counted then
            continue
        outcome.fates[was].was += one.copies
        count = outcome.fates[would_be]
        count.would_be += one.copies
        count.ham += one.copies if one.said == "ham" else 0
        count.spam += one.copies if one.said == "spam" else 0
        outcome.unjudged += 0 if one.judged else one.copies
        outcome.changed += one.copies if was != would_be else 0
    return outcome


class Simulator:
    """Asks the history. Who has levels of his own in the database is judged by those."""

    def __init__(self, past: needs.Past, book: PolicyBook, always_deliver: Sequence[str] = ()) -> None:
        self._past = past
        self._book = book
        self._exempt = always_deliver

    async def copies(
        self, *, since: float, recipient: str = "", domain: str = "", sight: Sight = ALL
    ) -> list[Past]:
        """The history since then, counted by score; for one recipient, or a domain and all below it.

        With a `sight` only copies that it covers.
        """
        apart = await self._book.any()
        past = await self._past.copies(
            since=since, recipient=recipient, domain=domain, exempt=self._exempt, apart=apart, sight=sight
        )
        return await self._with_own(past) if apart else past

    async def border(
        self, level: float, *, since: float, recipient: str = "", domain: str = "", limit: int = 5
    ) -> list[Border]:
        """So many copies on each side of a level, the highest score first."""
        apart = await self._book.any()
        near = await self._past.border(
            level, since=since, recipient=recipient, domain=domain, limit=limit * SPARE if apart else limit
        )
        own = await self._own({one.recipient for one in near}) if apart else {}
        near = [one for one in near if _goes_by_the_site(own.get(one.recipient, NOTHING))]
        above = [one for one in near if one.score >= level]
        return above[max(0, len(above) - limit) :] + [one for one in near if one.score < level][:limit]

    async def _with_own(self, past: Sequence[Past]) -> list[Past]:
        """Counted anew by what the recipients have, whoever they are."""
        own = await self._own({one.recipient for one in past})
        counts: Counter[Past] = Counter()
        for one in past:
            counts[replace(one, copies=0, recipient="", own=own.get(one.recipient, NOTHING))] += one.copies
        return [replace(kind, copies=copies) for kind, copies in counts.items()]

    async def _own(self, recipients: set[str]) -> dict[str, Own]:
        held = await self._book.each(sorted(recipients))
        return {address: _of(one) for address, one in held.items() if one.rows}


def _of(held: Held) -> Own:
    """What his rows of the database set."""
    values = {one.name: one.value for one in found(held.rows)}
    return Own(
        values.get("mark"),
        values.get("quarantine"),
        values.get("kill"),
        lover=bool(values.get("spam_lover")),
        unjudged=bool(values.get("bypass_spam_checks")),
    )


def _goes_by_the_site(own: Own) -> bool:
    """Whether another level of the site changes anything near to it."""
    return own.quarantine is None and not own.lover and not own.unjudged
