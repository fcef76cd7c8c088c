"""Which questions are asked of a message for the rules that call eval functions, and who wants to know."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from lazaret.rules.evals import Question, Settings, Test, functions

_log = logging.getLogger(__name__)


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


def plan(settings: Settings, calls: Iterable[Call]) -> list[Asked]:
    """Each question once. Rules that can never hit under these settings are left out."""
    tests: dict[Question, list[tuple[int, Test]]] = {}
    for call in calls:
        function = functions()[call.function]
        test = _prepared(settings, call)
        if test is not None:
            tests.setdefault(function.question, []).append((call.rule, test))
    return [Asked(question, tuple(wanted)) for question, wanted in tests.items()]


def _prepared(settings: Settings, call: Call) -> Test | None:
    try:
        return functions()[call.function].prepare(settings, *call.arguments)
    except Exception:
        # Wrong arguments cost the rule that has them, and no other.
        _log.exception("the eval function of rule %s failed", call.name)
        return None
