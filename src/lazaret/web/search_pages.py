"""The list: a query, filters, pages by cursor; without a script, and quicker with one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from starlette.responses import Response

from lazaret.flow.rights import Right
from lazaret.model.errors import UserError
from lazaret.model.quarantine import Item
from lazaret.model.verdict import Levels
from lazaret.store.query import QueryError
from lazaret.store.reader import SearchStopped
from lazaret.web.filters import value_of, with_term, without_field
from lazaret.web.render import with_query
from lazaret.web.rows import row_of
from lazaret.web.searches_pages import path_of
from lazaret.web.visit import Visit

PAGE = 50
COUNTED = 10_000
"""Counting ends here: nobody needs to know more, and it would take long."""

FILTERS = (
    ("State", "state", ("quarantined", "released", "deleted")),
    ("Kind", "category", ("spam", "virus", "banned", "unchecked")),
    ("Received", "since", ("today", "7d", "30d")),
)
HISTORY_STATES = ("quarantined", "released", "delivered", "refused")


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter that one click sets, or takes away."""

    label: str
    path: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a list, or what is wrong with the query."""

    items: list[Item]
    more: bool = False
    count: int | None = None
    """None: counting took too long, or was not wanted."""
    problem: str = ""
    caret: str = ""


async def search(visit: Visit) -> Response:
    """The page."""
    query, everything = visit.query.get("q")[:4096], visit.query.get("in") == "history"
    after = visit.query.get("after")
    found, saved = await asyncio.gather(
        _found(visit, query, everything, after), visit.office.store.searches.of(visit.person.id)
    )
    levels = levels_of(visit)
    return visit.page(
        "search.html",
        422 if found.problem else 200,
        query=query,
        everything=everything,
        after=after,
        found=found,
        counted=COUNTED,
        rows=[row_of(item, visit.visitor, levels) for item in found.items],
        filters=_filters(visit, query, everything),
        saved=[
            Choice(
                one.name, visit.url(path_of(one)), (one.query, one.everything) == (query.strip(), everything)
            )
            for one in saved
        ],
        next_page=_list_path(query, everything, found.items[-1].cursor) if found.more else "",
        first_page=_list_path(query, everything),
        other_place=_list_path(query, not everything),
        narrowed=_narrowing(visit, query, everything),
        may_bulk=visit.may(Right.RELEASE) or visit.may(Right.DELETE),
        done=visit.query.get("done"),
    )


async def fresh(visit: Visit) -> Response:
    """Rows that have come since the newest one that the reader sees; 204 when there are none."""
    query, everything = visit.query.get("q")[:4096], visit.query.get("in") == "history"
    newest = visit.query.get("newer")
    items = await visit.visitor.find(query, everything=everything, limit=PAGE)
    fresh_ones = list(takewhile(lambda item: _position(item.cursor) > _position(newest), items))
    if not fresh_ones:
        return Response(status_code=204)
    levels = levels_of(visit)
    return visit.page(
        "rows.html",
        rows=[row_of(item, visit.visitor, levels) for item in fresh_ones],
        narrowed=_narrowing(visit, query, everything),
        may_bulk=visit.may(Right.RELEASE) or visit.may(Right.DELETE),
    )


def _position(cursor: str) -> tuple[int, str, int]:
    """Where the cursor stands in the order of the list."""
    moment, _, rest = cursor.partition("-")
    tag, _, mail_id = rest.partition("-")
    if not (moment.isdecimal() and tag.isdecimal()) or len(cursor) > 100:
        return 0, "", 0
    return int(moment), mail_id, int(tag)


def levels_of(visit: Visit) -> Levels:
    """The site's levels, by which scores are coloured."""
    levels = visit.office.config.levels
    return Levels(levels.tag, levels.mark, levels.quarantine, levels.kill)


async def _found(visit: Visit, query: str, everything: bool, after: str) -> Found:
    visitor = visit.visitor
    try:
        items, count = await asyncio.gather(
            visitor.find(query, everything=everything, limit=PAGE + 1, after=after),
            _count(visit, query, everything),
        )
    except QueryError as error:
        caret = error.rendered().partition("\n")[2]
        return Found([], problem=error.problem, caret=caret)
    except UserError as error:
        return Found([], problem=str(error))
    return Found(items[:PAGE], more=len(items) > PAGE, count=count)


async def _count(visit: Visit, query: str, everything: bool) -> int | None:
    try:
        return await visit.visitor.count(query, everything=everything, most=COUNTED + 1)
    except SearchStopped:
        return None


def _narrowing(visit: Visit, query: str, everything: bool) -> Callable[[str, str], str]:
    """What a click on a sender, a rule or a recipient leads to."""
    return lambda field, value: visit.url(_list_path(with_term(query, field, value), everything))


def _filters(visit: Visit, query: str, everything: bool) -> list[tuple[str, list[Choice]]]:
    groups = []
    for label, field, values in FILTERS:
        chosen = value_of(query, field)
        if field == "state" and everything:
            values = HISTORY_STATES
        choices = [
            Choice(
                value,
                visit.url(
                    _list_path(
                        without_field(query, field) if value == chosen else with_term(query, field, value),
                        everything,
                    )
                ),
                value == chosen,
            )
            for value in values
        ]
        groups.append((label, choices))
    return groups


def _list_path(query: str, everything: bool, after: str = "") -> str:
    return with_query("/mail", q=query, **{"in": "history" if everything else ""}, after=after)
