"""Meta rules: planned once, and evaluated per message only where something could have changed.

The plan knows the value that every meta has when no rule hits. A listed meta is looked at again only when one
of its triggers differs from that: every rule that it builds on or, where it can be proved that it stays false
without them, fewer. (`A && B && C` stays false without A.) The others are worked out when a listed one asks.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Protocol

from lazaret.rules import expression
from lazaret.rules.book import Book, Kind, Problem
from lazaret.rules.deferral import Price
from lazaret.rules.expression import ExpressionError, Node


class Values(Protocol):
    """The value of each rule by its number; one that is not known yet is worked out when it is asked for."""

    def __getitem__(self, rule: int, /) -> float: ...


Code = Callable[[Values], float]
"""Gives the value of a meta for the values of all rules."""

_MOST_INLINED = 12
"""Names in a meta that is written out where another one mentions it."""

_MOST_LEVELS = 40
"""Metas that ask each other, one inside the other; every so many levels one is looked at in order."""

_LARGE = 1e15
"""Up to here a double tells whole numbers apart, and numbers are doubles in Perl."""


@dataclass(frozen=True, slots=True)
class Meta:
    """One meta rule in the order of evaluation."""

    rule: int
    source: str
    """Python source of its value; `v` is the values of all rules."""
    triggers: tuple[int, ...] | None
    """None: it is worked out when another meta asks for it."""


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
    parsed: Mapping[str, Node],
    ordered: Sequence[str],
    numbers: Mapping[str, int],
    values: list[float],
    prices: Mapping[str, Price],
    listed: Collection[str],
    single: Collection[str],
) -> tuple[Meta, ...]:
    """The metas to evaluate. `values` holds what the other rules give when nothing hits; theirs are added.

    `prices`: what looking at each other rule costs. `listed`: metas whose value is wanted in any case.
    `single`: rules that are never worth more than 1.
    """
    planner = _Planner(parsed, numbers, values, prices, _counted(parsed, listed), single)
    return tuple(planner.add(name, listed=name in listed) for name in ordered)


class _Planner:
    """What is known of the metas that were planned so far."""

    def __init__(
        self,
        parsed: Mapping[str, Node],
        numbers: Mapping[str, int],
        values: list[float],
        prices: Mapping[str, Price],
        counted: Collection[str],
        single: Collection[str],
    ) -> None:
        self._parsed = parsed
        self._numbers = numbers
        self._values = values
        self._wake = {name: price.wake for name, price in prices.items()}
        self._work = {name: price.work for name, price in prices.items()}
        self._changers: dict[str, frozenset[str]] = {}
        """Rules of which one must differ from its first value for this one to differ from its own."""
        self._levels: dict[str, int] = {}
        self._inlined: dict[str, Node] = {}
        self._counted = counted
        self._single = set(single)

    def add(self, name: str, *, listed: bool) -> Meta:
        node = self._guarded(self._parsed[name])
        if self._is_single(node):
            self._single.add(name)
        rule = self._numbers[name]
        mentioned = [n for n in expression.names(node) if n in self._numbers]
        self._values[rule] = self._value(node)
        self._changers[name] = changers = frozenset(self._triggers(node))
        level = 1 + max((self._levels.get(n, 0) for n in mentioned), default=0)
        settled = listed or level > _MOST_LEVELS
        self._levels[name] = 0 if settled else level
        self._work[name] = 0 if settled else sum(self._work[n] for n in mentioned)
        arranged = self._arranged(node, truth=not listed and name not in self._counted)
        if (
            not settled
            and len(mentioned) <= _MOST_INLINED
            and not any(n.operator == "/" for n in arranged.walk())
        ):
            self._inlined[name] = arranged
        triggers = tuple(sorted(self._numbers[n] for n in changers)) if settled else None
        return Meta(rule, expression.to_python(arranged, self._spelled), triggers)

    def _spelled(self, name: str) -> str:
        return f"v[{self._numbers[name]}]" if name in self._numbers else "0"

    def _guarded(self, node: Node) -> Node:
        """The same, where a sum that must exceed a number waits until some of its terms have hit.

        `A + B + C + D > 2` is false while A and B are 0, if C and D, which take longest, are at most 1.
        """
        node = replace(node, operands=tuple(map(self._guarded, node.operands)))
        match node:
            case Node(">" | ">=", operands=(Node("+", operands=terms), Node("number", limit))):
                most = int(min(float(limit), len(terms))) - (node.operator == ">=")
                single = [place for place, term in enumerate(terms) if self._is_single(term)]
                single.sort(key=lambda place: self._price(terms[place]), reverse=True)
                dear = single[: max(most, 0)]
                others = tuple(term for place, term in enumerate(terms) if place not in dear)
                if others and any(self._price(terms[place]) for place in dear):
                    return Node("&&", operands=(Node("||", operands=others), node))
        return node

    def _is_single(self, node: Node) -> bool:
        """Whether its value is never more than 1."""
        match node.operator:
            case "number":
                return float(node.text) <= 1
            case "name":
                return node.text in self._single or node.text not in self._numbers
            case "&&":
                return self._is_single(node.operands[-1])
            case "||":
                return all(map(self._is_single, node.operands))
            case "?":
                return all(map(self._is_single, node.operands[1:]))
            case operator:
                return operator in ("!", ">", "<", ">=", "<=", "==", "!=")

    def _arranged(self, node: Node, *, truth: bool) -> Node:
        """The same, with the cheap operands first. `truth`: it only matters whether the value is 0."""
        match node.operator:
            case "&&":
                *others, last = node.operands
                last = self._arranged(last, truth=truth)
                cheap = sorted([*(self._arranged(o, truth=True) for o in others), last], key=self._price)
                # Its value is that of the last operand, which may be a count.
                return Node("&&", operands=tuple(cheap) if truth or cheap[-1] is last else (*cheap, last))
            case "||":
                arranged = [self._arranged(o, truth=truth) for o in node.operands]
                return Node("||", operands=tuple(sorted(arranged, key=self._price) if truth else arranged))
            case "!":
                return Node("!", operands=(self._arranged(node.operands[0], truth=True),))
            case "name" if truth:
                # As good as asking for it, and much quicker.
                return self._inlined.get(node.text, node)
            case "?":
                condition, *results = node.operands
                kept = (self._arranged(r, truth=truth) for r in results)
                return Node("?", operands=(self._arranged(condition, truth=True), *kept))
            case _:
                kept = (self._arranged(o, truth=False) for o in node.operands)
                return Node(node.operator, node.text, node.argument, tuple(kept))

    def _price(self, node: Node) -> int:
        return sum(self._work.get(name, 0) for name in expression.names(node))

    def _triggers(self, node: Node) -> set[str]:
        """Rules of which one must change for the node to change."""
        if node.operator == "&&":
            false = [o for o in node.operands if not self._value(o)]
            if false:
                return min(map(self._triggers, false), key=self._worth)
        if node.operator == "||" and not self._value(node):
            return set().union(*map(self._triggers, node.operands))
        return set().union(*(self._changers_of(name) for name in expression.names(node)))

    def _changers_of(self, name: str) -> frozenset[str]:
        return self._changers.get(name, frozenset([name]) if name in self._numbers else frozenset())

    def _worth(self, names: set[str]) -> tuple[int, int]:
        return sum(self._wake[name] for name in names), len(names)

    def _value(self, node: Node) -> float:
        return evaluate(compiled(expression.to_python(node, self._spelled)), self._values)


def _counted(parsed: Mapping[str, Node], listed: Collection[str]) -> set[str]:
    """The names whose value matters somewhere, not only whether it is 0: that of a listed meta does."""
    counted: set[str] = set()
    waiting = [(node, name not in listed) for name, node in parsed.items()]
    while waiting:
        node, truth = waiting.pop()
        match node.operator:
            case "name" if not truth and node.text not in counted:
                counted.add(node.text)
                if node.text in parsed:
                    waiting.append((parsed[node.text], False))
            case "&&":
                waiting += [(o, True) for o in node.operands[:-1]] + [(node.operands[-1], truth)]
            case "||":
                waiting += [(o, truth) for o in node.operands]
            case "!":
                waiting.append((node.operands[0], True))
            case "?":
                waiting += [(node.operands[0], True), *((o, truth) for o in node.operands[1:])]
            case _:
                waiting += [(o, False) for o in node.operands]
    return counted


def compiled(source: str) -> Code:
    """The code of a meta's value, for `evaluate`."""
    return eval(f"lambda v: {source}", {"__builtins__": {}, "int": int, "sum": sum})  # type: ignore[no-any-return]


def evaluate(code: Code, values: Values) -> float:
    """Its value: 0 for a miss; a hit counts at least 1, whatever the arithmetic gives."""
    try:
        value = code(values)
        if value > _LARGE:
            return float(value)
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
