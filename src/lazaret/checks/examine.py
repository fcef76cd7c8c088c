"""Runs the checks over messages and prices what they found."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from lazaret.checks import Check, CheckUnavailable, OverBudget, Scan, Symbol
from lazaret.checks.lockstep import Lockstep
from lazaret.model.verdict import Hit, Report, ScoredHit, Unavailable

log = logging.getLogger("lazaret.checks")

OVER_BUDGET = "LAZARET_OVER_BUDGET"
OVER_BUDGET_SYMBOL = Symbol(
    5.0, "The message is built so that examining it would take too long or too much memory"
)


class Examiner:
    """Examines the messages of one event loop. Those that come in the same turn go through each step of the
    checks together; what is found is the same as one by one."""

    def __init__(
        self, checks: Sequence[Check], *, budget_s: float, on_unavailable: Mapping[str, str] | None = None
    ) -> None:
        """Whether a message waits for a check that cannot answer says `on_unavailable` (check name ->
        "ignore" or "defer")."""
        self._checks = tuple(checks)
        self._budget_s = budget_s
        self._deferring = frozenset(name for name, wish in (on_unavailable or {}).items() if wish == "defer")
        self._lockstep = Lockstep()

    async def examine(self, scan: Scan) -> Report:
        """All hits of all checks, each symbol once.

        A check that cannot answer, or fails, is reported as unavailable and decides nothing. A message that
        costs more than `budget_s` seconds of work keeps the hits found so far, gets LAZARET_OVER_BUDGET, and
        the checks that are left do not run. Waiting is not work, and neither is what is done for others
        meanwhile: services that keep us waiting for longer than `budget_s`, all together, are unavailable.
        """
        examination = _Examination(scan, self._checks, self._budget_s, self._deferring)
        await self._lockstep.finish(examination.steps(), len(scan.message.raw), scan.meanwhile)
        await examination.wait()
        return examination.report()

    def explained(self, report: Report, scan: Scan) -> Report:
        """The same, with words where a check leaves them out because they cost more than the check itself.

        Such a check has a method `explain(scan)`. For a message that somebody will look at.
        """
        hits = list(report.hits)
        for check in self._checks:
            explain = getattr(check, "explain", None)
            for place, hit in enumerate(hits):
                if explain is not None and not hit.detail and hit.symbol in check.symbols:
                    hits[place] = replace(hit, detail=_said(check, explain, scan))
        return replace(report, hits=tuple(hits))


def _said(check: Check, explain: Callable[[Scan], str], scan: Scan) -> str:
    """What a check says; nothing when it fails: the message is judged, and goes its way."""
    try:
        return explain(scan)
    except Exception:
        log.exception("check %s could not explain", check.name)
        return ""


class _Examination:
    """One message: what is found of it as it goes, so that what was found before a failure counts."""

    __slots__ = (
        "_budget_s",
        "_checks",
        "_deferring",
        "_hits",
        "_over_budget",
        "_scan",
        "_unavailable",
        "_waited",
        "_waiting",
        "_worked",
    )

    def __init__(
        self, scan: Scan, checks: Sequence[Check], budget_s: float, deferring: frozenset[str]
    ) -> None:
        self._scan = scan
        self._checks = checks
        self._budget_s = budget_s
        self._deferring = deferring
        self._worked = 0.0
        """Seconds for this message, by the wall."""
        self._waiting: list[tuple[Check, AsyncIterator[Hit]]] = []
        """Checks that wait for something; they begin when the others are done."""
        self._waited = 0.0
        self._hits: dict[str, ScoredHit] = {}
        self._unavailable: list[Unavailable] = []
        self._over_budget = False

    def steps(self) -> Iterator[int]:
        """Runs the checks that do not wait. Never raises because of a check."""
        began = time.monotonic()
        meanwhile = self._scan.meanwhile
        self._over_budget = self._scan.message.over_budget
        for check in self._checks:
            if self._is_over(check):
                break
            try:
                found = check.run(self._scan)
                if isinstance(found, Iterator):
                    for one in found:
                        if isinstance(one, Hit):
                            self._note(check, one)
                        else:
                            yield meanwhile.first + one
                else:
                    self._waiting.append((check, found))
            except Exception as e:
                self._failed(check, e)
            self._worked = time.monotonic() - began - meanwhile.seconds
            meanwhile.pass_check()

    async def wait(self) -> None:
        """Runs those that do."""
        for check, found in self._waiting:
            if self._is_over(check):
                break
            try:
                await self._take(check, found)
            except Exception as e:
                self._failed(check, e)

    def report(self) -> Report:
        """All of it."""
        if self._over_budget:
            score, description = OVER_BUDGET_SYMBOL.score, OVER_BUDGET_SYMBOL.description
            self._hits[OVER_BUDGET] = ScoredHit(OVER_BUDGET, score, description)
        took_ms = (self._worked + self._waited) * 1000
        return Report(tuple(self._hits.values()), tuple(self._unavailable), self._over_budget, took_ms)

    def _is_over(self, check: Check) -> bool:
        if self._worked <= self._budget_s:
            return False
        log.warning("over the budget of %g s before check %s", self._budget_s, check.name)
        self._over_budget = True
        return True

    async def _take(self, check: Check, found: AsyncIterator[Hit]) -> None:
        """CheckUnavailable when services have kept the message waiting for too long, all together."""
        began = time.monotonic()
        limit = asyncio.timeout(self._budget_s - self._waited)
        try:
            async with limit:
                async for hit in found:
                    self._note(check, hit)
        except TimeoutError:
            if limit.expired():
                raise CheckUnavailable(f"no answer within {self._budget_s:g} s") from None
            raise
        finally:
            self._waited += time.monotonic() - began

    def _note(self, check: Check, hit: Hit) -> None:
        name = hit.symbol
        if name not in self._hits:
            symbol = check.symbols[name]
            points = round(symbol.score * hit.weight, 3)
            self._hits[name] = ScoredHit(name, points, symbol.description, hit.detail)

    def _failed(self, check: Check, error: Exception) -> None:
        match error:
            case OverBudget():
                self._over_budget = True
                log.warning("check %s: over budget: %s", check.name, error)
                return
            case CheckUnavailable():
                reason = str(error)
            case _:
                log.error("check %s failed", check.name, exc_info=error)
                reason = f"internal error: {type(error).__name__}"
        self._unavailable.append(Unavailable(check.name, reason, check.name in self._deferring))
