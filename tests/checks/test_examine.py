"""What the checks found, priced, and what becomes of those that fail."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from lazaret.checks import Check, CheckUnavailable, OverBudget, Scan, Symbol
from lazaret.checks.examine import OVER_BUDGET, Examiner
from lazaret.mime import message as mime
from lazaret.model.envelope import Envelope, Session
from lazaret.model.verdict import Hit, Report, ScoredHit, Unavailable

SCAN = Scan(mime.parse(b"Subject: x\r\n\r\nbody\r\n"), Session(), Envelope("a@b.example"), 0.0)


@dataclass
class Plain:
    """Yields what `find` yields."""

    find: Callable[[], Iterator[Hit]]
    name: str = "plain"
    symbols: Mapping[str, Symbol] = field(
        default_factory=lambda: {"A": Symbol(1.5, "an A"), "B": Symbol(-0.5, "a B")}
    )

    def run(self, scan: Scan, /) -> Iterator[Hit]:
        return self.find()


@dataclass
class Waiting:
    """Waits, and then finds an A."""

    seconds: float
    error: Exception | None = None
    name: str = "waiting"
    symbols: ClassVar[Mapping[str, Symbol]] = {"A": Symbol(1.5, "an A")}

    async def run(self, scan: Scan, /) -> AsyncIterator[Hit]:
        await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error
        yield Hit("A")


def found(*hits: Hit, error: Exception | None = None) -> Plain:
    def find() -> Iterator[Hit]:
        yield from hits
        if error:
            raise error

    return Plain(find)


def busy(seconds: float) -> Plain:
    """Works without a pause."""

    def find() -> Iterator[Hit]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
        yield Hit("A")

    return Plain(find)


def examined(scan: Scan, examiner: Examiner) -> Report:
    async def examine() -> Report:
        return await examiner.examine(scan)

    return asyncio.run(examine())


def report(*checks: Check, budget_s: float = 5.0, **wishes: str) -> Report:
    return examined(SCAN, Examiner(checks, budget_s=budget_s, on_unavailable=wishes))


def test_a_hit_has_the_price_of_its_symbol_times_its_weight():
    [hit] = report(found(Hit("A", "found in line 3", weight=2.0))).hits
    assert ScoredHit("A", 3.0, "an A", "found in line 3") == hit


def test_the_score_is_the_sum():
    assert 1.0 == report(found(Hit("A"), Hit("B"))).score


def test_each_symbol_counts_once_whoever_finds_it():
    assert ["A", "B"] == [h.symbol for h in report(found(Hit("A"), Hit("A")), found(Hit("B"), Hit("A"))).hits]


def test_a_check_that_waits_is_waited_for():
    assert 1.5 == report(Waiting(0.01)).score


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CheckUnavailable("scanner is down"), "scanner is down"),
        (KeyError("x"), "internal error: KeyError"),
        (TimeoutError("its own"), "internal error: TimeoutError"),
        (ConnectionRefusedError(), "internal error: ConnectionRefusedError"),
    ],
)
@pytest.mark.parametrize("make", [lambda e: found(error=e), lambda e: Waiting(0.0, e, "plain")])
def test_a_check_that_fails_is_unavailable(make: Callable[[Exception], Check], error: Exception, reason: str):
    made = report(make(error))
    assert ((), (Unavailable("plain", reason),), False) == (made.hits, made.unavailable, made.over_budget)


def test_a_symbol_that_a_check_has_not_declared_is_a_failure_of_that_check():
    assert "internal error: KeyError" == report(found(Hit("UNKNOWN"))).unavailable[0].reason


def test_what_a_check_found_before_it_failed_counts():
    made = report(found(Hit("A"), error=ValueError()), found(Hit("B")))
    assert (["A", "B"], 1) == ([h.symbol for h in made.hits], len(made.unavailable))


def test_only_a_check_that_is_told_to_defer_asks_for_a_deferral():
    down = found(error=CheckUnavailable("down"))
    assert [False, False, True] == [
        report(down, **wishes).unavailable[0].defer  # type: ignore[arg-type]
        for wishes in ({}, {"plain": "ignore"}, {"plain": "defer"})
    ]


def test_work_beyond_the_budget_marks_the_message_and_ends_the_examination():
    made = report(busy(0.05), found(Hit("B")), budget_s=0.02)
    assert (["A", OVER_BUDGET], True, ()) == (
        [h.symbol for h in made.hits],
        made.over_budget,
        made.unavailable,
    )
    assert 6.5 == made.score


def test_a_check_that_meets_a_bound_marks_the_message_and_the_others_go_on():
    made = report(found(Hit("A"), error=OverBudget("too many matches")), found(Hit("B")))
    assert (["A", "B", OVER_BUDGET], True) == ([h.symbol for h in made.hits], made.over_budget)


def test_waiting_beyond_the_budget_is_the_service_failing_and_not_the_message():
    made = report(Waiting(30), found(Hit("B")), budget_s=0.05)
    assert (["B"], False) == ([h.symbol for h in made.hits], made.over_budget)
    assert (Unavailable("waiting", "no answer within 0.05 s"),) == made.unavailable


def test_all_waiting_together_takes_no_longer_than_the_budget():
    started = time.monotonic()
    made = report(*[Waiting(30, name=f"w{n}") for n in range(5)], budget_s=0.05)
    assert 5 == len(made.unavailable)
    assert time.monotonic() - started < 1.0


def test_a_message_that_is_over_budget_by_itself_is_marked():
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(500)
    )
    scan = Scan(mime.parse(deep), Session(), Envelope(""), 0.0)
    made = examined(scan, Examiner([], budget_s=5.0))
    assert (True, 5.0) == (made.over_budget, made.score)


def test_it_says_how_long_it_took():
    assert 10 <= report(busy(0.01)).took_ms < 1000


def test_words_that_cost_much_are_found_for_who_wants_them() -> None:
    class Terse:
        name = "terse"
        symbols: ClassVar[Mapping[str, Symbol]] = {"A": Symbol(1.0, "a"), "B": Symbol(1.0, "b")}

        def run(self, scan: Scan, /) -> Iterator[Hit]:
            yield Hit("A")
            yield Hit("B", "said")

        def explain(self, scan: Scan, /) -> str:
            return "words"

    class Broken(Terse):
        symbols: ClassVar[Mapping[str, Symbol]] = {"C": Symbol(1.0, "c")}

        def run(self, scan: Scan, /) -> Iterator[Hit]:
            yield Hit("C")

        def explain(self, scan: Scan, /) -> str:
            raise RuntimeError

    examiner = Examiner([Terse(), Broken()], budget_s=5)
    report = examined(SCAN, examiner)

    assert ["", "said", ""] == [hit.detail for hit in report.hits]
    assert ["words", "said", ""] == [hit.detail for hit in examiner.explained(report, SCAN).hits]
