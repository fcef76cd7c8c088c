"""What all rules that look at one view, or at one header field, search in a message."""

from collections.abc import Iterable, Sequence

from lazaret.rules import views
from lazaret.rules.program import Searched
from lazaret.rules.run import Run
from lazaret.rules.search import Search
from lazaret.rules.texts import Texts


class TextSearches:
    """Rules that look at the same texts of a message."""

    def __init__(self, searches: Sequence[Search]) -> None:
        self._each = [s for s in searches if s.group.reach == "each"]
        self._ascii = [s for s in searches if s.group.reach == "ascii"]
        self._other = [s for s in searches if s.group.reach == "other"]

    def over(self, run: Run, texts: Sequence[bytes]) -> None:
        """Searches the texts."""
        for search in self._each:
            search.each(run, texts)
        if self._ascii or self._other:
            self._together(run, Texts(texts))

    def _together(self, run: Run, texts: Texts) -> None:
        for searches, together in ((self._ascii, texts.ascii), (self._other, texts.other)):
            for search in searches if together.whole else ():
                search.together(run, together)


class FieldSearches:
    """Rules that look at the value of a header field, by one selector."""

    def __init__(self, searches: Sequence[Search]) -> None:
        self.selector = searches[0].group.selector
        self.key = f"header {self.selector}"
        searched = [s for search in searches for s in search.group.searched]
        exists = {rule for search in searches for rule in search.group.exists}
        self.rules = {s.rule for s in searched} | exists
        negated = {s.rule for s in searched if s.negated}
        self._at_first = [
            *((rule, 1) for rule in sorted(exists | negated)),
            *((s.rule, 0) for s in searched if s.when_absent and not s.negated),
        ]
        """Values when the field is there and nothing is found in it."""
        self._searches = TextSearches(searches)

    def run(self, run: Run) -> None:
        """Searches the value, if there is one."""
        value = run.headers.get(self.selector)
        if value is not None:
            set_value = run.values.set
            for rule, first in self._at_first:
                set_value(rule, first)
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
