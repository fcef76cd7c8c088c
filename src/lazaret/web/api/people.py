"""Who may come in, over the API."""

from starlette.responses import Response

from lazaret.flow.explain import rfc3339
from lazaret.flow.login import plain_name
from lazaret.model.errors import NoSuchMessage
from lazaret.model.person import Person
from lazaret.web.api.calls import answer, body_of
from lazaret.web.api.shapes import ChangeOfPerson, NewPerson
from lazaret.web.people_pages import changed, invited_person, link_for
from lazaret.web.problem import BadRequest
from lazaret.web.visit import Visit


async def people(visit: Visit) -> Response:
    """Everybody who may come in."""
    return answer({"people": [_person(one) for one in await visit.office.store.people.all()]})


async def invite_person(visit: Visit) -> Response:
    """Makes somebody known; the link lets him choose a password, once and within 15 minutes."""
    wish = body_of(visit, NewPerson)
    added = await invited_person(visit, wish.name, wish.role, wish.addresses, wish.domains)
    return answer({"name": added.name, "link": await link_for(visit, added)})


async def change_person(visit: Visit) -> Response:
    """Keeps somebody out, lets him in, takes his second factor away, makes a new link, or forgets him."""
    wish = body_of(visit, ChangeOfPerson)
    person = await visit.office.store.people.named(plain_name(wish.name))
    if person is None:
        raise NoSuchMessage(wish.name)
    if person.id == visit.person.id:
        raise BadRequest("nobody can keep himself out", 422)
    if wish.act == "link":
        return answer({"name": person.name, "link": await link_for(visit, person)})
    await changed(visit, person, wish.act)
    return answer({"name": person.name, "link": ""})


def _person(one: Person) -> dict[str, object]:
    return {
        "name": one.name,
        "role": str(one.role),
        "addresses": list(one.addresses),
        "domains": list(one.domains),
        "disabled": one.disabled,
        "has_password": one.has_password,
        "second_factor": one.second_factor,
        "passkeys": one.passkeys,
        "single_sign_on": one.single_sign_on,
        "language": one.language,
        "made": rfc3339(one.created),
        "last_login": rfc3339(one.last_login) if one.last_login else None,
    }
