"""The rule set as a check: the rules of SpamAssassin's language, shipped and the site's own."""

from collections.abc import Callable, Iterator, Mapping

from lazaret.checks import OverBudget, Scan, Step, Symbol
from lazaret.model.verdict import Hit
from lazaret.rules import RuleSet
from lazaret.rules.book import WITH_LEARNER, WITHOUT_LEARNER


class RulesCheck:
    """Yields a hit per listed rule; its score and description are those of the rule files."""

    name = "rules"

    def __init__(
        self,
        ruleset: RuleSet,
        *,
        beside_learner: Callable[[], bool] = lambda: False,
        seconds: float = 1.0,
    ) -> None:
        """`beside_learner`: whether the learner says its word too; rule files have scores of their own for
        that."""
        self._ruleset = ruleset
        self._seconds = seconds
        self._beside_learner = beside_learner
        self._alone = _priced(ruleset, WITHOUT_LEARNER)
        self._beside = _priced(ruleset, WITH_LEARNER)
        self.symbols = self._in_force()
        """Scores as they are for the last message; the learner may gain its say between two."""

    def _in_force(self) -> Mapping[str, Symbol]:
        return self._beside if self._beside_learner() else self._alone

    def run(self, scan: Scan, /) -> Iterator[Hit | Step]:
        """OverBudget, after the hits, when a rule took too many steps or all together too long."""
        recipients = (recipient.address for recipient in scan.envelope.recipients)
        findings = yield from self._ruleset.steps(
            scan.message,
            scan.now,
            recipients=recipients,
            seconds=self._seconds,
            meanwhile=scan.meanwhile,
        )
        self.symbols = symbols = self._in_force()
        weight = findings.weights.get
        # A score of 0: switched off beside a learner, or without one.
        yield from [Hit(n, detail, weight(n, 1.0)) for n, detail in findings.hits if symbols[n].score]
        if findings.exceeded:
            raise OverBudget(findings.exceeded)


def _priced(ruleset: RuleSet, score_set: int) -> Mapping[str, Symbol]:
    priced = ruleset.priced(score_set)
    return {name: Symbol(symbol.score, symbol.description) for name, symbol in priced.items()}
