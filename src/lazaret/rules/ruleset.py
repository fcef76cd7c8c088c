"""A rule set as the rest of the product sees it: load it, run it, ask it what a rule means."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lazaret.mime import received
from lazaret.mime.message import Message
from lazaret.model.lazy import lazy
from lazaret.model.steps import Meanwhile, Steps, finish
from lazaret.rules import cache, expression, hosts, idle, sources, syntax
from lazaret.rules.book import WITHOUT_LEARNER, Book, Kind, Problem
from lazaret.rules.compile import Progress, compile_book
from lazaret.rules.database import DamagedDatabase
from lazaret.rules.evaluate import Evaluator, Findings
from lazaret.rules.expression import ExpressionError
from lazaret.rules.program import Program
from lazaret.rules.sources import Sources

log = logging.getLogger("lazaret.rules")

_DEFAULT_SECONDS = 1.0
_SIDES = {
    "header": "header",
    "body": "body",
    "rawbody": "body",
    "uri": "body",
    "full": "body",
    "mimeheader": "body",
}


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a rule is worth and the sentence that a user reads."""

    score: float
    description: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that the files say about a rule, for people."""

    name: str
    kind: Kind
    text: str
    file: str
    line: int
    scores: tuple[float, float, float, float]
    description: str
    flags: tuple[str, ...]
    active: bool
    """Whether it can hit at all."""
    idle: str
    """Why it is not run, in a few words; "" when it is."""
    depends_on: tuple[str, ...]
    used_by: tuple[str, ...]


class RuleSet:
    """A loaded rule set. One per thread."""

    def __init__(self, program: Program) -> None:
        """DamagedDatabase when the program was made for another machine."""
        self._program = program
        self._evaluator = Evaluator(program)
        self._run = frozenset(program.names)
        book = program.book
        self.symbols = self.priced(WITHOUT_LEARNER)
        """Every rule that can hit and is listed."""
        self.networks = hosts.networks(book)
        """Which hosts the files trust: for whoever parses the messages."""
        self.sites = hosts.sites(book)
        """What the files know of the hosts in links; None: nothing."""

    def make_ready(self) -> None:
        """Makes what is otherwise made when a message first needs it: for who is about to fork workers."""
        received.make_ready()
        self._evaluator.make_ready()

    def priced(self, score_set: int) -> Mapping[str, Symbol]:
        """What every listed rule that is run is worth in this score set.

        Which rules are run does not change with it: one whose score is 0 here may hit all the same.
        """
        score, descriptions = self.book.score, self.book.descriptions
        return {
            name: Symbol(score(name, score_set), descriptions.get(name, ""))
            for name in self._program.names
            if not name.startswith("__")
        }

    @lazy
    def sides(self) -> Mapping[str, str]:
        """Listed rule -> "header" or "body", where it looks at one of them alone."""
        found = {}
        for name in self.symbols:
            rule = self.book.rules[name]
            side = _SIDES.get(rule.scope if rule.kind is Kind.EVAL else rule.kind.value)
            if side:
                found[name] = side
        return found

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Lines that could not be used, in reading order."""
        return self._program.book.problems

    @property
    def book(self) -> Book:
        return self._program.book

    @property
    def program(self) -> Program:
        """What runs."""
        return self._program

    def evaluate(
        self,
        message: Message,
        now: float,
        *,
        recipients: Iterable[str] = (),
        seconds: float = _DEFAULT_SECONDS,
    ) -> Findings:
        """The listed rules that hit, by name. Never raises; takes little more than `seconds`.

        `recipients`: addresses of the envelope, where it is known.
        """
        steps = self.steps(message, now, recipients=recipients, seconds=seconds, meanwhile=Meanwhile())
        return finish(steps)

    def steps(
        self,
        message: Message,
        now: float,
        *,
        recipients: Iterable[str] = (),
        seconds: float = _DEFAULT_SECONDS,
        meanwhile: Meanwhile,
    ) -> Steps[Findings]:
        """`evaluate`, in steps. `meanwhile` is kept by who works for others between them."""
        return self._evaluator.steps(message, now, seconds, recipients=tuple(recipients), meanwhile=meanwhile)

    def under(self, settings: Mapping[str, tuple[str, ...]]) -> "RuleSet":
        """The same rules under other settings: what a directory of users' preferences may bring."""
        return RuleSet(replace(self._program, book=replace(self.book, settings=settings)))

    def __iter__(self) -> Iterator[str]:
        """Names of all rules that the files define, active or not."""
        return iter(sorted(self.book.rules))

    def idle(self, name: str) -> str:
        """Why a rule that the files define is not run, in a few words; "" when it is run."""
        return idle.reason(self.book, name, self._run, self._mentioned)

    def explain(self, name: str) -> Explanation | None:
        """What is known of a rule; None when the files define none of that name."""
        rule = self.book.rules.get(name)
        if rule is None:
            return None
        score = self.book.score
        return Explanation(
            name=name,
            kind=rule.kind,
            text=rule.text,
            file=rule.file,
            line=rule.line,
            scores=(score(name, 0), score(name, 1), score(name, 2), score(name, 3)),
            description=self.book.descriptions.get(name, ""),
            flags=self.book.flags.get(name, ()),
            active=name in self._run,
            idle=self.idle(name),
            depends_on=tuple(self._mentioned(name)),
            used_by=tuple(other for other in self if name in self._mentioned(other)),
        )

    def _mentioned(self, name: str) -> list[str]:
        rule = self.book.rules[name]
        if rule.kind is not Kind.META:
            return []
        try:
            return expression.names(expression.parse(rule.text))
        except ExpressionError:
            return []


def load(
    paths: Sequence[Path],
    *,
    shipped: bool,
    cache_dir: Path | None,
    overrides: Mapping[str, float] | None = None,
    progress: Progress | None = None,
    keep_subrules: bool = False,
) -> RuleSet:
    """The shipped rules and those under `paths`, compiled, or from the cache where nothing has changed.

    `cache_dir`: where the cache lies; None: no cache. `overrides`: rule -> score, above every `score` line.
    `progress(done, total)` is called while compiling. Problems in the files never raise; see `problems`.
    """
    wanted = _Wanted(sources.read(paths, shipped=shipped), overrides or {}, _language(), keep_subrules)
    stored = wanted.stored(cache_dir) if cache_dir is not None else None
    if stored is not None:
        return stored
    program = wanted.compiled(progress)
    if cache_dir is not None:
        try:
            cache.save(cache_dir, wanted.key, program)
        except OSError as error:
            log.warning("the compiled rules cannot be kept in %s: %s", cache_dir, error.strerror)
    return RuleSet(program)


def load_stored(paths: Sequence[Path], *, shipped: bool, cache_dir: Path) -> RuleSet | None:
    """The rules from the cache; None when they would have to be compiled."""
    return _Wanted(sources.read(paths, shipped=shipped), {}, _language(), False).stored(cache_dir)


def store(paths: Sequence[Path], *, shipped: bool, cache_dir: Path, progress: Progress | None = None) -> None:
    """Compiles the rules into the cache, for `load_stored` in another process. OSError when it cannot."""
    wanted = _Wanted(sources.read(paths, shipped=shipped), {}, _language(), False)
    cache.save(cache_dir, wanted.key, wanted.compiled(progress))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """All that a compiled rule set depends on."""

    files: Sources
    overrides: Mapping[str, float]
    language: str
    keep_subrules: bool

    @property
    def key(self) -> str:
        return cache.key(self.files, self.overrides, (self.language, str(self.keep_subrules)))

    def stored(self, directory: Path) -> RuleSet | None:
        program = cache.load(directory, self.key)
        if program is None:
            return None
        try:
            return RuleSet(program)
        except (DamagedDatabase, KeyError):
            return None  # Made by an interrupted upgrade or on another machine.

    def compiled(self, progress: Progress | None) -> Program:
        book = read_book(self.files, self.overrides, self.language)
        return compile_book(book, keep_subrules=self.keep_subrules, progress=progress)


def read_book(files: Sources, overrides: Mapping[str, float], language: str) -> Book:
    """The book of the files with other scores for some rules."""
    book = syntax.parse(files, language=language)
    scores = {name: (score,) * 4 for name, score in overrides.items()}
    return replace(book, scores={**book.scores, **scores})


def _language() -> str:
    """As SpamAssassin picks it: the first word of LANGUAGE, else LC_ALL, LC_MESSAGES, LANG."""
    chosen = os.environ.get("LANGUAGE", "").partition(":")[0]
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        chosen = chosen or os.environ.get(variable, "")
    if chosen in ("", "C", "POSIX"):
        return "en_US"
    return chosen.partition(".")[0].partition("@")[0]
