"""Passkeys: coming in by one, and those of one's own account."""

import math

from starlette.responses import JSONResponse, Response

from lazaret.flow.login import Entered, LoginFailed, who
from lazaret.flow.passkeys import Party
from lazaret.model.errors import NoSuchMessage, UserError
from lazaret.web.login_pages import come_in, login_form
from lazaret.web.proof import prove_again, refusal, status_of
from lazaret.web.relying_party import party_of
from lazaret.web.second_factor_pages import is_last, required
from lazaret.web.visit import Visit

EX_DATAERR = 65


async def request(visit: Visit) -> Response:
    """What the script of the login asks a browser for."""
    return JSONResponse(visit.office.passkeys.request(_party(visit), visit.secret))


async def enter(visit: Visit) -> Response:
    """Takes what a browser has answered."""
    form, wish = visit.form, visit.own_path(visit.form.get("next"))
    try:
        secret = await visit.office.passkeys.come_in(
            _party(visit),
            visit.secret,
            form.get("token"),
            form.get("answer"),
            remote=visit.way.remote,
            half=form.get("half")[:100],
        )
    except LoginFailed as failed:
        say = visit.language
        problem = say("This passkey did not let you in.")
        if failed.wait_s:
            problem = say.many(
                "Too many attempts failed. Try again in {n} minute.",
                "Too many attempts failed. Try again in {n} minutes.",
                math.ceil(failed.wait_s / 60),
            )
        return login_form(visit, wish, problem=problem, status=429 if failed.wait_s else 403)
    return await come_in(visit, Entered(secret), wish)


async def script(visit: Visit) -> Response:
    """What talks to the browser about passkeys, before the login too."""
    return Response(visit.pages.passkey_script, media_type="text/javascript")


async def show(visit: Visit) -> Response:
    """Those that there are, and the way to another; `remove` names the one that is to go."""
    return await _page(visit, going=visit.query.get("remove"))


async def creation(visit: Visit) -> Response:
    """What the script asks a browser to make."""
    return JSONResponse(await visit.office.passkeys.creation(visit.person, _party(visit), visit.secret))


async def change(visit: Visit) -> Response:
    """Takes one of the forms."""
    form, person, store = visit.form, visit.person, visit.office.store.passkeys
    act = form.get("act")
    if act == "add":
        return await _add(visit)
    if act == "rename" and form.get("label").strip():
        await store.rename(person.id, form.get("name"), form.get("label"))
    elif act == "remove":
        return await _remove(visit)
    return visit.go("/account/passkeys")


async def removed(visit: Visit, name: str, password: str, code: str) -> bool:
    """Takes a passkey away from whoever shows that he is its owner; False when he has none of this name.

    LoginFailed; UserError for the last one of a role that must have a second factor.
    """
    await prove_again(visit, password, code)
    if is_last(visit):
        raise UserError("it is your only second factor, and your role must have one", EX_DATAERR)
    return await visit.office.store.passkeys.remove(visit.person.id, name, who=who(visit.person))


async def _add(visit: Visit) -> Response:
    form, person = visit.form, visit.person
    try:
        await prove_again(visit, form.get("password"), form.get("code"))
        await visit.office.passkeys.add(
            person, _party(visit), visit.secret, form.get("token"), form.get("answer"), form.get("label")
        )
    except LoginFailed as failed:
        return await _page(visit, refusal(visit, failed), status_of(failed))
    except UserError:
        return await _page(visit, visit.language("This passkey was not taken. Try it once more."), 422)
    return visit.go("/account/passkeys")


async def _remove(visit: Visit) -> Response:
    form, name = visit.form, visit.form.get("name")
    try:
        await removed(visit, name, form.get("password"), form.get("code"))
    except LoginFailed as failed:
        return await _page(visit, refusal(visit, failed), status_of(failed), going=name)
    except UserError as error:
        return await _page(visit, str(error), 422)
    return visit.go("/account/passkeys")


async def _page(visit: Visit, problem: str = "", status: int = 200, *, going: str = "") -> Response:
    passkeys = await visit.office.store.passkeys.of(visit.person.id)
    return visit.page(
        "passkeys.html",
        status,
        problem=problem,
        passkeys=passkeys,
        going=next((one for one in passkeys if one.name == going), None),
        possible=party_of(visit) is not None,
        required=required(visit) and not visit.person.second_factor,
    )


def _party(visit: Visit) -> Party:
    party = party_of(visit)
    if party is None:
        raise NoSuchMessage("passkeys")
    return party
