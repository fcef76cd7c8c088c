"""Running a Program over one message: every group of texts scanned once, then the metas concerned."""

import logging
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from lazaret.mime.message import Message
from lazaret.rules import evals, expression, views
from lazaret.rules.book import Kind
from lazaret.rules.evals import Settings, Subject
from lazaret.rules.expression import ExpressionError
from lazaret.rules.program import Program, Searched
from lazaret.rules.run import DeadlineError, Run
from lazaret.rules.search import Search
from lazaret.rules.settle import Settler
from lazaret.rules.shortcircuit import Shortcuts

_log = logging.getLogger(__name__)
T = TypeVar("T")
_DETAIL_LENGTH = 80
_GROUNDS = 2
"""Of a meta, so many matched texts are shown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found. `values`: every rule that hit, with its count; `exceeded`: which budget ran out."""

    values: Mapping[str, float]
    details: Mapping[str, str]
    exceeded: str = ""
    points: Mapping[str, float] = field(default_factory=dict)
    """Of rules whose score hangs on the message."""


class Evaluator:
    """A program ready to run. Not for two threads at once (databases have one scratch space each)."""

    def __init__(self, program: Program) -> None:
        """DamagedDatabase when a database of the program cannot be used on this machine."""
        self._program = program
        self._settings = Settings(program.book.settings)
        self._fields: dict[str, list[Search]] = {}
        self._pseudo: list[Search] = []
        self._views: dict[str, list[Search]] = {}
        self._searched: dict[int, tuple[Search, Searched]] = {}
        for group in program.groups:
            search = Search(program, group)
            self._place(search)
            self._searched.update((s.rule, (search, s)) for s in group.searched)
        functions = evals.functions()
        self._called = [(c.rule, functions[c.function], c.arguments) for c in program.called]
        self._settler = Settler(program.metas, len(program.names))
        self._shortcuts = Shortcuts(program.book)
        self._from_the_start = {rule for rule, value in enumerate(program.baseline) if value}
        self._known_grounds: dict[str, list[int]] = {}
        self._numbers = {name: number for number, name in enumerate(program.names)}

    def _place(self, search: Search) -> None:
        group = search.group
        if group.view != "header":
            self._views.setdefault(group.view, []).append(search)
        elif views.is_pseudo(group.selector):
            self._pseudo.append(search)
        else:
            self._fields.setdefault(views.base(group.selector), []).append(search)

    def evaluate(
        self,
        message: Message,
        now: float,
        seconds: float,
        *,
        recipients: tuple[str, ...] = (),
        shown: Container[str] = (),
    ) -> Outcome:
        """All hits, in little more than `seconds`; `details` for the rules in `shown` that hit."""
        run = Run(message, list(self._program.baseline), seconds)
        subject = Subject(message, self._settings, run.headers, now, recipients)
        run.headers.beside = lambda selector: self._asked(partial(evals.field_of, selector=selector), subject)
        try:
            message.know_uris(self._asked(evals.uris_of, subject) or ())
            self._search(run)
            self._call(run, subject)
        except DeadlineError:
            run.exceeded = f"the rules took more than {seconds:g} s"
        self._settler.settle(run)
        names = self._program.names
        found = sorted(rule for rule in self._from_the_start | run.changed if run.values[rule])
        values: Mapping[str, float] = {names[rule]: run.values[rule] for rule in found}
        points: Mapping[str, float] = {}
        ending = self._shortcuts.end(values)
        if ending:
            values, points = ending.values, {ending.symbol: ending.points}
        details = {name: self._detail(run, name) for name in values if name in shown}
        return Outcome(values, details, run.exceeded, points)

    @staticmethod
    def _asked(ask: Callable[[Subject], T], subject: Subject) -> T | None:
        """What a plug-in has to say; None when it fails, as for eval functions."""
        try:
            return ask(subject)
        except Exception:
            _log.exception("a plug-in failed")
            return None

    def _search(self, run: Run) -> None:
        message = run.message
        for search in self._searches_of_header(message):
            value = run.headers.get(search.group.selector)
            if value is not None:
                search.header(run, value)
        for view, texts in views.TEXTS.items():
            for search in self._views.get(view, ()):
                search.texts(run, texts(message))
        run.look_at_clock()
        for search in self._views.get("mimeheader", ()):
            search.parts(run, views.part_headers(message, search.group.selector))

    def _searches_of_header(self, message: Message) -> Iterator[Search]:
        """Those whose field is there. Nearly all of a large rule set look at fields that a message lacks."""
        yield from self._pseudo
        present = {field.name.lower() for field in message.header.fields}
        for name in sorted(present & self._fields.keys()):
            yield from self._fields[name]

    def _call(self, run: Run, subject: Subject) -> None:
        for rule, function, arguments in self._called:
            run.look_at_clock()
            try:
                answer = function(subject, *arguments)
            except Exception:
                # One bad function must not cost the message its other rules; the log says which to repair.
                _log.exception("the eval function of rule %s failed", self._program.names[rule])
                continue
            if isinstance(answer, str):
                run.shown[rule] = answer
            if answer:
                run.set(rule, answer if not isinstance(answer, str) and answer > 0 else 1)

    def _detail(self, run: Run, name: str) -> str:
        """What made the rule hit; for a meta, what made the rules hit that it builds on."""
        texts: list[str] = []
        for rule in self._grounds(name):
            if rule in run.shown:
                texts.append(run.shown[rule])
            elif run.values[rule] and rule in run.where:
                search, searched = self._searched[rule]
                texts.append(search.matched(searched, run.where[rule]).decode("utf-8", "replace"))
            if len(texts) == _GROUNDS:
                break
        return _readable(", ".join(dict.fromkeys(t.strip() for t in texts if t.strip())))

    def _grounds(self, name: str) -> list[int]:
        """The rules with a text of their own on which the rule builds, the nearest first."""
        if name not in self._known_grounds:
            self._known_grounds[name] = list(self._find_grounds(name))
        return self._known_grounds[name]

    def _find_grounds(self, name: str) -> Iterator[int]:
        rules = self._program.book.rules
        waiting, seen = [name], {name}
        while waiting:
            current = waiting.pop(0)
            if current in self._numbers and rules[current].kind is not Kind.META:
                yield self._numbers[current]
            elif current in self._numbers:
                fresh = [n for n in _mentioned(rules[current].text) if n not in seen]
                seen.update(fresh)
                waiting += fresh


def _mentioned(text: str) -> list[str]:
    try:
        return expression.names(expression.parse(text))
    except ExpressionError:
        return []


def _readable(text: str) -> str:
    """On one line, without control characters, at most 80 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _DETAIL_LENGTH]).split())
    return line if len(line) <= _DETAIL_LENGTH else line[: _DETAIL_LENGTH - 1] + "…"
