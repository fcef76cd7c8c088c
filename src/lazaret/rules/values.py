"""The value of each rule, for one message: known, or worked out when somebody asks for it.

An Outset is what is known before anything is looked at; it makes the values of each message. Both are here in
Python and, where that could be compiled, in kernel.c: the same results, and less memory to walk through.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lazaret.rules import kernel, metas
from lazaret.rules.metas import Code, Meta
from lazaret.rules.settle import Settler

if TYPE_CHECKING:
    from lazaret.rules.evals import Answer, Question, Subject
    from lazaret.rules.evals.plan import Asked
    from lazaret.rules.search import Candidate

WorkOut = Callable[[int], None]
"""Sets the value of a rule that is no meta, unless it is what it is when nothing is found."""

Failed = Callable[[int, Exception], None]
"""Told of a rule whose eval function failed."""


class Found(NamedTuple):
    """What the values of a message share with its run, and how long that may last."""

    where: dict[int, bytes]
    spent: Collection[int]
    look_at_clock: Callable[[], None]
    deadline: float
    """Of `time.perf_counter`; after it the clock is to be looked at."""
    shown: dict[int, str]
    subject: "Subject"


class Values(Protocol):
    """The values of one message."""

    def __getitem__(self, rule: int, /) -> float:
        """Works it out if it is not known."""

    def get(self, rule: int, /) -> float | None:
        """None when it is not known."""

    def set(self, rule: int, value: float, /) -> None: ...

    def forget(self, rules: Iterable[int], /) -> None:
        """The values of these rules are not known any more, until somebody asks."""

    def put_off(self, rule: int, candidate: "Candidate", /) -> None:
        """Notes where a rule may have matched; what it is worth is not known until somebody asks."""

    def confirm(self, rule: int, /) -> "Sequence[Candidate]":
        """Looks at what was put off for a rule, as far as that can be done here; gives what is left to do."""

    def settle(self, listed: bytes, /) -> None:
        """Looks at listed metas: those of the bits (see Settler), and those concerned by what has changed or
        was put off."""

    def ask(self, asked: "Sequence[Asked]", /) -> None:
        """Asks these questions of the message, and sets the values of the rules that hit. DeadlineError when
        the time is used up."""

    def unanswered(self, questions: "tuple[Question, ...]", /) -> tuple[int, ...]:
        """The places of those that were asked and found nothing."""

    def hits(self) -> dict[str, float]:
        """Name -> value of the rules that hit, as far as they are known."""


@dataclass(frozen=True, slots=True)
class Outset:
    """What is known of the rules before anything is looked at. Rules go by their number."""

    names: tuple[str, ...]
    first: tuple[float, ...]
    """The values when nothing is found."""
    waiting: frozenset[int]
    """Rules that are worked out when somebody asks."""
    kept: frozenset[int]
    """Rules that hit even when nothing is found, if they hit at first."""
    metas: tuple[Meta, ...]
    asked: "Mapping[int, Asked]"
    """Rule -> the question that it hangs on, asked when somebody wants its value."""
    failed: Failed

    def start(self) -> Callable[[WorkOut, Found], Values]:
        """What makes the values of a message."""
        settler = Settler(self.metas, len(self.names))
        return self._in_c(settler) if kernel.compiled else self.in_python(settler)

    def in_python(self, settler: Settler) -> Callable[[WorkOut, Found], "PythonValues"]:
        """Without the kernel."""
        codes = _Codes({meta.rule: meta.source for meta in self.metas})
        known = {rule: value for rule, value in enumerate(self.first) if rule not in self.waiting}
        return lambda work_out, found: PythonValues(known, self, settler, codes, work_out, found)

    def _in_c(self, settler: Settler) -> Callable[[WorkOut, Found], Values]:
        sources = {meta.rule: meta.source for meta in self.metas}
        outset = kernel.compiled.Outset(
            names=self.names,
            first=self.first,
            waiting=tuple(self.waiting),
            kept=tuple(self.kept),
            metas=tuple(sources),
            listed=settler.listed,
            concerned=settler.places,
            asked=tuple(self.asked.items()),
            failed=self.failed,
            make_code=lambda rule: kernel.code(sources[rule]) or metas.compiled(sources[rule]),
            evaluate=metas.evaluate,
        )
        return lambda work_out, found: kernel.compiled.Values(
            outset,
            work_out,
            found.where,
            found.spent,
            found.look_at_clock,
            found.deadline,
            found.shown,
            found.subject.built,
            found.subject,
        )


class _Codes(dict[int, Code]):
    """Of metas: made when first needed, since a message needs few of them."""

    def __init__(self, sources: Mapping[int, str]) -> None:
        self.sources = sources

    def __missing__(self, rule: int) -> Code:
        code = self[rule] = metas.compiled(self.sources[rule])
        return code


class PythonValues(dict[int, float]):
    """Values in plain Python."""

    __slots__ = ("_candidates", "_changed", "_codes", "_found", "_outset", "_settler", "_work_out")

    def __init__(
        self,
        known: Mapping[int, float],
        outset: Outset,
        settler: Settler,
        codes: _Codes,
        work_out: WorkOut,
        found: Found,
    ) -> None:
        super().__init__(known)
        self._outset = outset
        self._settler = settler
        self._codes = codes
        self._work_out = work_out
        self._found = found
        self._changed: set[int] = set()
        """Rules whose value is, or was for a while, another than at the start."""
        self._candidates: dict[int, list[Candidate]] = {}

    def __missing__(self, rule: int) -> float:
        self[rule] = self._outset.first[rule]
        if rule in self._codes.sources:
            self.set(rule, metas.evaluate(self._codes[rule], self))
        else:
            self._work_out(rule)
        return self[rule]

    def set(self, rule: int, value: float) -> None:
        if self.get(rule) != value:
            self[rule] = value
            self._changed.add(rule)

    def forget(self, rules: Iterable[int]) -> None:
        for rule in rules:
            self.pop(rule, None)

    def put_off(self, rule: int, candidate: "Candidate") -> None:
        self._candidates.setdefault(rule, []).append(candidate)
        self.pop(rule, None)

    def confirm(self, rule: int) -> "Sequence[Candidate]":
        return self._candidates.pop(rule, ())

    def settle(self, listed: bytes) -> None:
        settler = self._settler
        concerned = int.from_bytes(listed, "little")
        # What is worked out on the way has no candidates any more.
        concerned |= settler.concerned(self._changed) | settler.concerned(self._candidates)
        for rule in settler.rules(concerned):
            self.set(rule, metas.evaluate(self._codes[rule], self))

    def ask(self, asked: "Sequence[Asked]") -> None:
        for question, tests in asked:
            self._found.look_at_clock()
            try:
                found = self._found.subject.once(question)
            except Exception as error:
                for rule, _ in tests:
                    self._outset.failed(rule, error)
                continue
            for rule, test in tests if found is not None else ():
                try:
                    answer = test(found)
                except Exception as error:
                    self._outset.failed(rule, error)
                    continue
                if answer:
                    self._hit(rule, answer)

    def _hit(self, rule: int, answer: "Answer") -> None:
        """An answer that is a text is shown to people."""
        if isinstance(answer, str):
            self._found.shown[rule] = answer
            self.set(rule, 1)
        else:
            self.set(rule, answer if answer > 0 else 1)

    def unanswered(self, questions: "tuple[Question, ...]") -> tuple[int, ...]:
        built = self._found.subject.built
        return tuple(place for place, asked in enumerate(questions) if built.get(asked, asked) is None)

    def hits(self) -> dict[str, float]:
        names = self._outset.names
        return {names[rule]: value for rule in self._outset.kept | self._changed if (value := self.get(rule))}
