"""The compiled inner loops (kernel.c), where they could be built, and metas in the form that they take."""

import ast
from typing import Any, Protocol

from lazaret.model.compiled import load

INTERFACE = 9
_STACK = 60
_LARGEST = 1e9
"""Of the numbers in a meta: what it adds up stays a whole number that a double holds exactly."""

_NUMBER, _RULE, _AND, _OR, _NOT, _GT, _LT, _GE, _LE, _EQ, _NE, _ADD, _SUB, _UNLESS, _GOTO = range(15)
_COMPARED = {ast.Gt: _GT, ast.Lt: _LT, ast.GtE: _GE, ast.LtE: _LE, ast.Eq: _EQ, ast.NotEq: _NE}


compiled = load("lazaret.rules._kernel", INTERFACE)
"""None: everything runs in Python, with the same results."""


class Finder(Protocol):
    """A group of expressions (`search.Search`); numbers are those of the expressions."""

    def find(self, text: bytes, /) -> list[int]:
        """What matches, each once."""

    def make_ready(self) -> None:
        """Makes all matchers now: each is otherwise made when it is first needed."""

    def first(self, place: int, text: bytes, /) -> bytes | None:
        """The first match of an expression; None where there is none, or `Confirm.first` has to find out."""


def flags(
    *,
    settled: bool,
    put_off: bool,
    counted: bool,
    negated: bool,
    skips_subject: bool,
    exact: bool,
    by_python: bool,
) -> int:
    """What a rule wants of its expression, as a Finder takes it (`enum flag` in kernel_find.h)."""
    each = (settled, put_off, counted, negated, skips_subject, exact, by_python)
    return sum(1 << bit for bit, flag in enumerate(each) if flag)


class _OutOfRange(ValueError):
    """What Python has to work out."""


def code(source: str) -> Any:
    """The program of a meta (`Meta.source`); None: other operators or numbers, left to Python."""
    steps: list[tuple[int, int]] = []
    try:
        _append(ast.parse(source, mode="eval").body, steps)
        return compiled.Code(tuple(steps))
    except (_OutOfRange, RecursionError, ValueError):
        return None


def _append(node: ast.expr, steps: list[tuple[int, int]]) -> None:
    match node:
        case ast.Constant(int() | float() as number) if number <= _LARGEST and number == int(number):
            steps.append((_NUMBER, int(number)))
        case ast.Subscript(slice=ast.Constant(int() as rule)):
            steps.append((_RULE, rule))
        case ast.BoolOp(operator, values):
            _append_chain(_AND if isinstance(operator, ast.And) else _OR, values, steps)
        case ast.UnaryOp(ast.Not(), operand):
            _append(operand, steps)
            steps.append((_NOT, 0))
        case ast.Compare(left, [operator], [right]) if type(operator) in _COMPARED:
            _append(left, steps)
            _append(right, steps)
            steps.append((_COMPARED[type(operator)], 0))
        case ast.BinOp(left, ast.Add() | ast.Sub() as operator, right):
            _append(left, steps)
            _append(right, steps)
            steps.append((_ADD if isinstance(operator, ast.Add) else _SUB, 0))
        case ast.Call(ast.Name("sum"), [ast.Tuple([first, *others])]):
            _append(first, steps)
            for other in others:
                _append(other, steps)
                steps.append((_ADD, 0))
        case ast.IfExp(test, yes, no):
            _append_choice(test, yes, no, steps)
        case _:
            raise _OutOfRange


def _append_chain(operation: int, values: list[ast.expr], steps: list[tuple[int, int]]) -> None:
    """Each value but the last may be the end of it."""
    places = []
    for value in values[:-1]:
        _append(value, steps)
        places.append(len(steps))
        steps.append((operation, 0))
    _append(values[-1], steps)
    for place in places:
        steps[place] = (operation, len(steps))


def _append_choice(test: ast.expr, yes: ast.expr, no: ast.expr, steps: list[tuple[int, int]]) -> None:
    _append(test, steps)
    unless = len(steps)
    steps.append((_UNLESS, 0))
    _append(yes, steps)
    goto = len(steps)
    steps.append((_GOTO, 0))
    steps[unless] = (_UNLESS, len(steps))
    _append(no, steps)
    steps[goto] = (_GOTO, len(steps))
