"""The overview: how much came by and what became of it, and what other levels would have made of it."""

import asyncio
import time

from starlette.responses import Response

from lazaret import app
from lazaret.flow.simulate import Outcome, WhatIf, judge
from lazaret.model.errors import UserError
from lazaret.store.reader import SearchStopped
from lazaret.web import plots
from lazaret.web.search_pages import levels_of
from lazaret.web.visit import Visit

SPANS = {"24h": (86_400, 3600), "7d": (7 * 86_400, 6 * 3600), "30d": (30 * 86_400, 86_400)}
"""Name -> (seconds, seconds of a bar)."""


async def overview(visit: Visit) -> Response:
    """The page."""
    span = visit.query.get("span") if visit.query.get("span") in SPANS else "24h"
    seconds, bucket = SPANS[span]
    now = time.time()
    since = now - seconds
    store = visit.office.store
    levels = levels_of(visit)
    seen = visit.person.sight
    try:
        found, spans, senders = await asyncio.gather(
            store.stats.overview(since=since, top=12, sight=seen),
            store.figures.volume(since=since, bucket_s=bucket, sight=seen),
            store.figures.senders(since=since, sight=seen),
        )
    except SearchStopped as error:
        return visit.page("error.html", 503, problem=str(error))
    return visit.page(
        "overview.html",
        span=span,
        spans=list(SPANS),
        found=found,
        senders=senders,
        volume=plots.volume(spans, since, now, bucket),
        histogram=plots.histogram(found.scores, levels),
        fates=[fate for fate in plots.FATES if found.actions.get(fate)],
        became=plots.BECAME,
        levels=levels,
        tried=await _tried(visit, since),
    )


async def _tried(visit: Visit, since: float) -> Outcome | None:
    """What the levels of the form would have made of it; None when it has none that make sense."""
    try:
        wished = [float(visit.query.get(name).replace(",", ".")) for name in ("mark", "quarantine", "kill")]
        if not all(-1000 <= points <= 1000 for points in wished):
            return None
        levels = WhatIf(*wished)
    except (ValueError, UserError):
        return None
    return await tried(visit, levels, since)


async def tried(visit: Visit, levels: WhatIf, since: float) -> Outcome:
    """What these levels would have made of the mail since then."""
    simulator = app.make_simulator(visit.office.config, visit.office.store)
    return judge(await simulator.copies(since=since, sight=visit.person.sight), levels)


async def rules(visit: Visit) -> Response:
    """Rules with their hits, and how much of what they helped to stop was released."""
    days = {"7": 7, "30": 30, "90": 90}.get(visit.query.get("days"), 7)
    try:
        found = await visit.office.store.figures.rules(
            since=time.time() - days * 86_400, sight=visit.person.sight
        )
    except SearchStopped as error:
        return visit.page("error.html", 503, problem=str(error))
    wanted = visit.query.get("name")[:128].upper()
    shown = [rule for rule in found if wanted in rule.name.upper()]
    if visit.query.get("by") == "released":
        shown.sort(key=lambda rule: (-rule.released_share, -rule.released, rule.name))
    return visit.page(
        "rules.html", days=days, rules=shown, name=visit.query.get("name")[:128], by=visit.query.get("by")
    )
