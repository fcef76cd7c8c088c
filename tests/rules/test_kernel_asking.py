"""Eval functions are asked in the compiled kernel as in plain Python."""

import math
from typing import Any

import pytest

from lazaret.mime import message
from lazaret.rules import kernel
from lazaret.rules.evals import Settings, Subject
from lazaret.rules.evals.plan import Asked
from lazaret.rules.settle import Settler
from lazaret.rules.values import Found, Outset
from lazaret.rules.views import HeaderValues

from .kernels import needs_kernel, never, outset_of


class Asking:
    """A message of 3 octets, of which questions are asked: in the kernel and without it."""

    def __init__(self, *asked: Asked, in_python: bool = False) -> None:
        self.failed: list[tuple[int, str]] = []
        self.shown: dict[int, str] = {}
        raw = message.parse(b"abc")
        self.subject = Subject(raw, Settings({}), HeaderValues(raw), 0.0)
        outset = Outset(
            names=tuple(f"R{n}" for n in range(9)),
            first=(0.0,) * 9,
            waiting=frozenset({8}),
            kept=frozenset(),
            metas=(),
            asked={
                rule: Asked(question, ((rule, test),)) for question, tests in asked for rule, test in tests
            },
            failed=lambda rule, error: self.failed.append((rule, str(error))),
        )
        start = outset.in_python(Settler((), 9)) if in_python else outset.start()
        self.found = Found({}, (), self.look, math.inf, self.shown, self.subject)
        self.values = start(self.work_out, self.found)

    def look(self) -> None:
        """There is always time."""

    def work_out(self, rule: int) -> None:
        """As the evaluator does where the kernel does not."""
        self.values.ask((self.values._outset.asked[rule],))  # type: ignore[attr-defined]


def length(subject: Subject) -> int:
    return len(subject.message.raw)


def nothing(_subject: Subject) -> None:
    return None


def broken(_found: object) -> int:
    raise ZeroDivisionError("broken")


ASKED = (
    Asked(length, ((0, lambda n: n == 3), (1, lambda n: n), (2, lambda n: -n), (3, lambda n: n > 3))),
    Asked(nothing, ((4, broken),)),
    Asked(length, ((5, broken), (6, lambda n: f"{n} octets"), (7, lambda _: ""))),
    Asked(broken, ((8, lambda _: 1),)),
)


@pytest.mark.parametrize("in_python", [True, pytest.param(False, marks=needs_kernel)])
def test_questions_are_asked_and_their_answers_are_values(in_python: bool) -> None:
    asking = Asking(*ASKED, in_python=in_python)
    asking.values.ask(ASKED)
    assert {"R0": 1, "R1": 3, "R2": 1, "R6": 1} == asking.values.hits()
    assert {6: "3 octets"} == asking.shown
    assert [(5, "broken"), (8, "broken")] == asking.failed
    assert (1,) == asking.values.unanswered((length, nothing, broken))


@pytest.mark.parametrize("in_python", [True, pytest.param(False, marks=needs_kernel)])
def test_questions_are_asked_when_somebody_wants_to_know(in_python: bool) -> None:
    asking = Asking(*ASKED, in_python=in_python)
    asking.values.forget(range(9))
    assert [1, 3, 1, 0, 0, 0, 1, 0, 0] == [asking.values[rule] for rule in range(9)]
    assert [(5, "broken"), (8, "broken")] == asking.failed


@pytest.mark.parametrize("in_python", [True, pytest.param(False, marks=needs_kernel)])
def test_a_question_is_asked_once(in_python: bool) -> None:
    times: list[Subject] = []
    asked = (Asked(lambda s: times.append(s) or 1, ((0, bool), (1, bool))),) * 2
    asking = Asking(in_python=in_python)
    asking.values.ask(asked)
    assert {"R0": 1, "R1": 1} == asking.values.hits()
    assert [asking.subject] == times


@pytest.mark.parametrize("in_python", [True, pytest.param(False, marks=needs_kernel)])
def test_no_function_that_fails_holds_up_a_shutdown(in_python: bool) -> None:
    def stopped(_found: object) -> int:
        raise KeyboardInterrupt

    for asked in ((Asked(stopped, ((0, bool),)),), (Asked(length, ((0, stopped),)),)):
        with pytest.raises(KeyboardInterrupt):
            Asking(in_python=in_python).values.ask(asked)


@needs_kernel
@pytest.mark.parametrize("asked", [None, (1,), ((1, 2),), ((length, (1,)),), ((length, ((1,),)),)])
def test_what_is_no_question_is_refused(asked: Any) -> None:
    with pytest.raises(TypeError):
        Asking().values.ask(asked)
    with pytest.raises(TypeError):
        outset_of((0.0,), (), (), asked=((0, asked),))


@needs_kernel
def test_tests_of_no_rule_are_refused() -> None:
    for rule in (-1, 9):
        with pytest.raises(IndexError):
            Asking().values.ask(((length, ((rule, bool),)),))
    with pytest.raises(IndexError):
        outset_of((0.0,), (), (), asked=((1, (length, ())),))


@needs_kernel
def test_where_there_is_no_message_nothing_is_asked() -> None:
    found = kernel.compiled.Values(outset_of((0.0,), (), ()), never)
    with pytest.raises(TypeError):
        found.ask(((length, ((0, bool),)),))
    with pytest.raises(TypeError):
        found.unanswered((length,))
