"""What belongs to whoever asks, over the API: saved searches, and how digests tell of his mail."""

from starlette.responses import Response

from lazaret.config.problems import Unfit
from lazaret.model.digest import Interval, Told, Wish
from lazaret.model.errors import NoSuchMessage
from lazaret.model.saved_search import SavedSearch
from lazaret.web.api.calls import answer, body_of
from lazaret.web.api.shapes import DigestWish, NewName, NewSearch, Nothing
from lazaret.web.digest_pages import checked, of_address
from lazaret.web.problem import BadRequest
from lazaret.web.searches_pages import checked_name, save
from lazaret.web.visit import Visit


async def searches(visit: Visit) -> Response:
    """One's saved searches, by name."""
    found = await visit.office.store.searches.of(visit.person.id)
    return answer({"searches": [_search(one) for one in found]})


async def save_search(visit: Visit) -> Response:
    """Keeps a search; one of the same name is replaced."""
    wish = body_of(visit, NewSearch)
    return answer(_search(await save(visit, wish.name, wish.query, everything=wish.everything)))


async def rename_search(visit: Visit) -> Response:
    """Gives a saved search another name."""
    name = checked_name(body_of(visit, NewName).name)
    if not await visit.office.store.searches.rename(visit.person.id, _number(visit), name):
        raise NoSuchMessage(visit.path("number"))
    return await searches(visit)


async def remove_search(visit: Visit) -> Response:
    """Forgets a saved search."""
    body_of(visit, Nothing)
    if not await visit.office.store.searches.remove(visit.person.id, _number(visit)):
        raise NoSuchMessage(visit.path("number"))
    return await searches(visit)


async def digest(visit: Visit) -> Response:
    """How a recipient is told of his quarantine."""
    address = of_address(visit, visit.query.get("address"))
    return answer(_wish(visit, address, await visit.office.digests.wish(address) if address else Wish()))


async def choose_digest(visit: Visit) -> Response:
    """From now on a recipient is told in this way; `default`: as everybody is."""
    given = body_of(visit, DigestWish)
    address = of_address(visit, given.address)
    if not address:
        raise BadRequest("there is no address under your name: say whose digest you mean", 422)
    wish = None
    if not given.default:
        try:
            wish = checked(
                interval=given.interval,
                hours=given.hours,
                time_zone=given.time_zone,
                language=given.language,
                categories=given.categories,
                say=visit.language,
            )
        except Unfit as error:
            raise BadRequest(str(error), 422) from None
    await visit.office.digests.choose(address, wish, who=f"web:{visit.person.name}")
    return answer(_wish(visit, address, await visit.office.digests.wish(address)))


def _search(one: SavedSearch) -> dict[str, object]:
    return {"id": str(one.id), "name": one.name, "query": one.query, "everything": one.everything}


def _number(visit: Visit) -> int:
    """NoSuchMessage for what is no number."""
    given = visit.path("number")
    if not (given.isascii() and given.isdecimal() and len(given) < 16):
        raise NoSuchMessage(given)
    return int(given)


def _wish(visit: Visit, address: str, wish: Wish) -> dict[str, object]:
    return {
        "enabled": visit.office.config.digest.enabled,
        "address": address,
        "interval": str(Interval(wish.interval)),
        "hours": list(wish.hours),
        "time_zone": wish.time_zone,
        "language": wish.language,
        "categories": [str(Told(told)) for told in wish.categories],
    }
