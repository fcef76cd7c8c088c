"""Meta rules: planned once, and evaluated per message only where something could have changed.

The plan knows the value that every meta has when no rule hits. A meta is looked at again only when one of its
triggers differs from that: every rule that it mentions or, where it can be proved that it stays false without
them, fewer. (`A && B && C` stays false without A.)
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lazaret.rules import expression
from lazaret.rules.book import Book, Kind, Problem
from lazaret.rules.expression import ExpressionError, Node

Code = Callable[[list[float]], float]
"""Gives the value of a meta for the values of all rules."""


@dataclass(frozen=True, slots=True)
class Meta:
    """One meta rule in the order of evaluation."""

    rule: int
    source: str
    """Python source of its value; `v` is the list of the values of all rules."""
    triggers: tuple[int, ...]


def trees(book: Book) -> tuple[dict[str, Node], list[Problem]]:
    """The expression of every meta rule, and the rules whose expression is malformed."""
    parsed: dict[str, Node] = {}
    problems = []
    for rule in book.rules.values():
        if rule.kind is Kind.META:
            try:
                parsed[rule.name] = _expand(expression.parse(rule.text), book.rules.keys(), rule.name)
            except ExpressionError as error:
                problems.append(Problem(rule.file, rule.line, f"meta {rule.name}: {error}"))
    return parsed, problems


def order(parsed: Mapping[str, Node], active: Iterable[str]) -> list[str]:
    """The active metas, each after those it mentions.

    Left out, as SpamAssassin never evaluates them: metas in a cycle, and metas that mention one that is
    itself not evaluated (switched off with score 0, or left out).
    """
    wanted = {name for name in active if name in parsed}
    needs = {name: {n for n in expression.names(parsed[name]) if n in parsed} for name in wanted}
    users: dict[str, list[str]] = {}
    for name in sorted(wanted):
        for needed in needs[name]:
            users.setdefault(needed, []).append(name)
    ordered = sorted(name for name in wanted if not needs[name])
    for name in ordered:  # It grows while we go through it.
        for user in users.get(name, ()):
            needs[user].discard(name)
            if not needs[user]:
                ordered.append(user)
    return ordered


def plan(
    parsed: Mapping[str, Node], ordered: Iterable[str], numbers: Mapping[str, int], values: list[float]
) -> tuple[Meta, ...]:
    """The metas to evaluate. `values` holds what the other rules give when nothing hits; theirs are added."""
    planned = []
    for name in ordered:
        node = parsed[name]
        source = expression.to_python(node, lambda n: f"v[{numbers[n]}]" if n in numbers else "0")
        rule = numbers[name]
        values[rule] = evaluate(compiled(source), values)
        triggers = {numbers[n] for n in _triggers(node, numbers, values) if n in numbers}
        planned.append(Meta(rule, source, tuple(sorted(triggers))))
    return tuple(planned)


def compiled(source: str) -> Code:
    """The code of a meta's value, for `evaluate`."""
    return eval(f"lambda v: {source}", {"__builtins__": {}, "int": int, "sum": sum})  # type: ignore[no-any-return]


def evaluate(code: Code, values: list[float]) -> float:
    """Its value: 0 for a miss; a hit counts at least 1, whatever the arithmetic gives."""
    try:
        value = code(values)
    except (ArithmeticError, ValueError):
        return 0
    if not value:
        return 0
    return +value if value > 0 else 1


def _expand(node: Node, names: Iterable[str], own: str) -> Node:
    if node.operator == "call":
        if node.text != "rules_matching":
            raise ExpressionError(f"unknown function {node.text}")
        matching = tuple(Node("name", n) for n in names if n != own and fnmatchcase(n, node.argument))
        return Node("+", operands=(Node("number", "0"), *matching))
    if node.operator == "name" and node.text == "local_tests_only":
        return Node("number", "1")
    return Node(node.operator, node.text, node.argument, tuple(_expand(o, names, own) for o in node.operands))


def _triggers(node: Node, numbers: Mapping[str, int], values: list[float]) -> set[str]:
    """Rules of which one must differ from `values` for the node to become true, if it is false now."""
    everything = set(expression.names(node))
    if node.operator == "&&":
        false = [o for o in node.operands if not _value(o, numbers, values)]
        if false:
            return min((_triggers(o, numbers, values) for o in false), key=len)
    if node.operator == "||" and not _value(node, numbers, values):
        return set().union(*(_triggers(o, numbers, values) for o in node.operands))
    return everything


def _value(node: Node, numbers: Mapping[str, int], values: list[float]) -> float:
    source = expression.to_python(node, lambda n: f"v[{numbers[n]}]" if n in numbers else "0")
    return evaluate(compiled(source), values)
