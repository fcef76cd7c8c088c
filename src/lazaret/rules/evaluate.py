"""Running a Program over one message: every group of texts scanned once, then the metas concerned."""

from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from functools import cache, partial
from itertools import chain
from operator import attrgetter, itemgetter
from typing import NamedTuple, TypeAlias

from lazaret.mime.message import Message, parse
from lazaret.model.steps import Meanwhile, Steps
from lazaret.rules import expression, plugins, views
from lazaret.rules.book import WITHOUT_LEARNER, Kind
from lazaret.rules.calls import Calls
from lazaret.rules.evals import Settings, Subject
from lazaret.rules.evals.plan import Asked
from lazaret.rules.program import Program
from lazaret.rules.run import DeadlineError, Run
from lazaret.rules.search import Search, confirm
from lazaret.rules.searches import FieldSearches, Over, PartSearches, over
from lazaret.rules.settle import Settler
from lazaret.rules.shortcircuit import Shortcuts
from lazaret.rules.values import Outset

_ASSEMBLED, _FIELDS, _TEXTS, _CALLS, _METAS = range(0, 5_000_000, 1_000_000)
"""Numbers of steps: which they begin with."""
_MANY = 40
"""Rules that look at a field: it is searched in a step of its own. To go from one step to the next costs more
than to search for a few."""
_EMPTY_S = 60.0
"""More seconds than it can take to see that nothing stands in a message that is empty."""
_DETAIL_LENGTH = 80
_GROUNDS = 2
"""Of a meta, so many matched texts are shown."""


_Do: TypeAlias = Callable[[Run], object]
_Planned: TypeAlias = tuple[int, Sequence[_Do]]
"""The number of a step, and what is done in it."""

_number: Callable[[_Planned], int] = itemgetter(0)
_READ_BEFORE: Mapping[str, _Do] = {
    "body": attrgetter("message.body"),
    "uri": attrgetter("message.uris"),
}
"""View -> what it comes from, where it takes long to make that: it is a step of its own, and kept."""


class Findings(NamedTuple):
    """Rules that hit; `exceeded` names the budget that ran out, if one did."""

    hits: tuple[tuple[str, str], ...]
    """The listed ones by name, each with what was found."""
    exceeded: str
    weights: Mapping[str, float]
    """By what the score of some rules is to be multiplied; of all others by 1."""
    values: Mapping[str, float]
    """All with their counts: of sub-rules, those that were worked out (all, where none is deferred)."""


class Evaluator:
    """A program ready to run. Not for two threads at once (databases have one scratch space each)."""

    def __init__(self, program: Program) -> None:
        """DamagedDatabase when a database of the program cannot be used on this machine."""
        self._program = program
        self._settings = Settings(program.book.settings)
        self._settler = Settler(program.metas, len(program.names))
        self._shortcuts = Shortcuts(program.book)
        self._numbers = {name: number for number, name in enumerate(program.names)}
        self._listed = frozenset(name for name in program.names if not name.startswith("__"))
        self._put_off = frozenset(program.deferred)
        self._always = 0
        """Metas that are looked at in any case: what they hang on is worked out on demand."""
        self._demands: dict[int, Callable[[Run], None]] = {}
        """Rule -> how its value is worked out when somebody asks for it."""
        self._searches = [Search(program, group, self._put_off) for group in program.groups]
        self._place_searches(self._searches)
        self._calls = Calls(program, self._settings, self._put_off, self._settler.concerned)
        waiting = self._demands.keys() | {meta.rule for meta in program.metas if meta.triggers is None}
        self._demands.update((rule, partial(_ask, asked)) for rule, asked in self._calls.on_demand.items())
        kept = {
            rule
            for rule, value in enumerate(program.baseline)
            if value and not (program.deferred and program.names[rule].startswith("__"))
        }
        outset = Outset(
            program.names,
            program.baseline,
            frozenset(waiting),
            frozenset(kept),
            program.metas,
            self._calls.on_demand,
            self._calls.failed,
        )
        self._values = outset.start()
        self._grounds: Callable[[str], Sequence[int]] = cache(self._find_grounds)
        """Name -> the rules with a text of their own on which the rule builds, the nearest first."""

    def make_ready(self) -> None:
        """Makes what is otherwise made when a message first needs it: matchers, the programs of metas, what
        each rule builds on. It takes a fifth of a second for SpamAssassin's rules; who forks afterwards
        shares it."""
        for search in self._searches:
            search.make_ready()
        run = self._begun(parse(b""), _EMPTY_S, 0, (), Meanwhile())
        run.values.settle(self._settler.octets(self._settler.all))
        for meta in self._program.metas:
            run.values[meta.rule]  # Those that are not listed are worked out by whoever asks.
        run.end()
        for name in self._listed:
            self._grounds(name)

    def _place_searches(self, searches: Sequence[Search]) -> None:
        together: dict[tuple[str, str], list[Search]] = {}
        self._searched: dict[int, tuple[Search, int]] = {}
        """Rule -> where it is searched: the group, and its place there."""
        for search in searches:
            places = enumerate(search.group.searched)
            self._searched.update((s.rule, (search, place)) for place, s in places)
            together.setdefault((search.group.view, search.group.selector), []).append(search)
        assembled: dict[str, list[FieldSearches]] = {}
        """Selectors whose value is put together from several fields."""
        fields: dict[str, list[FieldSearches]] = {}
        """By the names of fields."""
        self._parts: list[PartSearches] = []
        for (view, selector), members in together.items():
            if view == "header" and not views.is_pseudo(selector):
                fields.setdefault(views.base(selector), []).append(FieldSearches(members))
            elif view == "header":
                field = FieldSearches(members)
                if not self._demand(field):
                    assembled[selector] = [field]
            elif view == "mimeheader":
                part = PartSearches(members)
                if not self._demand(part):
                    self._parts.append(part)
        small, large = _in_steps(assembled, _ASSEMBLED)
        self._first = [(_ASSEMBLED, list(chain.from_iterable(small.values()))), *large.values()]
        self._small_fields, self._large_fields = _in_steps(fields, _FIELDS)
        """What is searched where a message has the field: together with others, and by itself."""
        self._last: list[_Planned] = []
        for step, (view, texts) in enumerate(views.TEXTS.items()):
            if (view, "") in together:
                if view in _READ_BEFORE:
                    self._last.append((_TEXTS + 2 * step, [_READ_BEFORE[view]]))
                over_texts = over(together[view, ""])
                self._last.append((_TEXTS + 2 * step + 1, [partial(_search_texts, texts, over_texts)]))
        self._last.append((_CALLS, [self._search_parts, self._ask_at_once]))

    def _demand(self, searches: FieldSearches | PartSearches) -> bool:
        """Searches on demand, if all that it is about can wait."""
        if not searches.rules <= self._put_off:
            return False
        for rule in searches.rules:
            self._demands[rule] = partial(_search_once, searches)
        self._always |= self._settler.concerned(searches.rules)
        return True

    def steps(
        self,
        message: Message,
        now: float,
        seconds: float,
        *,
        recipients: tuple[str, ...] = (),
        meanwhile: Meanwhile,
    ) -> Steps[Findings]:
        """All hits, in little more than `seconds`. `meanwhile` is kept by who works for others between the
        steps."""
        run = self._begun(message, seconds, now, recipients, meanwhile)
        try:
            for step, searches in self._planned(message):
                if meanwhile.until < step:
                    yield step
                for search in searches:
                    search(run)
        except DeadlineError:
            run.late = True
        if meanwhile.until < _METAS:
            yield _METAS
        concerned = self._always | self._calls.pending(run.values)
        run.values.settle(self._settler.octets(concerned))
        if run.late:
            run.exceeded = f"the rules took more than {seconds:g} s"
        findings = self._findings(run)
        run.end()
        return findings

    def _begun(
        self, message: Message, seconds: float, now: float, recipients: tuple[str, ...], meanwhile: Meanwhile
    ) -> Run:
        run = Run(message, seconds, meanwhile)
        run.subject = Subject(message, self._settings, run.headers, now, recipients)
        run.values = self._values(partial(self._work_out, run), run.found)
        plugins.introduce(run.subject, run.headers)
        return run

    def _findings(self, run: Run) -> Findings:
        values: Mapping[str, float] = run.values.hits()
        weights: Mapping[str, float] = {}
        ending = self._shortcuts.end(values)
        if ending:
            values, symbol = ending.values, ending.symbol
            if symbol in self._listed:
                weights = {symbol: ending.points / self._program.book.score(symbol, WITHOUT_LEARNER)}
        told = run.where.keys() | run.shown.keys()
        hits = tuple([(n, self._detail(run, n, told)) for n in sorted(self._listed.intersection(values))])
        return Findings(hits, run.exceeded, weights, values)

    def _planned(self, message: Message) -> list[_Planned]:
        """All that is searched in the message, or asked of it."""
        # Nearly all of a large rule set look at fields that a message lacks.
        present = message.header.present
        small = list(chain.from_iterable(filter(None, map(self._small_fields.get, present))))
        large = sorted(filter(None, map(self._large_fields.get, present)), key=_number)
        return [*self._first, (_FIELDS, small), *large, *self._last]

    def _search_parts(self, run: Run) -> None:
        names = set().union(*[part.header.present for part in run.message.parts])
        for searches in self._parts:
            if searches.needs is None or searches.needs in names:
                searches.run(run)

    def _ask_at_once(self, run: Run) -> None:
        run.values.ask(self._calls.at_once)

    def _work_out(self, run: Run, rule: int) -> None:
        """Sets the value of a rule that waited, no meta, unless it is what it is when nothing is found."""
        if not run.late:
            try:
                run.look_at_clock()
                demand = self._demands.get(rule)
                if demand is not None:
                    demand(run)
                for candidate in run.values.confirm(rule):
                    confirm(run, candidate)
            except DeadlineError:
                run.late = True

    def _detail(self, run: Run, name: str, told: Container[int]) -> str:
        """What made the rule hit; for a meta, what made the rules hit that it builds on.

        `told`: the rules of which there is something to show, if they have hit.
        """
        shown = run.shown
        texts: list[str] = []
        for rule in filter(told.__contains__, self._grounds(name)):
            if rule not in shown:
                if not run.values.get(rule):
                    continue
                search, place = self._searched[rule]
                # Other metas may build on it.
                shown[rule] = search.matched(place, run.where[rule]).decode("utf-8", "replace")
            texts.append(shown[rule])
            if len(texts) == _GROUNDS:
                break
        return _readable(", ".join(dict.fromkeys(filter(None, map(str.strip, texts))))) if texts else ""

    def _find_grounds(self, name: str) -> Sequence[int]:
        rules, numbers = self._program.book.rules, self._numbers
        grounds: list[int] = []
        waiting, seen = deque([name]), {name}
        while waiting:
            current = waiting.popleft()
            if rules[current].kind is not Kind.META:
                grounds.append(numbers[current])
                continue
            for mentioned in expression.mentioned(rules[current].text):
                if mentioned in numbers and mentioned not in seen:
                    seen.add(mentioned)
                    waiting.append(mentioned)
        return grounds


def _in_steps(
    named: Mapping[str, Sequence[FieldSearches]], first: int
) -> tuple[Mapping[str, Sequence[_Do]], Mapping[str, _Planned]]:
    """What few rules look at, for the first step, and steps for all else, by the same names."""
    small: dict[str, Sequence[_Do]] = {}
    large: dict[str, _Planned] = {}
    for place, (name, searches) in enumerate(named.items(), 1):
        done = [each.run for each in searches]
        if sum(len(each.rules) for each in searches) < _MANY:
            small[name] = done
        else:
            large[name] = (first + place, done)
    return small, large


def _search_texts(texts: Callable[[Message], Sequence[bytes]], over_texts: Over, run: Run) -> None:
    run.look_at_clock()
    over_texts(run, texts(run.message))


def _ask(asked: Asked, run: Run) -> None:
    run.values.ask((asked,))


def _search_once(searches: FieldSearches | PartSearches, run: Run) -> None:
    """All rules of the field wait for the same search."""
    if searches.key not in run.searched:
        run.searched.add(searches.key)
        searches.run(run)


def _readable(text: str) -> str:
    """On one line, without control characters, at most 80 characters."""
    line = text[: 4 * _DETAIL_LENGTH]
    if not line.isprintable():
        line = "".join(c if c.isprintable() else " " for c in line)
    line = " ".join(line.split())
    return line if len(line) <= _DETAIL_LENGTH else line[: _DETAIL_LENGTH - 1] + "…"
