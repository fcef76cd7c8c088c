"""What all rules that look at one view, or at one header field, search in a message."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from lazaret.mime import selectors
from lazaret.rules import folding, kernel, views
from lazaret.rules.run import Run
from lazaret.rules.search import Search, confirm
from lazaret.rules.texts import Texts

_TEXTS_REMEMBERED = 1024
"""Of a view: what the databases found in so many short texts is kept for the next messages, which have a
quarter of their lines and two thirds of their links from those."""

_VALUES_REMEMBERED = 64
"""Of a header field. There are many fields, and most have a few values or one for each message."""

Over = Callable[[Run, Sequence[bytes]], None]
"""Searches texts of a message."""


def over(searches: Sequence[Search]) -> Over:
    """What searches the same texts for all these rules."""
    finders = _finders(searches)
    made: Over = finders.over if finders else partial(_in_python, searches, ())
    return made


def _finders(
    searches: Sequence[Search], at_first: Iterable[tuple[int, float]] = (), selector: str = ""
) -> Any:
    """All of it in the kernel; None where there is none, or it cannot do one of the searches.

    `at_first`: rules, and their values where nothing is found in the texts. `selector`: of a header field.
    """
    reaches = [tuple(s.finder for s in some) for some in _by_reach(searches).values()]
    if not kernel.compiled or any(finder is None for finders in reaches for finder in finders):
        return None
    reader = selectors.text_reader(selector) if selector else None
    remembered = _VALUES_REMEMBERED if selector else _TEXTS_REMEMBERED
    return kernel.compiled.Finders(
        *reaches, tuple(at_first), folding.TABLE, confirm, selector, reader, remembered
    )


def _by_reach(searches: Sequence[Search]) -> Mapping[str, Sequence[Search]]:
    """Those of each text, and those of the texts of each kind (`texts.Texts`), as the kernel takes them."""
    return {
        reach: [s for s in searches if s.group.reach == reach and s.group.searched]
        for reach in ("each", "plain", "strange", "ascii", "other")
    }


def _in_python(
    searches: Sequence[Search], at_first: Iterable[tuple[int, float]], run: Run, texts: Sequence[bytes]
) -> None:
    for rule, value in at_first:
        run.values.set(rule, value)
    kinds = Texts(texts)
    for reach, some in _by_reach(searches).items():
        for search in some:
            if reach == "each":
                search.each(run, texts)
            else:
                search.some(run, texts, getattr(kinds, reach))


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
        finders = _finders(searches, at_first, self.selector)
        self.run: Callable[[Run], None] = (
            finders.in_field if finders else partial(_in_field, self.selector, searches, at_first)
        )
        """Searches the value, if there is one."""


def _in_field(
    selector: str, searches: Sequence[Search], at_first: Iterable[tuple[int, float]], run: Run
) -> None:
    value = run.headers[selector]
    if value is not None:
        _in_python(searches, at_first, run, (value,))


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
        self.needs = None if self._negated or self._when_absent else views.part_field(self.selector)
        """The name of a field, where nothing is found if no part has it."""

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
