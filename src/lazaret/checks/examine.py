"""Runs the checks over a message and prices what they found."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from lazaret.checks import Check, CheckUnavailable, OverBudget, Scan, Symbol
from lazaret.model.verdict import Hit, Report, ScoredHit, Unavailable

log = logging.getLogger("lazaret.checks")

OVER_BUDGET = "LAZARET_OVER_BUDGET"
OVER_BUDGET_SYMBOL = Symbol(
    5.0, "The message is built so that examining it would take too long or too much memory"
)


async def examine(
    scan: Scan, checks: Sequence[Check], *, budget_s: float, on_unavailable: Mapping[str, str] | None = None
) -> Report:
    """All hits of all checks, each symbol once.

    A check that cannot answer, or fails, is reported as unavailable and decides nothing; whether the
    message waits for it says `on_unavailable` (check name -> "ignore" or "defer"). A message that costs
    more than `budget_s` seconds of work keeps the hits found so far, gets LAZARET_OVER_BUDGET, and the
    checks that are left do not run. Waiting is not work: services that keep us waiting for longer than
    `budget_s`, all together, are unavailable.
    """
    started = time.monotonic()
    patience = _Patience(budget_s)
    wishes = on_unavailable or {}
    hits: dict[str, ScoredHit] = {}
    unavailable: list[Unavailable] = []
    over_budget = scan.message.over_budget
    for check in checks:
        if time.monotonic() - started - patience.waited > budget_s:
            log.warning("over the budget of %g s before check %s", budget_s, check.name)
            over_budget = True
            break
        try:
            await _run(check, scan, hits, patience)
        except OverBudget as e:
            over_budget = True
            log.warning("check %s: over budget: %s", check.name, e)
        except CheckUnavailable as e:
            unavailable.append(Unavailable(check.name, str(e), wishes.get(check.name) == "defer"))
        except Exception as e:
            log.exception("check %s failed", check.name)
            reason = f"internal error: {type(e).__name__}"
            unavailable.append(Unavailable(check.name, reason, wishes.get(check.name) == "defer"))
    if over_budget:
        hits[OVER_BUDGET] = _scored(Hit(OVER_BUDGET), OVER_BUDGET_SYMBOL)
    took_ms = (time.monotonic() - started) * 1000
    return Report(tuple(hits.values()), tuple(unavailable), over_budget, took_ms)


def explained(report: Report, scan: Scan, checks: Sequence[Check]) -> Report:
    """The same, with words where a check leaves them out because they cost more than the check itself.

    Such a check has a method `explain(scan)`. For a message that somebody will look at.
    """
    hits = list(report.hits)
    for check in checks:
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


class _Patience:
    """How long services may keep one message waiting, all of them together."""

    def __init__(self, budget_s: float) -> None:
        self._budget_s = budget_s
        self.waited = 0.0

    async def take(self, found: AsyncIterator[Hit], check: Check, hits: dict[str, ScoredHit]) -> None:
        """Collects what the check finds. CheckUnavailable when it takes too long."""
        began = time.monotonic()
        limit = asyncio.timeout(self._budget_s - self.waited)
        try:
            async with limit:
                async for hit in found:
                    hits.setdefault(hit.symbol, _scored(hit, check.symbols[hit.symbol]))
        except TimeoutError:
            if limit.expired():
                raise CheckUnavailable(f"no answer within {self._budget_s:g} s") from None
            raise
        finally:
            self.waited += time.monotonic() - began


async def _run(check: Check, scan: Scan, hits: dict[str, ScoredHit], patience: _Patience) -> None:
    """Collects as it goes, so that what was found before a failure counts."""
    found = check.run(scan)
    if not isinstance(found, Iterator):
        await patience.take(found, check, hits)
        return
    for hit in found:
        hits.setdefault(hit.symbol, _scored(hit, check.symbols[hit.symbol]))


def _scored(hit: Hit, symbol: Symbol) -> ScoredHit:
    return ScoredHit(hit.symbol, round(symbol.score * hit.weight, 3), symbol.description, hit.detail)
