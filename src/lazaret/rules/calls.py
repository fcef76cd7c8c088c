"""Rules that call eval functions: the listed ones are called for every message, sub-rules on demand."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from lazaret.rules.evals import Settings, whole_message
from lazaret.rules.evals.plan import Asked, Call, plan
from lazaret.rules.program import Program
from lazaret.rules.values import Values

_log = logging.getLogger(__name__)


class Later(NamedTuple):
    """Rules that hang on a question which is asked on demand."""

    rules: tuple[int, ...]
    metas: int
    """Those that hang on these rules (see Settler)."""


class Calls:
    """The calls of a program."""

    def __init__(
        self,
        program: Program,
        settings: Settings,
        put_off: Collection[int],
        concerned: Callable[[Iterable[int]], int],
    ) -> None:
        """`concerned` gives the metas that hang on rules."""
        self._names = program.names
        calls = [Call(c.rule, program.names[c.rule], c.function, c.arguments) for c in program.called]
        self.at_once = plan(settings, (call for call in calls if call.rule not in put_off)).asked
        """What is asked of every message."""
        later = plan(settings, (call for call in calls if call.rule in put_off))
        asked = [*later.shared, *(Asked(whole_message, (alone,)) for alone in later.alone)]
        self.on_demand: Mapping[int, Asked] = {
            rule: Asked(question, ((rule, test),)) for question, tests in asked for rule, test in tests
        }
        """Rule -> what is asked when somebody wants its value."""
        self._questions = tuple(question for question, _ in later.shared)
        """Those that may turn out to have no answer; in `_later` they come first."""
        self._later = []
        for _, tests in asked:
            rules = tuple(rule for rule, _ in tests)
            self._later.append(Later(rules, concerned(rules)))
        self._open = lru_cache(maxsize=64)(self._find_open)
        """Messages are alike in what is settled: whether they have HTML, for the most part."""

    def pending(self, values: Values) -> int:
        """Forgets the rules that may hit if somebody asks; gives the metas that hang on them."""
        # What was asked already for other rules may have settled these.
        rules, metas = self._open(values.unanswered(self._questions))
        values.forget(rules)
        return metas

    def _find_open(self, settled: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
        """The rules of all other questions, and the metas that hang on them."""
        left = [later for place, later in enumerate(self._later) if place not in settled]
        metas = 0
        for later in left:
            metas |= later.metas
        return tuple(rule for later in left for rule in later.rules), metas

    def failed(self, rule: int, error: Exception) -> None:
        """One bad function must not cost the message its other rules; the log says which to repair."""
        _log.error("the eval function of rule %s failed", self._names[rule], exc_info=error)
