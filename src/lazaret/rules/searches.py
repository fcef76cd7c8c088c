"""What all rules that look at one view, or at one header field, search in a message."""

from collections.abc import Iterable, Sequence
from typing import Any

from lazaret.rules import folding, kernel, views
from lazaret.rules.program import Searched
from lazaret.rules.run import Run
from lazaret.rules.search import Search, confirm
from lazaret.rules.texts import Texts

_KINDS = ("plain", "strange", "ascii", "other")
"""Of texts (`texts.Texts`), as Finders of the kernel take them."""


class TextSearches:
    """Rules that look at the same texts of a message."""

    def __init__(self, searches: Sequence[Search], at_first: Sequence[tuple[int, float]] = ()) -> None:
        """`at_first`: rules, and their values where nothing is found in the texts."""
        self._at_first = tuple(at_first)
        self._each = [s for s in searches if s.group.reach == "each" and s.group.searched]
        self._of_kind = {kind: [s for s in searches if s.group.reach == kind] for kind in _KINDS}
        self._in_kernel = self._finders()

    def _finders(self) -> Any:
        """All of it in the kernel; None where there is none, or it cannot do one of the searches."""
        reaches = [tuple(s.finder for s in searches) for searches in (self._each, *self._of_kind.values())]
        if not kernel.compiled or any(finder is None for finders in reaches for finder in finders):
            return None
        return kernel.compiled.Finders(*reaches, self._at_first, folding.TABLE)

    def over(self, run: Run, texts: Sequence[bytes]) -> None:
        """Searches the texts."""
        if self._in_kernel is not None:
            for candidate in self._in_kernel.over(tuple(texts), run.values) or ():
                confirm(run, candidate)
            return
        for rule, value in self._at_first:
            run.values.set(rule, value)
        for search in self._each:
            search.each(run, texts)
        if any(self._of_kind.values()):
            of_kinds = Texts(texts)
            for kind, searches in self._of_kind.items():
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
        self._searches = TextSearches(searches, at_first)

    def run(self, run: Run) -> None:
        """Searches the value, if there is one."""
        value = run.headers.get(self.selector)
        if value is not None:
            self._searches.over(run, (value,))


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
            for searched, count in self._found(run, value):
                if searched.rule not in matched:
                    matched[searched.rule] = count
                    run.where.setdefault(searched.rule, value)
        if absent:
            matched = dict.fromkeys(self._when_absent, 1) | matched
        for rule, count in matched.items():
            if rule not in self._negated:
                run.values.set(rule, count)
        for rule in self._negated - matched.keys():
            run.values.set(rule, 1)

    def _found(self, run: Run, value: bytes) -> Iterable[tuple[Searched, int]]:
        return (found for search in self._searches for found in search.counts(run, value))
