"""Allowed and blocked senders, over the API."""

import time

from starlette.responses import Response

from lazaret.flow.explain import rfc3339
from lazaret.flow.lists import allows, cursor, effect
from lazaret.flow.login import who
from lazaret.flow.rights import Right
from lazaret.model.policies import ListEntry
from lazaret.policy.keys import in_words
from lazaret.web.api.calls import answer, body_of
from lazaret.web.api.shapes import Listing, NewListing
from lazaret.web.lists_pages import entries_of, may_for
from lazaret.web.problem import BadRequest
from lazaret.web.visit import Visit


async def entries(visit: Visit) -> Response:
    """The entries that one may change."""
    found, more = await entries_of(visit, visit.query.get("q")[:255], visit.query.get("after"))
    return answer({"entries": [_entry(one) for one in found], "next": cursor(found[-1]) if more else None})


async def add_entry(visit: Visit) -> Response:
    """Allows or blocks a sender, for a recipient, a domain or everybody."""
    wish = body_of(visit, NewListing)
    _check(visit, wish)
    written = await visit.office.lists.add(
        [wish.sender],
        allow=wish.kind == "allow",
        who=who(visit.person),
        owners=[wish.owner],
        points=wish.points,
        networks=wish.networks,
        expires=time.time() + wish.days * 86_400 if wish.days else 0,
        note=wish.note,
    )
    return answer({"entries": [_entry(one) for one in written], "next": None})


async def remove_entry(visit: Visit) -> Response:
    """Takes a sender off a list; 422 when he was not on it."""
    wish = body_of(visit, Listing)
    _check(visit, wish)
    missing = await visit.office.lists.remove(
        [wish.sender], allow=wish.kind == "allow", who=who(visit.person), owner=wish.owner
    )
    if missing:
        raise BadRequest(f"{wish.sender} is not on this list", 422)
    return answer({"entries": [], "next": None})


def _check(visit: Visit, wish: Listing) -> None:
    visit.visitor.require(Right.ALLOW if wish.kind == "allow" else Right.BLOCK)
    if not may_for(visit, wish.owner.strip()):
        raise BadRequest("that list is not yours to change", 403)


def _entry(one: ListEntry) -> dict[str, object]:
    return {
        "kind": "allow" if allows(one) else "block",
        "sender": in_words(one.key),
        "owner": in_words(one.owner),
        "effect": effect(one),
        "expires": rfc3339(one.expires) if one.expires else None,
        "note": one.note,
        "who": one.who,
    }
