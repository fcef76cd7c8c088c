"""Checking rule files: what could not be used, and the `test NAME ok|fail text` lines beside the rules."""

from collections.abc import Sequence
from pathlib import Path

from lazaret.rules import sources, syntax
from lazaret.rules.book import Book, Problem, SelfTest
from lazaret.rules.compile import compile_book
from lazaret.rules.confirm import Confirm, MatchLimit, UnusableRegex


def lint(paths: Sequence[Path], *, shipped: bool = False) -> list[Problem]:
    """Everything that is wrong with the files, in reading order; an empty list when all is well."""
    book = syntax.parse(sources.read(paths, shipped=shipped))
    program = compile_book(book, keep_subrules=True)
    return [*program.book.problems, *_loose_ends(book), *run_tests(book)]


def run_tests(book: Book) -> list[Problem]:
    """The tests that fail. A text is what the rule sees (a line, a header value, a URI), and a newline."""
    return [problem for test in book.tests if (problem := _run(book, test)) is not None]


def _run(book: Book, test: SelfTest) -> Problem | None:
    rule = book.rules.get(test.rule)
    if rule is None:
        return Problem(test.file, test.line, f"test of {test.rule}, which is not defined")
    if rule.regex is None:
        return Problem(test.file, test.line, f"test of {test.rule}, which has no expression")
    try:
        hit = (Confirm(rule.regex).search(test.text + b"\n") is not None) != rule.negated
    except (MatchLimit, UnusableRegex) as error:
        return Problem(test.file, test.line, f"test of {test.rule}: {error or 'took too many steps'}")
    if hit == test.expected:
        return None
    text = test.text.decode("utf-8", "replace")
    return Problem(test.file, test.line, f"{test.rule} {'hits' if hit else 'does not hit'}: {text}")


def _loose_ends(book: Book) -> list[Problem]:
    """Listed rules without a description: their hit would explain nothing to anyone."""
    return [
        Problem(rule.file, rule.line, f"{name} has no description")
        for name, rule in book.rules.items()
        if not name.startswith(("__", "T_")) and book.score(name) and name not in book.descriptions
    ]
