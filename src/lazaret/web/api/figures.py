"""Figures, the record of acts, and who asks, over the API."""

import time

from starlette.responses import Response

from lazaret.flow.explain import category_word, rfc3339
from lazaret.flow.rights import Right
from lazaret.flow.simulate import WhatIf
from lazaret.web import plots
from lazaret.web.api.calls import answer, body_of, whole
from lazaret.web.api.figure_shapes import Simulation
from lazaret.web.overview_pages import tried
from lazaret.web.problem import BadRequest
from lazaret.web.visit import Visit

MOST_HOURS = 24 * 366
MOST_SPANS = 1000


async def me(visit: Visit) -> Response:
    """Who asks, and what he may do."""
    person = visit.person
    return answer(
        {
            "name": person.name,
            "role": str(person.role),
            "addresses": list(person.addresses),
            "domains": list(person.domains),
            "rights": [str(right) for right in Right if visit.may(right)],
        }
    )


async def overview(visit: Visit) -> Response:
    """What the filter did in the last hours."""
    hours = whole(visit, "hours", 24, 1, MOST_HOURS)
    found = await visit.office.store.stats.overview(
        since=time.time() - 3600 * hours, sight=visit.person.sight
    )
    return answer(
        {
            "messages": found.messages,
            "octets": found.octets,
            "mean_ms": found.mean_ms,
            "categories": {category_word(letter): n for letter, n in found.categories.items()},
            "actions": found.actions,
            "days": {
                rfc3339(day)[:10]: {category_word(letter): n for letter, n in counts.items()}
                for day, counts in found.days.items()
            },
            "symbols": [
                {
                    "name": s.name,
                    "description": s.description,
                    "messages": s.messages,
                    "mean_score": s.mean_score,
                }
                for s in found.symbols
            ],
            "scores": {str(points): n for points, n in found.scores.items()},
        }
    )


async def volume(visit: Visit) -> Response:
    """Copies by what became of them, span by span."""
    hours, step = whole(visit, "hours", 24, 1, MOST_HOURS), whole(visit, "step", 1, 1, MOST_HOURS)
    if hours > MOST_SPANS * step:
        raise BadRequest(f"that would be more than {MOST_SPANS} spans: make `step` larger", 422)
    now, bucket = time.time(), 3600 * step
    since = now - 3600 * hours
    found = await visit.office.store.figures.volume(since=since, bucket_s=bucket, sight=visit.person.sight)
    spans = [{"begins": rfc3339(at), "actions": found.get(at, {})} for at in plots.starts(since, now, bucket)]
    return answer({"step": step, "spans": spans})


async def senders(visit: Visit) -> Response:
    """Who had most of his messages quarantined."""
    hours = whole(visit, "hours", 24, 1, MOST_HOURS)
    found = await visit.office.store.figures.senders(
        since=time.time() - 3600 * hours,
        top=whole(visit, "limit", 10, 1, 500),
        sight=visit.person.sight,
    )
    return answer({"senders": [{"address": address, "messages": number} for address, number in found]})


async def rules(visit: Visit) -> Response:
    """Rules with their hits, and how much of what they helped to stop was released."""
    hours = whole(visit, "hours", 7 * 24, 1, MOST_HOURS)
    found = await visit.office.store.figures.rules(since=time.time() - 3600 * hours, sight=visit.person.sight)
    return answer(
        {
            "rules": [
                {
                    "name": rule.name,
                    "description": rule.description,
                    "messages": rule.messages,
                    "mean_score": rule.mean_score,
                    "stopped": rule.stopped,
                    "released": rule.released,
                    "released_share": rule.released_share,
                }
                for rule in found
            ]
        }
    )


async def simulate(visit: Visit) -> Response:
    """What other levels would have made of the mail of the last hours."""
    wish = body_of(visit, Simulation)
    levels = WhatIf(wish.mark, wish.quarantine, wish.kill)
    found = await tried(visit, levels, time.time() - 3600 * wish.hours)
    return answer(
        {
            "fates": [
                {"fate": fate, "was": n.was, "would_be": n.would_be, "ham": n.ham, "spam": n.spam}
                for fate, n in found.fates.items()
            ],
            "changed": found.changed,
            "unjudged": found.unjudged,
            "false_positives": found.false_positives,
            "misses": found.misses,
        }
    )


async def audit(visit: Visit) -> Response:
    """Who did what, newest first."""
    limit = whole(visit, "limit", 100, 1, 500)
    found = await visit.office.store.audit.page(
        before=whole(visit, "before", 0, 0, 1 << 53),
        limit=limit + 1,
        who=visit.query.get("who"),
        mail_id=visit.query.get("id"),
    )
    shown = found[:limit]
    acts = [
        {
            "id": act.id,
            "time": rfc3339(act.time),
            "who": act.who,
            "act": act.act,
            "mail_id": act.mail_id,
            "detail": act.detail,
        }
        for act in shown
    ]
    return answer({"acts": acts, "before": shown[-1].id if len(found) > limit else None})


async def check_audit(visit: Visit) -> Response:
    """Whether the record of acts is whole: nothing in it was changed, taken out or cut off."""
    faults = await visit.office.store.audit.verify()
    return answer({"whole": not faults, "faults": faults})
