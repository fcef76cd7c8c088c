"""What all rules that look at one view, or at one header field, search in a message."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from lazaret.rules import folding, kernel, views
from lazaret.rules.run import Run
from lazaret.rules.search import Search, confirm
from lazaret.rules.texts import Texts

_KINDS = ("plain", "strange", "ascii", "other")
"""Of texts (`texts.Texts`), as Finders of the kernel take them."""


Over = Callable[[Run, Sequence[bytes]], None]
"""Searches texts of a message."""


def over(searches: Sequence[Search], at_first: Sequence[tuple[int, float]] = ()) -> Over:
    """What searches the same texts for all these rules: in the kernel, if it can do all of it.

    `at_first`: rules, and their values where nothing is found in the texts.
    """
    each = [s for s in searches if s.group.reach == "each" and s.group.searched]
    of_kind = {kind: [s for s in searches if s.group.reach == kind] for kind in _KINDS}
    reaches = [tuple(s.finder for s in some) for some in (each, *of_kind.values())]
    if not kernel.compiled or any(finder is None for finders in reaches for finder in finders):
        return partial(_in_python, each, of_kind, at_first)
    made: Over = kernel.compiled.Finders(*reaches, tuple(at_first), folding.TABLE, confirm).over
    return made


def _in_python(
    each: Sequence[Search],
    of_kind: Mapping[str, Sequence[Search]],
    at_first: Iterable[tuple[int, float]],
    run: Run,
    texts: Sequence[bytes],
) -> None:
    for rule, value in at_first:
        run.values.set(rule, value)
    for search in each:
        search.each(run, texts)
    if any(of_kind.values()):
        of_kinds = Texts(texts)
        for kind, searches in of_kind.items():
            for search in searches:
                search.some(run, texts, getattr(of_kinds, kind))


class FieldSearches:
    """Rules that look at the value of a header field, by one selector."""

    def __init__(self, searches: Sequence[Search]) -> None:
        self.selector = searches[0].group.selector
        self.key = f"header {self.selector}"
        searched = [s for search in searches for s in search.group.searched]
        exists = {rule for search in searches for rule in search.group.exists}
        self.rules = {s.rule for s in searched} | exists
        negated = {s.rule for s in searched if s.negated}
        at_first = [
            *((rule, 1) for rule in sorted(exists | negated)),
            *((s.rule, 0) for s in searched if s.when_absent and not s.negated),
        ]
        self.over = over(searches, at_first)

    def run(self, run: Run) -> None:
        """Searches the value, if there is one."""
        value = run.headers[self.selector]
        if value is not None:
            self.over(run, (value,))


class PartSearches:
    """Rules that look at a header field of each MIME part.

    The first part that matches decides. A negated rule hits when no part matches.
    """

    def __init__(self, searches: Sequence[Search]) -> None:
        self.selector = searches[0].group.selector
        self.key = f"mimeheader {self.selector}"
        self._searches = searches
        searched = {s.rule: s for search in searches for s in search.group.searched}
        self.rules = set(searched)
        self._negated = {rule for rule, s in searched.items() if s.negated}
        self._when_absent = {rule for rule, s in searched.items() if s.when_absent != s.negated}
        """Rules that match where a part lacks the field."""

    def run(self, run: Run) -> None:
        """Searches the field of each part; None is a part without it."""
        run.look_at_clock()
        matched: dict[int, int] = {}
        absent = False
        for value in views.part_headers(run.message, self.selector):
            if value is None:
                absent = True
                continue
            for search in self._searches:
                for rule, count in search.counts(run, value):
                    if rule not in matched:
                        matched[rule] = count
                        run.where.setdefault(rule, value)
        if absent:
            matched = dict.fromkeys(self._when_absent, 1) | matched
        for rule, count in matched.items():
            if rule not in self._negated:
                run.values.set(rule, count)
        for rule in self._negated - matched.keys():
            run.values.set(rule, 1)
