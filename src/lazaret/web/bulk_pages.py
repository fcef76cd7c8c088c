"""Acts on what was ticked, or on a whole search: counted first, then told item by item."""

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from lazaret.web.acting import ACTS, MOST, act_on_all, all_found
from lazaret.web.filters import with_term
from lazaret.web.render import with_query
from lazaret.web.search_pages import PAGE
from lazaret.web.visit import Visit


async def acts(visit: Visit) -> Response:
    """What was ticked; `act=all` goes on to the question about the whole search."""
    form = visit.form
    act, ids = form.get("act"), form.all("id")
    if act == "all":
        return await _question(visit, ticked=False)
    if act in ACTS and form.all("campaign"):
        return await _question(visit)
    if act not in ACTS or not ids:
        return visit.go(_list(visit))
    return _told(visit, act, ids)


async def everything(visit: Visit) -> Response:
    """All that the search finds, once its number was seen and agreed to."""
    form = visit.form
    act = form.get("act")
    if act not in ACTS or not form.get("seen").isdecimal():
        return await _question(visit)
    found = await _found(visit, ticked=True)
    if len(found) != int(form.get("seen")[:9]):
        return await _question(visit, changed=True)
    return _told(visit, act, found)


async def _question(visit: Visit, *, ticked: bool = True, changed: bool = False) -> Response:
    found = await _found(visit, ticked=ticked)
    campaigns = _campaigns(visit) if ticked else []
    return visit.page(
        "all.html",
        query=visit.form.get("q"),
        place=visit.form.get("in"),
        number=len(found),
        most=MOST,
        changed=changed,
        campaigns=campaigns,
        ids=visit.form.all("id")[:MOST] if campaigns else [],
        back=_list(visit),
    )


async def _found(visit: Visit, *, ticked: bool) -> list[str]:
    """All that the search finds; when lines for several messages were ticked, those and what else was."""
    query, campaigns = visit.form.get("q"), _campaigns(visit) if ticked else []
    if not campaigns:
        return await _ids(visit, query)
    found = dict.fromkeys(visit.form.all("id")[:MOST])
    for campaign in campaigns:
        found.update(dict.fromkeys(await _ids(visit, with_term(query, "campaign", campaign))))
    return list(found)[:MOST]


async def _ids(visit: Visit, query: str) -> list[str]:
    return await all_found(visit.visitor, query, everything=visit.form.get("in") == "history")


def _campaigns(visit: Visit) -> list[str]:
    """Those that were ticked; a page has no more lines."""
    return list(dict.fromkeys(visit.form.all("campaign")))[:PAGE]


def _list(visit: Visit) -> str:
    return with_query("/mail", q=visit.form.get("q"), **{"in": visit.form.get("in")})


def _told(visit: Visit, act: str, ids: list[str]) -> Response:
    """A page that grows as things are done: whoever leaves it stops what was not done yet."""
    return StreamingResponse(_lines(visit, act, ids), media_type="text/html; charset=utf-8")


async def _lines(visit: Visit, act: str, ids: list[str]) -> AsyncIterator[str]:
    def piece(template: str, **values: object) -> str:
        return visit.pages.render(template, visit.language, values | {"visit": visit, "act": act})

    whole = piece("outcomes.html", number=len(ids), back=_list(visit))
    before, after = whole.split("<!--outcomes-->")
    yield before
    done = []
    failed = 0
    async for outcome in act_on_all(visit.visitor, ids, act):
        failed += not outcome.ok
        if outcome.ok:
            done.append(outcome.mail_id)
        yield piece("outcome_row.html", outcome=outcome)
    summary = piece("outcomes_end.html", done=done, failed=failed, back=_list(visit))
    yield after.replace("<!--end-->", summary)
