"""A group of expressions and the texts they search: scanned at once, confirmed one by one where needed."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from lazaret.rules.book import Regex
from lazaret.rules.confirm import Confirm, MatchLimit, UnusableRegex
from lazaret.rules.database import Database
from lazaret.rules.program import Group, Program, Searched
from lazaret.rules.run import Run

_LOOKS_AT_CLOCK = 32
"""Texts between two looks at the clock."""


class Search:
    """A group ready to run. Not for two threads at once: a database has one scratch space."""

    __slots__ = ("_alone", "_confirms", "_database", "_found", "_names", "_rules", "group")

    def __init__(self, program: Program, group: Group) -> None:
        """DamagedDatabase when the database cannot be used on this machine."""
        self.group = group
        self._database = Database(group.database) if group.database else None
        self._alone = range(group.in_database, len(group.searched))
        self._rules = program.book.rules
        self._names = program.names
        self._confirms: list[Confirm | None] = [None] * len(group.searched)
        self._found: list[int] = []

    def header(self, run: Run, value: bytes) -> None:
        """Searches the value of a header field that is present."""
        for rule in self.group.exists:
            run.set(rule, 1)
        for searched in self.group.searched:
            if searched.when_absent or searched.negated:
                run.set(searched.rule, int(searched.negated))
        for searched, count in self._matches(run, value, 0):
            run.set(searched.rule, 0 if searched.negated else count)

    def parts(self, run: Run, values: Iterable[bytes | None]) -> None:
        """Searches a header field of each MIME part; None is a part without it.

        The first part that matches decides. A negated rule hits when no part matches.
        """
        matched: dict[int, int] = {}
        absent = False
        for value in values:
            if value is None:
                absent = True
                continue
            for searched, count in self._matches(run, value, 0):
                matched.setdefault(searched.rule, count)
        for searched in self.group.searched:
            count = matched.get(searched.rule, int(absent and searched.when_absent != searched.negated))
            run.set(searched.rule, int(not count) if searched.negated else count)

    def texts(self, run: Run, texts: Sequence[bytes]) -> None:
        """Searches each text by itself and adds up what is found."""
        found = self._found
        for index, text in enumerate(texts):
            if index % _LOOKS_AT_CLOCK == 0:
                run.look_at_clock()
            if self._database is not None:
                self._database.scan(text, found)
            if found or self._alone:
                for searched, count in self._confirmed(run, text, index):
                    self._add(run, searched, count)

    def matched(self, searched: Searched, text: bytes) -> bytes:
        """The first match in a text where the rule hit; the text itself when it cannot be cut out."""
        try:
            match = self._confirm(self.group.searched.index(searched)).search(text)
        except (MatchLimit, UnusableRegex):
            return text
        return bytes(match.group() or b"") if match else b""

    @staticmethod
    def _add(run: Run, searched: Searched, count: int) -> None:
        total = run.values[searched.rule] + count
        run.set(searched.rule, total if searched.max_hits is None else min(total, searched.max_hits))

    def _matches(self, run: Run, text: bytes, index: int) -> Iterable[tuple[Searched, int]]:
        """The rules that match, and how often as far as it matters. `index` 0 of the body is the subject."""
        found = self._found
        if self._database is not None:
            self._database.scan(text, found)
        return self._confirmed(run, text, index) if found or self._alone else ()

    def _confirmed(self, run: Run, text: bytes, index: int) -> list[tuple[Searched, int]]:
        found = self._found
        places = [*dict.fromkeys(found), *self._alone]
        found.clear()
        return [match for place in places if (match := self._match(run, place, text, index))]

    def _match(self, run: Run, place: int, text: bytes, index: int) -> tuple[Searched, int] | None:
        searched = self.group.searched[place]
        limit = searched.max_hits
        if searched.skips_subject and index == 0:
            return None
        if limit is not None and run.values[searched.rule] >= limit and not searched.negated:
            return None
        if searched.exact:
            run.where.setdefault(searched.rule, text)
            return searched, 1
        if searched.rule in run.spent:
            return None
        count = self._count(run, place, text)
        if not count:
            return None
        run.where.setdefault(searched.rule, text)
        return searched, count

    def _count(self, run: Run, place: int, text: bytes) -> int:
        """How often the expression matches, up to the rule's limit; 0 when it takes too long."""
        searched = self.group.searched[place]
        confirm = self._filled_in(run, place) if searched.needs else self._confirm(place)
        if confirm is None:
            return 0
        run.look_at_clock()
        count = 0
        try:
            if not searched.captures:
                return confirm.count(text, searched.max_hits)
            for match in islice(confirm.matches(text), searched.max_hits):
                count += 1
                for tag in searched.captures:
                    run.tags.setdefault(tag, []).append(match.group(tag) or b"")
        except MatchLimit:
            run.spent.add(searched.rule)
            run.exceeded = run.exceeded or f"{self._names[searched.rule]} took too many steps"
        except UnusableRegex:
            run.spent.add(searched.rule)
        return count

    def _confirm(self, place: int) -> Confirm:
        confirm = self._confirms[place]
        if confirm is None:
            confirm = self._confirms[place] = Confirm(self._regex(place))
        return confirm

    def _filled_in(self, run: Run, place: int) -> Confirm | None:
        """The expression with the texts of this message for its tags; None when there is none for one."""
        regex = self._regex(place)
        source = regex.source
        for tag in self.group.searched[place].needs:
            texts = [re.escape(text) for text in _texts_of(run, tag) if text]
            if not texts:
                return None
            source = source.replace(b"%{" + tag.encode() + b"}", b"(?:" + b"|".join(texts) + b")")
        return Confirm(Regex(source, regex.modifiers))

    def _regex(self, place: int) -> Regex:
        regex = self._rules[self._names[self.group.searched[place].rule]].regex
        assert regex is not None
        return regex


def _texts_of(run: Run, tag: str) -> Sequence[bytes]:
    """What was captured under the tag, or the values of the field for `HEADER(selector)`."""
    if tag.startswith("HEADER("):
        return (run.headers.get(tag[len("HEADER(") : -1]) or b"").split(b"\n")
    return run.tags.get(tag, ())
