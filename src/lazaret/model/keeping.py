"""How long quarantined mail is kept: for everybody, by what it is, and by whose it is."""

from collections.abc import Iterable
from dataclasses import dataclass

from lazaret.model.verdict import Category

DAY_S = 86_400
KILLED = "killed"
"""How a rule names what was discarded, whatever its category."""


@dataclass(frozen=True, slots=True)
class KeepRule:
    """An exception: days for a domain, a category, what was killed, or two of these."""

    days: int
    domain: str = ""
    """`example.org`, or `.example.org` for all below it too; empty: every domain."""
    category: Category | None = None
    killed: bool = False


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a text is kept. What holds for one copy is asked of `days`; a message has its longest."""

    keep_days: int
    killed_days: int
    history_days: int
    rules: tuple[KeepRule, ...] = ()

    @property
    def domains(self) -> list[str]:
        """Those that rules name, the narrowest first."""
        named = {rule.domain for rule in self.rules if rule.domain}
        return sorted(named, key=lambda name: (name.startswith("."), -len(name), name))

    @property
    def categories(self) -> list[Category]:
        """Those that rules name."""
        return sorted({rule.category for rule in self.rules if rule.category}, key=lambda one: one.value)

    def days(self, domain: str, category: Category | None, *, killed: bool) -> int:
        """For a copy of such a kind in one of `domains`, or elsewhere ("").

        A rule for the domain counts before those for all. Among these, one for the category or for what was
        killed counts before one without either; where both fit, the shorter time.
        """
        scopes: tuple[list[KeepRule], ...] = ([rule for rule in self.rules if not rule.domain],)
        if domain:
            scopes = ([rule for rule in self.rules if rule.domain == domain], *scopes)
        for scope in scopes:
            narrow = [rule.days for rule in scope if _fits(rule, category, killed=killed)]
            if scope is scopes[-1] and killed and not any(rule.killed for rule in scope):
                narrow.append(self.killed_days)
            plain = [rule.days for rule in scope if rule.category is None and not rule.killed]
            if narrow or plain:
                return min(narrow or plain)
        return self.keep_days

    def all_days(self) -> Iterable[int]:
        """Every time that some copy may be kept."""
        return (self.keep_days, self.killed_days, *(rule.days for rule in self.rules))


def _fits(rule: KeepRule, category: Category | None, *, killed: bool) -> bool:
    """Whether a rule that says more than its domain is about such a copy."""
    if rule.category is None and not rule.killed:
        return False
    return (rule.category is None or rule.category is category) and (killed or not rule.killed)


@dataclass(frozen=True, slots=True)
class Due:
    """What a purge would remove."""

    texts: int
    octets: int
    by_domain: tuple[tuple[str, str, int], ...]
    """Category's letter, domain of the recipient, copies: of these texts."""
    history: int
    """Messages of which nothing would be left."""
    orphans: int
    """Rows of messages that are not there any more."""
    addresses: int
    overdue_s: float
    """How long, at least, a text has been due; 0 when none is."""
