"""What if the levels had been others? The history judged again, and what people have said of it since."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lazaret.flow import needs
from lazaret.model.errors import UserError
from lazaret.model.simulation import Border, Past

EX_USAGE = 64

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
        if not past.judged:
            return _FATE_OF.get(past.action, "delivered")
        if past.score < self.mark:
            return "delivered"
        if past.score < self.quarantine or past.exempt:
            return "marked"
        return "quarantined" if self.kill is None or past.score < self.kill else "killed"


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
    """Asks the history. Policies of one's own are not considered: all are judged by the same levels."""

    def __init__(self, past: needs.Past, always_deliver: Sequence[str] = ()) -> None:
        self._past = past
        self._exempt = always_deliver

    async def copies(self, *, since: float, recipient: str = "", domain: str = "") -> list[Past]:
        """The history since then, counted by score; for one recipient, or a domain and all below it."""
        return await self._past.copies(since=since, recipient=recipient, domain=domain, exempt=self._exempt)

    async def border(
        self, level: float, *, since: float, recipient: str = "", domain: str = "", limit: int = 5
    ) -> list[Border]:
        """So many copies on each side of a level, the highest score first."""
        return await self._past.border(level, since=since, recipient=recipient, domain=domain, limit=limit)
