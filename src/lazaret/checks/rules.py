"""The rule set as a check: the rules of SpamAssassin's language, shipped and the site's own."""

from collections.abc import Iterator, Mapping

from lazaret.checks import OverBudget, Scan, Symbol
from lazaret.model.verdict import Hit
from lazaret.rules import RuleSet


class RulesCheck:
    """Yields a hit per listed rule; its score and description are those of the rule files."""

    name = "rules"

    def __init__(self, ruleset: RuleSet, *, seconds: float = 1.0) -> None:
        self._ruleset = ruleset
        self._seconds = seconds
        self.symbols: Mapping[str, Symbol] = {
            name: Symbol(symbol.score, symbol.description) for name, symbol in ruleset.symbols.items()
        }

    def run(self, scan: Scan, /) -> Iterator[Hit]:
        """OverBudget, after the hits, when a rule took too many steps or all together too long."""
        recipients = (recipient.address for recipient in scan.envelope.recipients)
        findings = self._ruleset.evaluate(
            scan.message, scan.now, recipients=recipients, seconds=self._seconds
        )
        for name, detail in findings.hits:
            yield Hit(name, detail, findings.weights.get(name, 1.0))
        if findings.exceeded:
            raise OverBudget(findings.exceeded)
