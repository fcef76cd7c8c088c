"""Which questions are asked of a message for the rules that call eval functions, and who wants to know."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from lazaret.rules.evals import Question, Settings, Test, functions, whole_message

_log = logging.getLogger(__name__)
_BETWEEN_LOOKS = 4


class Call(NamedTuple):
    """A rule that calls an eval function."""

    rule: int
    name: str
    """Of the rule."""
    function: str
    arguments: tuple[str, ...]


class Asked(NamedTuple):
    """A question and the rules that hang on it, each with its test of what is found."""

    question: Question
    tests: tuple[tuple[int, Test], ...]


class Plan(NamedTuple):
    """Rules that can never hit under the settings are left out."""

    shared: tuple[Asked, ...]
    """Each question once, whoever asks it."""
    alone: tuple[tuple[int, Test], ...]
    """The rules whose functions are given the message and do all the work themselves."""

    @property
    def asked(self) -> tuple[Asked, ...]:
        """All questions; those who do the work themselves get the message for an answer, a few at a time,
        so that the clock is looked at between them."""
        some = (
            self.alone[start : start + _BETWEEN_LOOKS] for start in range(0, len(self.alone), _BETWEEN_LOOKS)
        )
        return (*self.shared, *(Asked(whole_message, tests) for tests in some))


def plan(settings: Settings, calls: Iterable[Call]) -> Plan:
    """Who has to be called for every message."""
    shared: dict[Question, list[tuple[int, Test]]] = {}
    alone: list[tuple[int, Test]] = []
    for call in calls:
        question = functions()[call.function].question
        test = _prepared(settings, call)
        if test is None:
            continue
        tests = alone if question is whole_message else shared.setdefault(question, [])
        tests.append((call.rule, test))
    return Plan(tuple(Asked(question, tuple(tests)) for question, tests in shared.items()), tuple(alone))


def _prepared(settings: Settings, call: Call) -> Test | None:
    try:
        return functions()[call.function].prepare(settings, *call.arguments)
    except Exception:
        # Wrong arguments cost the rule that has them, and no other.
        _log.exception("the eval function of rule %s failed", call.name)
        return None
