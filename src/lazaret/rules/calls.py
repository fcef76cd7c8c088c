"""Rules that call eval functions: the listed ones are called for every message, sub-rules on demand."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache, partial
from typing import NamedTuple

from lazaret.rules.evals import Answer, Question, Settings, Test, whole_message
from lazaret.rules.evals.plan import Call, plan
from lazaret.rules.program import Program
from lazaret.rules.run import Run

_log = logging.getLogger(__name__)


class Later(NamedTuple):
    """A question that is asked on demand, and the rules that hang on it."""

    question: Question
    rules: tuple[int, ...]
    metas: int
    """Those that hang on these rules (see Settler)."""


class Calls:
    """The calls of a program. Not for two threads at once."""

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
        self._at_once = plan(settings, (call for call in calls if call.rule not in put_off)).asked
        later = plan(settings, (call for call in calls if call.rule in put_off))
        asked = [*later.shared, *((whole_message, (alone,)) for alone in later.alone)]
        self.demands: Mapping[int, Callable[[Run], None]] = {
            rule: partial(self._on_demand, question, rule, test)
            for question, tests in later.shared
            for rule, test in tests
        } | {rule: partial(self._by_itself, rule, test) for rule, test in later.alone}
        """Rule -> how its value is worked out."""
        self._later = []
        for question, tests in asked:
            rules = tuple(rule for rule, _ in tests)
            self._later.append(Later(question, rules, concerned(rules)))
        self._questions = tuple(shared.question for shared in later.shared)
        """Those that may turn out to have no answer; in `_later` they come first."""
        self._open = lru_cache(maxsize=64)(self._find_open)
        """Messages are alike in what is settled: whether they have HTML, for the most part."""

    def at_once(self, run: Run) -> None:
        """Calls what is called for every message. DeadlineError when the time is used up."""
        once, look_at_clock = run.subject.once, run.look_at_clock
        for question, tests in self._at_once:
            look_at_clock()
            try:
                found = once(question)
            except Exception:
                self._failed(rule for rule, _ in tests)
                continue
            for rule, test in tests if found is not None else ():
                try:
                    answer = test(found)
                except Exception:
                    self._failed([rule])
                    continue
                if answer:
                    _note(run, rule, answer)

    def pending(self, run: Run) -> int:
        """Forgets the rules that may hit if somebody asks; gives the metas that hang on them."""
        # What was asked already for other rules may have settled these.
        settled = run.subject.without_answer(self._questions)
        rules, metas = self._open(settled)
        run.values.forget(rules)
        return metas

    def _find_open(self, settled: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
        """The rules of all other questions, and the metas that hang on them."""
        left = [later for place, later in enumerate(self._later) if place not in settled]
        metas = 0
        for later in left:
            metas |= later.metas
        return tuple(rule for later in left for rule in later.rules), metas

    def _by_itself(self, rule: int, test: Test, run: Run) -> None:
        try:
            answer = test(run.subject)
        except Exception:
            self._failed([rule])
            return
        if answer:
            _note(run, rule, answer)

    def _on_demand(self, question: Question, rule: int, test: Test, run: Run) -> None:
        try:
            found = run.subject.once(question)
            answer = 0 if found is None else test(found)
        except Exception:
            self._failed([rule])
            return
        if answer:
            _note(run, rule, answer)

    def _failed(self, rules: Iterable[int]) -> None:
        """One bad function must not cost the message its other rules; the log says which to repair."""
        for rule in rules:
            _log.exception("the eval function of rule %s failed", self._names[rule])


def _note(run: Run, rule: int, answer: Answer) -> None:
    """The rule hits; an answer that is a text is shown to people."""
    run.values.set(rule, answer if not isinstance(answer, str) and answer > 0 else 1)
    if isinstance(answer, str):
        run.shown[rule] = answer
