"""The list: a query, filters, pages by cursor; without a script, and quicker with one."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from starlette.responses import Response

from lazaret.flow.rights import Right
from lazaret.model.errors import UserError
from lazaret.model.quarantine import Line
from lazaret.model.saved_search import SavedSearch
from lazaret.model.verdict import Levels
from lazaret.store.query import QueryError
from lazaret.web.filters import value_of, with_term, without_field
from lazaret.web.form import Form
from lazaret.web.render import with_query
from lazaret.web.rows import row_of, tag_of
from lazaret.web.searches_pages import path_of
from lazaret.web.visit import Visit

PAGE = 50
COUNTED = 1_000
"""Counting ends here: nobody needs to know more, and it would take long."""
OVERLAP_S = 60
"""A message may be stored so long after it came in: its scan takes time, and so does a database. It then
stands below others that are shown already."""

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
class View:
    """What is listed, and how: all that the address of a list says but for the place in it."""

    query: str
    everything: bool
    """All mail, not only the quarantine."""
    each: bool
    """Each message by itself, those that are alike too."""

    @classmethod
    def of(cls, form: Form) -> "View":
        """As a query string or a form says."""
        return cls(form.get("q")[:4096], form.get("in") == "history", form.get("each") == "1")

    @property
    def grouped(self) -> bool:
        """One line for those that are alike; but who has opened such a line sees each."""
        return not self.each and not value_of(self.query, "campaign")

    def path(self, after: str = "") -> str:
        """Where it is."""
        place = "history" if self.everything else ""
        return with_query("/mail", q=self.query, **{"in": place, "each": self.each and 1}, after=after)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a list, or what is wrong with the query."""

    lines: Sequence[Line]
    next: str = ""
    """Cursor of the next page; empty: there is none."""
    count: int | None = None
    """None: counting took too long, or was not wanted."""
    since: float = 0.0
    """Since when was searched; 0: all there is."""
    problem: str = ""
    caret: str = ""


async def search(visit: Visit) -> Response:
    """The page."""
    view, after = View.of(visit.query), visit.query.get("after")
    found, saved = await asyncio.gather(
        _found(visit, view, after), visit.office.store.searches.of(visit.person.id)
    )
    levels = levels_of(visit)
    return visit.page(
        "search.html",
        422 if found.problem else 200,
        view=view,
        after=after,
        found=found,
        counted=COUNTED,
        rows=[row_of(line, visit.visitor, levels) for line in found.lines],
        filters=_filters(visit, view),
        saved=[_saved(visit, one, view) for one in saved],
        newest="" if after else newest_of(found.lines) or f"{time.time():.0f}-",
        next_page=view.path(found.next) if found.next else "",
        first_page=view.path(),
        other_place=replace(view, everything=not view.everything).path(),
        other_way=replace(view, each=not view.each).path(),
        narrowed=_narrowing(visit, view),
        alike=_alike(visit, view),
        may_bulk=visit.may(Right.RELEASE) or visit.may(Right.DELETE),
        done=visit.query.get("done"),
    )


async def fresh(visit: Visit) -> Response:
    """The newest lines, to be put among those that the reader has; 204 when they are the same.

    `newer` is the `data-newest` that came with the lines that he has.
    """
    view, known = View.of(visit.query), visit.query.get("newer")
    found = await visit.visitor.news(
        view.query,
        since=max(0, moment_of(known) - OVERLAP_S),
        grouped=view.grouped,
        everything=view.everything,
        limit=PAGE,
    )
    newest = newest_of(found.lines)
    if newest in ("", known):
        return Response(status_code=204)
    levels = levels_of(visit)
    return visit.page(
        "rows.html",
        view=view,
        newest=newest,
        rows=[row_of(line, visit.visitor, levels) for line in found.lines],
        narrowed=_narrowing(visit, view),
        alike=_alike(visit, view),
        may_bulk=visit.may(Right.RELEASE) or visit.may(Right.DELETE),
    )


def newest_of(lines: Sequence[Line]) -> str:
    """The moment of the newest line, and a mark of all that a look for news finds again: "" for no lines."""
    if not lines:
        return ""
    moment = int(lines[0].item.time)
    again = [
        f"{tag_of(line.item)} {line.members} {line.more}"
        for line in lines
        if line.item.time >= moment - OVERLAP_S
    ]
    return f"{moment}-{hashlib.sha256(repr(again).encode()).hexdigest()[:16]}"


def moment_of(newest: str) -> int:
    """The moment in what `newest_of` gave; 0 for anything else."""
    moment = newest.partition("-")[0]
    return int(moment) if moment.isdecimal() and moment.isascii() and len(moment) < 12 else 0


def levels_of(visit: Visit) -> Levels:
    """The site's levels, by which scores are coloured."""
    levels = visit.office.config.levels
    return Levels(levels.tag, levels.mark, levels.quarantine, levels.kill)


async def _found(visit: Visit, view: View, after: str) -> Found:
    try:
        found = await visit.visitor.lines(
            view.query,
            everything=view.everything,
            limit=PAGE,
            after=after,
            grouped=view.grouped,
            counted=COUNTED + 1,
        )
    except QueryError as error:
        caret = error.rendered().partition("\n")[2]
        return Found([], problem=error.problem, caret=caret)
    except UserError as error:
        return Found([], problem=str(error))
    return Found(found.lines, found.next, count=found.count, since=found.since)


def _narrowing(visit: Visit, view: View) -> Callable[[str, str], str]:
    """What a click on a sender, a rule or a recipient leads to."""
    return cache(
        lambda field, value: visit.url(replace(view, query=with_term(view.query, field, value)).path())
    )


def _alike(visit: Visit, view: View) -> Callable[[str], str]:
    """What a click on the number of those that are alike leads to: each of them."""
    return lambda campaign: visit.url(
        replace(view, query=with_term(view.query, "campaign", campaign), each=False).path()
    )


def _saved(visit: Visit, one: SavedSearch, view: View) -> Choice:
    chosen = (one.query, one.everything) == (view.query.strip(), view.everything)
    return Choice(one.name, visit.url(path_of(one)), chosen)


def _filters(visit: Visit, view: View) -> list[tuple[str, list[Choice]]]:
    groups = []
    for label, field, values in FILTERS:
        chosen = value_of(view.query, field)
        if field == "state" and view.everything:
            values = HISTORY_STATES
        groups.append((label, [_choice(visit, view, field, value, chosen) for value in values]))
    return groups


def _choice(visit: Visit, view: View, field: str, value: str, chosen: str) -> Choice:
    other = without_field(view.query, field) if value == chosen else with_term(view.query, field, value)
    return Choice(value, visit.url(replace(view, query=other).path()), value == chosen)
