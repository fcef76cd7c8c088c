"""What an existing database says to amavis, and what the same means here: for whoever is about to switch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lazaret.model.policies import NamedPolicy
from lazaret.model.verdict import Levels, Policy
from lazaret.policy.merge import merged_values
from lazaret.policy.settings import meanings

CONFIGURATION = "(configuration)"
"""The line of those who have no policy of their own."""


@dataclass(frozen=True, slots=True)
class Side:
    """One policy, or the configuration."""

    policy: str
    users: int
    tag2: float | None
    kill: float | None
    cutoff: float | None
    """amavis' three levels as the table has them; None: as amavisd.conf says, which no database knows."""
    ours: Levels
    note: str = ""
    """What is surprising."""


def side_by_side(policies: Sequence[NamedPolicy], site: Policy) -> Iterator[Side]:
    """The configuration first, then each policy; `site`: what holds for those without one."""
    yield Side(CONFIGURATION, 0, None, None, None, site.levels, _note(site, None))
    for one in policies:
        found = meanings(one.values)
        tag2, kill, cutoff = (_number(found.get(n)) for n in ("mark", "quarantine", "kill"))
        policy = merged_values(site, one.values)
        yield Side(one.name, one.users, tag2, kill, cutoff, policy.levels, _note(policy, cutoff))


def _note(policy: Policy, cutoff: float | None) -> str:
    if not policy.keep:
        return "no quarantine: what reaches the quarantine level is discarded"
    kill = policy.levels.kill
    if kill is None:
        return "nothing is killed"
    if cutoff is None:
        return f"killed from {kill:g} on by the configuration of Lazaret; amavis may keep it"
    return f"from {kill:g} on nothing is kept, here as there"


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else None
