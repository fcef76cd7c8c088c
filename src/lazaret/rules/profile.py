"""What does each rule cost? Runs a program step by step over messages, with a clock beside each step.

The steps are those of `evaluate`, which has no clock for single rules: the measuring must not slow it down.
But nothing waits until somebody asks: here every rule is run. What rules share, the search in the database of
a view or the reading of the message, is counted apart.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from lazaret.mime.message import Message
from lazaret.rules import evals, folding, plugins, views
from lazaret.rules.confirm import Confirm, MatchLimit, UnusableRegex
from lazaret.rules.database import Database
from lazaret.rules.evals import Settings, Subject
from lazaret.rules.program import Group, Program, Searched

log = logging.getLogger("lazaret.rules")

_REACHED: dict[str, Callable[[bytes], bool]] = {
    "each": lambda text: True,
    "ascii": bytes.isascii,
    "other": lambda text: not text.isascii(),
    "plain": folding.is_plain,
    "strange": lambda text: not folding.is_plain(text),
}
"""Which texts a group searches (`program.Group.reach`)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one rule, or the search that the rules of a view share, took in all messages together."""

    name: str
    view: str
    """body, rawbody, uri, full, header, mimeheader or eval."""
    seconds: float
    tried: int
    """How often its expression or function was run by itself, after the common search."""
    hit: int
    """How many of these runs found something."""


class Profile:
    """Sums over all messages that it was shown."""

    def __init__(self, program: Program) -> None:
        """DamagedDatabase when the program was made for another machine."""
        self.messages = 0
        self._preparing = 0
        self._names = program.names
        self._groups = [_Timed(program, group) for group in program.groups]
        functions = evals.functions()
        self._called = [(c.rule, functions[c.function], c.arguments) for c in program.called]
        self._settings = Settings(program.book.settings)
        self._spent: Counter[int] = Counter()
        self._tried: Counter[int] = Counter()
        self._hit: Counter[int] = Counter()

    def add(self, message: Message, now: float) -> None:
        """Runs the rules over one message. `now`: Unix seconds."""
        self.messages += 1
        headers = views.HeaderValues(message)
        subject = Subject(message, self._settings, headers, now, ())
        began = time.perf_counter_ns()
        plugins.introduce(subject, headers)
        self._preparing += time.perf_counter_ns() - began
        for group in self._groups:
            group.run(list(group.texts(message, headers)))
        for rule, function, arguments in self._called:
            try:
                self._call(rule, partial(function, subject, *arguments))
            except Exception:
                log.exception("the eval function of rule %s failed", self._names[rule])
        headers.beside = views.nothing_beside
        subject.end()

    def _call(self, rule: int, function: Callable[[], evals.Answer]) -> None:
        """Called twice: the first call may have to read a part of the message that others use after it."""
        began = time.perf_counter_ns()
        function()
        prepared = time.perf_counter_ns()
        answer = function()
        spent = time.perf_counter_ns() - prepared
        self._preparing += max(prepared - began - spent, 0)
        self._spent[rule] += spent
        self._tried[rule] += 1
        self._hit[rule] += bool(answer)

    def rules(self) -> list[Cost]:
        """The rules that were run by themselves, the dearest first."""
        costs = [
            Cost(self._names[rule], "eval", spent / 1e9, self._tried[rule], self._hit[rule])
            for rule, spent in self._spent.items()
        ]
        for group in self._groups:
            costs += group.costs(self._names)
        return sorted(costs, key=lambda cost: (-cost.seconds, cost.name))

    def shared(self) -> list[Cost]:
        """The common searches, a row for each view, the dearest first; for eval: reading the message."""
        spent: Counter[str] = Counter(eval=self._preparing)
        tried: Counter[str] = Counter()
        hit: Counter[str] = Counter()
        for group in self._groups:
            view = group.group.view
            spent[view] += group.searching
            tried[view] += group.texts_seen
            hit[view] += group.found_in
        costs = [Cost("", view, spent[view] / 1e9, tried[view], hit[view]) for view in spent]
        return sorted(costs, key=lambda cost: (-cost.seconds, cost.view))


class _Timed:
    """A group of expressions with clocks, in ns."""

    def __init__(self, program: Program, group: Group) -> None:
        self.group = group
        self.searching = 0
        self.texts_seen = 0
        self.found_in = 0
        self._database = Database(group.database) if group.database else None
        self._alone = range(group.in_database, len(group.searched))
        self._rules = [program.book.rules[program.names[s.rule]] for s in group.searched]
        self._confirms: dict[int, Confirm | None] = {}
        self._spent: Counter[int] = Counter()
        self._tried: Counter[int] = Counter()
        self._hit: Counter[int] = Counter()

    def texts(self, message: Message, headers: views.HeaderValues) -> Iterable[bytes]:
        """What the rules of the group search in a message."""
        view, selector = self.group.view, self.group.selector
        if view == "header":
            value = headers[selector]
            texts: Iterable[bytes] = () if value is None else (value,)
        elif view == "mimeheader":
            texts = (value for value in views.part_headers(message, selector) if value is not None)
        else:
            texts = views.TEXTS[view](message)
        return filter(_REACHED[self.group.reach], texts)

    def run(self, texts: Sequence[bytes]) -> None:
        """One message."""
        counts: Counter[int] = Counter()
        for text in texts:
            for place in self._search(text):
                searched = self.group.searched[place]
                if searched.max_hits is None or counts[place] < searched.max_hits:
                    counts[place] += self._confirm(place, searched, text)

    def costs(self, names: Sequence[str]) -> Iterator[Cost]:
        for place, spent in self._spent.items():
            name = names[self.group.searched[place].rule]
            yield Cost(name, self.group.view, spent / 1e9, self._tried[place], self._hit[place])

    def _search(self, text: bytes) -> list[int]:
        found: list[int] = []
        began = time.perf_counter_ns()
        if self._database is not None:
            self._database.scan(folding.fold(text) if self.group.reach == "plain" else text, found)
        self.searching += time.perf_counter_ns() - began
        self.texts_seen += 1
        self.found_in += bool(found)
        return [*found, *self._alone]

    def _confirm(self, place: int, searched: Searched, text: bytes) -> int:
        """How often the expression matches; 1 where the common search has settled that already."""
        confirm = None if searched.exact else self._expression(place, searched)
        if confirm is None:
            return 1
        count = 0
        began = time.perf_counter_ns()
        try:
            for _match in confirm.matches(text):
                count += 1
                if count == searched.max_hits:
                    break
        except MatchLimit:
            pass  # Its time was spent all the same, and that is what is asked.
        self._spent[place] += time.perf_counter_ns() - began
        self._tried[place] += 1
        self._hit[place] += bool(count)
        return count

    def _expression(self, place: int, searched: Searched) -> Confirm | None:
        """None where it is made anew for each message, of what others have captured, or cannot be made."""
        if place not in self._confirms:
            regex = self._rules[place].regex
            confirm = None if regex is None or searched.needs else Confirm(regex)
            try:
                if confirm is not None:
                    confirm.compile()
            except UnusableRegex:
                confirm = None
            self._confirms[place] = confirm
        return self._confirms[place]
