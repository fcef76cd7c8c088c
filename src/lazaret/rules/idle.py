"""Why is this rule not run? For people who wonder what becomes of their rule files."""

from collections.abc import Callable, Container, Iterable

from lazaret.rules.book import Book, Kind, Rule
from lazaret.rules.evals import network

_NEEDS = {"net": "needs the network", "learn": "needs the learner"}
"""Flags of eval rules: what they ask is asked by checks of their own here."""


def reason(book: Book, name: str, run: Container[str], mentioned: Callable[[str], Iterable[str]]) -> str:
    """A few words; "" for a rule that is run.

    `run`: the names of the rules that are run. `mentioned`: the names in the expression of a meta.
    """
    if name in run:
        return ""
    if book.score(name) == 0:
        return "score is 0"
    return (
        _own_needs(book, book.rules[name])
        or _problem(book, name)
        or _ground(book, run, mentioned(name))
        or "no rule that is run depends on it"
    )


def _problem(book: Book, name: str) -> str:
    """What was said of it when it was compiled."""
    for problem in book.problems:
        about, _, text = problem.text.partition(": ")
        if about in (name, f"meta {name}"):
            return text
    return ""


def _own_needs(book: Book, rule: Rule) -> str:
    if rule.kind not in (Kind.EVAL, Kind.EMPTY):
        return ""
    for flag in book.flags.get(rule.name, ()):
        if flag in _NEEDS:
            return _NEEDS[flag]
    if rule.function in network.NEEDS:
        return network.NEEDS[rule.function]
    return "has no test of its own" if rule.kind is Kind.EMPTY else ""


def _ground(book: Book, run: Container[str], mentioned: Iterable[str]) -> str:
    """SpamAssassin never evaluates a meta that mentions a meta that is not evaluated."""
    for name in mentioned:
        rule = book.rules.get(name)
        if rule is not None and rule.kind is Kind.META and name not in run:
            why = "whose score is 0" if book.score(name) == 0 else "which is not run"
            return f"depends on {name}, {why}"
    return ""
