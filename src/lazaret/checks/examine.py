"""Runs the checks over a message and prices what they found."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

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
    message waits for it says `on_unavailable` (check name -> "ignore" or "defer"). A message that
    exhausts the budget of `budget_s` seconds keeps the hits found so far, gets LAZARET_OVER_BUDGET,
    and the checks that are left do not run.
    """
    started = time.monotonic()
    deadline = started + budget_s
    wishes = on_unavailable or {}
    hits: dict[str, ScoredHit] = {}
    unavailable: list[Unavailable] = []
    over_budget = scan.message.over_budget
    for check in checks:
        if time.monotonic() > deadline:
            over_budget = True
            break
        try:
            await _run(check, scan, hits, deadline)
        except OverBudget as e:
            over_budget = True
            log.warning("check %s: over budget: %s", check.name, e)
        except TimeoutError:
            over_budget = True
            log.warning("check %s: over the budget of %g s", check.name, budget_s)
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


async def _run(check: Check, scan: Scan, hits: dict[str, ScoredHit], deadline: float) -> None:
    """Collects as it goes, so that what was found before a failure counts."""
    found = check.run(scan)
    if isinstance(found, Iterator):
        for hit in found:
            hits.setdefault(hit.symbol, _scored(hit, check.symbols[hit.symbol]))
        return
    await _run_waiting(found, check, hits, deadline)


async def _run_waiting(
    found: AsyncIterator[Hit], check: Check, hits: dict[str, ScoredHit], deadline: float
) -> None:
    async with asyncio.timeout(deadline - time.monotonic()):
        async for hit in found:
            hits.setdefault(hit.symbol, _scored(hit, check.symbols[hit.symbol]))


def _scored(hit: Hit, symbol: Symbol) -> ScoredHit:
    return ScoredHit(hit.symbol, round(symbol.score * hit.weight, 3), symbol.description, hit.detail)
