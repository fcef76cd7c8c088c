"""Senders who are allowed or blocked: for oneself, for one's domains, for everybody."""

import time
from collections.abc import Sequence

from starlette.responses import Response

from lazaret.flow.lists import allows, cursor, effect
from lazaret.flow.login import who
from lazaret.flow.rights import Right
from lazaret.model.errors import UserError
from lazaret.model.person import Role
from lazaret.model.policies import ListEntry
from lazaret.policy.keys import in_words
from lazaret.web.render import with_query
from lazaret.web.visit import Visit

PAGE = 200
MOST_DAYS = 3650


async def lists(visit: Visit) -> Response:
    """The entries that whoever came may change."""
    return await _lists(visit)


async def change(visit: Visit) -> Response:
    """Adds or removes an entry."""
    form = visit.form
    owner, sender = form.get("owner").strip(), form.get("sender").strip()
    if owner == visit.language("everybody"):
        owner = "everybody"
    allow = form.get("kind") != "block"
    desk = visit.office.lists
    visit.visitor.require(Right.ALLOW if allow else Right.BLOCK)
    if not may_for(visit, owner):
        return await _lists(visit, problem=visit.language("That list is not yours to change."))
    try:
        if form.get("act") == "remove":
            await desk.remove([sender], allow=allow, who=who(visit.person), owner=owner)
        else:
            await desk.add(
                [sender],
                allow=allow,
                who=who(visit.person),
                owners=[owner],
                networks=form.get("network").replace(",", " ").split() if allow else (),
                expires=_until(form.get("days").strip()),
                note=form.get("note").strip()[:255],
            )
    except UserError as error:
        return await _lists(visit, problem=str(error))
    return visit.go("/lists")


def _until(days: str) -> float:
    """So many days from now; 0, for ever, without any. UserError."""
    if not days:
        return 0.0
    if not days.isascii() or not days.isdigit() or not 0 < int(days[:5]) <= MOST_DAYS:
        raise UserError(f"days are a number from 1 to {MOST_DAYS}")
    return time.time() + int(days[:5]) * 86_400


def may_for(visit: Visit, owner: str) -> bool:
    """An admin for all; others for their domains, and for the addresses that they see."""
    if visit.person.role is Role.ADMIN or owner in _owners(visit):
        return True
    return "@" in owner and visit.person.sight.covers(owner)


def _owners(visit: Visit) -> Sequence[str]:
    """Whose lists one may choose from."""
    person = visit.person
    if person.role is Role.ADMIN:
        return ("everybody",)
    return (*person.addresses, *person.domains)


async def entries_of(visit: Visit, containing: str, after: str) -> tuple[list[ListEntry], bool]:
    """A page of the entries that whoever came may change, and whether there are more."""
    desk = visit.office.lists
    if visit.person.role is Role.ADMIN:
        found = await desk.page(containing=containing, limit=PAGE + 1, after=after)
        return found[:PAGE], len(found) > PAGE
    found = [
        entry
        for owner in _owners(visit)
        for entry in await desk.page(owner=owner, containing=containing, limit=PAGE)
    ]
    return found[:PAGE], False


async def _lists(visit: Visit, problem: str = "") -> Response:
    containing = visit.query.get("q")[:255]
    shown, more = await entries_of(visit, containing, visit.query.get("after"))
    older = with_query("/lists", q=containing, after=cursor(shown[-1])) if more else ""
    return visit.page(
        "lists.html",
        422 if problem else 200,
        problem=problem,
        entries=[
            (entry, in_words(entry.owner), in_words(entry.key), allows(entry), effect(entry, visit.language))
            for entry in shown
        ],
        owners=_owners(visit),
        containing=containing,
        older=older,
        sender=visit.query.get("sender")[:320],
    )
