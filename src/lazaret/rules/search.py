"""A group of expressions and the texts they search: scanned at once, confirmed one by one where needed."""

import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from itertools import islice

from lazaret.rules import kernel
from lazaret.rules.book import Regex
from lazaret.rules.confirm import Confirm, MatchLimit, UnusableRegex
from lazaret.rules.database import Database
from lazaret.rules.kernel import Finder
from lazaret.rules.program import Group, Program
from lazaret.rules.run import Run
from lazaret.rules.texts import Numbered

_LOOKS_AT_CLOCK = 32
"""Texts between two looks at the clock."""

_USUAL_LENGTH = 500
"""Of an expression in which the texts of a message stand: longer ones are not kept for the next message."""

Candidate = tuple["Search", int, Sequence[bytes], int]
"""Texts in which the expression at a place of a group may match, and the place in the view of the first
(which may be the subject); nobody has asked yet whether it does."""


class Search:
    """A group ready to run. Not for two threads at once: a database has one scratch space."""

    __slots__ = (
        "_alone",
        "_alone_at_once",
        "_alone_later",
        "_at_any_rate",
        "_confirms",
        "_counted",
        "_database",
        "_found",
        "_names",
        "_numbers",
        "_once",
        "_put_off",
        "_rules",
        "_settled",
        "finder",
        "group",
    )

    def __init__(self, program: Program, group: Group, put_off: Collection[int]) -> None:
        """DamagedDatabase when the database cannot be used on this machine.

        `put_off`: rules whose matches are confirmed when somebody asks for their value.
        """
        self.group = group
        self._database = Database(group.database) if group.database else None
        alone = range(group.in_database, len(group.searched))
        """Rules that nothing is known of before their expressions are run."""
        self._rules = program.book.rules
        self._names = program.names
        self._put_off = [
            s.rule in put_off and not (s.exact or s.negated or s.when_absent) for s in group.searched
        ]
        self._numbers = [s.rule for s in group.searched]
        self._settled = [s.exact and not (s.negated or s.skips_subject) for s in group.searched]
        """Rules for which a match in the database is a hit."""
        self._once = [
            s.max_hits == 1 and not (s.negated or s.skips_subject or s.captures or s.needs)
            for s in group.searched
        ]
        """Rules for which it is enough to find one text that matches."""
        self._counted = [
            s.max_hits != 1 and not (s.negated or s.skips_subject or s.captures or s.needs)
            for s in group.searched
        ]
        """Rules that count the matches in all texts."""
        self._alone_later = [place for place in alone if self._put_off[place]]
        now = [place for place in alone if not self._put_off[place]]
        self._alone_at_once = [place for place in now if self._once[place] or self._counted[place]]
        self._alone = [place for place in now if not (self._once[place] or self._counted[place])]
        """Those that can wait, those that look at all texts, and those that take one text after the other."""
        self._at_any_rate = [*self._alone, *self._alone_at_once, *self._alone_later]
        self._confirms: list[Confirm | None] = [None] * len(group.searched)
        self._found: list[int] = []
        self.finder = self._compiled_finder()

    def _compiled_finder(self) -> Finder | None:
        """Does the work of `each` and `some` in the kernel; None where there is none, or texts are
        searched one after the other without a database."""
        if self._alone or not kernel.compiled:
            return None
        scan, scratch = self._database.parts if self._database else (None, None)
        return kernel.compiled.Finder(  # type: ignore[no-any-return]
            scan,
            scratch,
            tuple(self._kernel_place(place) for place in range(len(self._numbers))),
            (*self._alone_later, *self._alone_at_once),
            self,
            self._matcher,
        )

    def _kernel_place(self, place: int) -> tuple[int, int, int]:
        searched = self.group.searched[place]
        flags = kernel.flags(
            settled=self._settled[place],
            put_off=self._put_off[place],
            counted=self._counted[place],
            negated=searched.negated,
            skips_subject=searched.skips_subject,
            exact=searched.exact and not self._settled[place],
            by_python=bool(searched.captures or searched.needs),
        )
        return searched.rule, flags, -1 if searched.max_hits is None else searched.max_hits

    def _matcher(self, place: int) -> object | None:
        return self._confirm(place).matcher(counts=self.group.searched[place].max_hits != 1)

    def make_ready(self) -> None:
        """Compiles the expressions, so that no message waits for it."""
        if self.finder is not None:
            self.finder.make_ready()
            return
        for place, searched in enumerate(self.group.searched):
            if not searched.needs:
                with suppress(UnusableRegex):
                    self._confirm(place).compile()

    def each(self, run: Run, texts: Sequence[bytes]) -> None:
        """Searches each text by itself and adds up what is found. The kernel does it in Finders."""
        for place in (*self._alone_later, *self._alone_at_once):
            self._settle(run, (self, place, texts, 0))
        self._search(run, texts, enumerate(texts if self._database is not None or self._alone else ()))

    def some(self, run: Run, texts: Sequence[bytes], searched: Numbered) -> None:
        """Searches some of the texts, or what stands in their places."""
        for place in (*self._alone_later, *self._alone_at_once):
            for number, _ in searched:
                self._settle(run, (self, place, texts[number : number + 1], number))
        self._search(run, texts, searched)

    def _settle(self, run: Run, candidate: Candidate) -> None:
        if self._put_off[candidate[1]]:
            run.values.put_off(self._numbers[candidate[1]], candidate)
        else:
            confirm(run, candidate)

    def _search(self, run: Run, texts: Sequence[bytes], searched: Iterable[tuple[int, bytes]]) -> None:
        found = self._found
        later: dict[int, list[int]] = {}
        for count, (number, text) in enumerate(searched):
            if count % _LOOKS_AT_CLOCK == _LOOKS_AT_CLOCK - 1:
                run.look_at_clock()
            if self._database is not None:
                self._database.scan(text, found)
            if found or self._alone:
                self._note(run, number, texts[number], later)
        for place, numbers in later.items():
            run.values.put_off(
                self._numbers[place], (self, place, [texts[number] for number in numbers], numbers[0])
            )

    def counts(self, run: Run, text: bytes) -> list[tuple[int, int]]:
        """The rules that match in a text, and how often as far as it matters; no value is set."""
        return [
            (self._numbers[place], count)
            for place in self._places(text)
            if (count := self._matches(run, place, text))
        ]

    def matched(self, place: int, text: bytes) -> bytes:
        """The first match in a text where the rule hit; the text itself when it cannot be cut out."""
        found = None
        if self.finder is not None and not self.group.searched[place].needs:
            found = self.finder.first(place, text)
        try:
            return found if found is not None else self._confirm(place).first(text) or b""
        except (MatchLimit, UnusableRegex):
            return text

    def _places(self, text: bytes) -> Sequence[int]:
        """The places in the group of what may be in the text, each once."""
        if self.finder is not None:
            return self.finder.find(text) + self._at_any_rate
        if self._database is None:
            return self._at_any_rate
        self._database.scan(text, self._found)
        found = [*dict.fromkeys(self._found), *self._at_any_rate]
        self._found.clear()
        return found

    def _note(self, run: Run, number: int, text: bytes, later: dict[int, list[int]]) -> None:
        """Takes what was found in a text; `later` collects the texts of rules that can wait."""
        found = self._found
        for place in found if len(found) == 1 and not self._alone else [*dict.fromkeys(found), *self._alone]:
            if self._settled[place]:
                rule = self._numbers[place]
                if not run.values[rule]:
                    run.where[rule] = text
                    run.values.set(rule, 1)
            elif self._put_off[place]:
                later.setdefault(place, []).append(number)
            else:
                self._add(run, place, number, text)
        found.clear()

    def _add(self, run: Run, place: int, number: int, text: bytes) -> bool:
        """Adds the matches in a text to the value of the rule; False when no other text can add more."""
        searched = self.group.searched[place]
        rule, limit = searched.rule, searched.max_hits
        if searched.skips_subject and number == 0:
            return True
        if limit is not None and run.values[rule] >= limit and not searched.negated:
            return False
        count = self._matches(run, place, text)
        if count:
            run.where.setdefault(rule, text)
            total = run.values[rule] + count
            run.values.set(rule, 0 if searched.negated else total if limit is None else min(total, limit))
        return not (searched.negated and count)

    def _find(self, run: Run, place: int, texts: Sequence[bytes]) -> None:
        """The rule hits when the expression matches in one of the texts."""
        rule = self._numbers[place]
        if rule in run.spent or run.values.get(rule):
            return
        expression = self._confirm(place)
        try:
            for start in range(0, len(texts), _LOOKS_AT_CLOCK):
                run.look_at_clock()
                text = expression.find_in(texts[start : start + _LOOKS_AT_CLOCK])
                if text is not None:
                    run.where.setdefault(rule, text)
                    run.values.set(rule, 1)
                    return
        except MatchLimit:
            self._give_up(run, rule)
        except UnusableRegex:
            run.spent.add(rule)

    def _count(self, run: Run, place: int, texts: Sequence[bytes]) -> None:
        """The rule is worth as much as there are matches."""
        rule = self._numbers[place]
        limit = self.group.searched[place].max_hits
        if rule in run.spent:
            return
        expression = self._confirm(place)
        try:
            for start in range(0, len(texts), _LOOKS_AT_CLOCK):
                run.look_at_clock()
                before = run.values[rule]
                if before == limit:
                    return
                some = texts[start : start + _LOOKS_AT_CLOCK]
                count = expression.count_in(some, None if limit is None else limit - int(before))
                if count:
                    if rule not in run.where:
                        run.where[rule] = expression.find_in(some) or some[0]
                    run.values.set(rule, before + count)
        except MatchLimit:
            self._give_up(run, rule)
        except UnusableRegex:
            run.spent.add(rule)

    def _give_up(self, run: Run, rule: int) -> None:
        run.spent.add(rule)
        run.exceeded = run.exceeded or f"{self._names[rule]} took too many steps"

    def _matches(self, run: Run, place: int, text: bytes) -> int:
        """How often the expression matches, up to the rule's limit; 0 when it takes too long."""
        searched = self.group.searched[place]
        if searched.exact:
            return 1
        if searched.rule in run.spent:
            return 0
        confirm = self._filled_in(run, place) if searched.needs else self._confirm(place)
        if confirm is None:
            return 0
        run.look_at_clock()
        try:
            count = confirm.count(text, searched.max_hits)
        except MatchLimit:
            self._give_up(run, searched.rule)
            return 0
        except UnusableRegex:
            run.spent.add(searched.rule)
            return 0
        if count and searched.captures:
            run.captured.append(partial(self._capture, run, place, confirm, text))
        return count

    def _capture(self, run: Run, place: int, expression: Confirm, text: bytes) -> None:
        """Cuts out what the groups of an expression match in a text that it matches. A message in twenty
        asks for it, and it takes ten times as long as to see whether there is a match."""
        searched = self.group.searched[place]
        try:
            for match in islice(expression.matches(text), searched.max_hits):
                for tag in searched.captures:
                    run.tags.setdefault(tag, []).append(match.group(tag) or b"")
        except MatchLimit:
            self._give_up(run, searched.rule)

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
        filled = Regex(source, regex.modifiers)
        return _usual(filled) if len(source) <= _USUAL_LENGTH else Confirm(filled)

    def _regex(self, place: int) -> Regex:
        regex = self._rules[self._names[self.group.searched[place].rule]].regex
        assert regex is not None
        return regex


@lru_cache(maxsize=64)
def _usual(regex: Regex) -> Confirm:
    """Most messages of a day are to the same few people, and so are the texts of their tags."""
    return Confirm(regex)


def confirm(run: Run, candidate: Candidate) -> None:
    """Looks whether the expression matches in the texts, and adds up how often."""
    search, place, texts, first = candidate
    if search._once[place]:
        search._find(run, place, texts)
        return
    if search._counted[place]:
        search._count(run, place, texts)
        return
    for number, text in enumerate(texts, first):
        if not search._add(run, place, number, text):
            return


def _texts_of(run: Run, tag: str) -> Sequence[bytes]:
    """What was captured under the tag, or the values of the field for `HEADER(selector)`."""
    if tag.startswith("HEADER("):
        return (run.headers[tag[len("HEADER(") : -1]] or b"").split(b"\n")
    captured, run.captured = run.captured, []
    for capture in captured:
        capture()
    return run.tags.get(tag, ())
