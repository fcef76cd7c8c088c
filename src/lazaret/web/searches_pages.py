"""One's own searches: kept under a name, renamed, forgotten."""

from starlette.responses import Response

from lazaret.model.errors import UserError
from lazaret.model.saved_search import SavedSearch
from lazaret.store.query import QueryError, parse
from lazaret.store.searches import NAME_LENGTH
from lazaret.web.render import with_query
from lazaret.web.visit import Visit

EX_DATAERR = 65
MAX_QUERY = 4096


async def searches(visit: Visit) -> Response:
    """All of them."""
    return await _searches(visit)


async def change(visit: Visit) -> Response:
    """Keeps, renames or forgets one."""
    form, store, user = visit.form, visit.office.store.searches, visit.person.id
    act, number = form.get("act"), form.get("id")
    try:
        if act == "save":
            name, query = form.get("name"), form.get("q")
            saved = await save(visit, name, query, everything=form.get("in") == "history")
            return visit.go(path_of(saved))
        if not number.isdecimal() or len(number) > 15:
            return visit.go("/searches")
        if act == "rename":
            await store.rename(user, int(number), checked_name(form.get("name")))
        elif act == "remove":
            await store.remove(user, int(number))
    except UserError as error:
        return await _searches(visit, problem=str(error))
    return visit.go("/searches")


async def save(visit: Visit, name: str, query: str, *, everything: bool) -> SavedSearch:
    """Keeps a search of whoever came. UserError says what is wrong with its name or query."""
    if len(query) > MAX_QUERY:
        raise UserError(f"a query has at most {MAX_QUERY} characters", EX_DATAERR)
    try:
        parse(query)
    except QueryError as error:
        raise UserError(error.problem, EX_DATAERR) from None
    return await visit.office.store.searches.save(
        visit.person.id, checked_name(name), query, everything=everything
    )


def checked_name(name: str) -> str:
    """Blanks folded. UserError when it is empty or too long."""
    folded = " ".join(name.split())
    if not folded or len(folded) > NAME_LENGTH or not folded.isprintable():
        raise UserError(f"a name has from 1 to {NAME_LENGTH} characters", EX_DATAERR)
    return folded


def path_of(search: SavedSearch) -> str:
    """Where its messages are shown."""
    return with_query("/mail", q=search.query, **{"in": "history" if search.everything else ""})


async def _searches(visit: Visit, problem: str = "") -> Response:
    found = await visit.office.store.searches.of(visit.person.id)
    return visit.page(
        "searches.html",
        422 if problem else 200,
        problem=problem,
        searches=[(one, path_of(one)) for one in found],
        longest=NAME_LENGTH,
    )
