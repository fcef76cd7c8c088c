"""The rule language of SpamAssassin: read, compiled to few databases, run over one message at a time.

`load` gives a RuleSet; `lint` checks files and runs the tests beside their rules.
"""

from lazaret.rules.book import Kind, Problem
from lazaret.rules.evaluate import Findings
from lazaret.rules.lint import lint
from lazaret.rules.ruleset import Explanation, RuleSet, Symbol, load

__all__ = ["Explanation", "Findings", "Kind", "Problem", "RuleSet", "Symbol", "lint", "load"]
