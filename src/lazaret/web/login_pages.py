"""Coming in and going out: the login, the link of an invitation, the logout."""

import math

from starlette.responses import Response

from lazaret.flow.login import MIN_PASSWORD, Entered, LoginFailed
from lazaret.model.errors import UserError
from lazaret.web.door import SESSION_COOKIE, set_cookie
from lazaret.web.proof import refusal, status_of
from lazaret.web.relying_party import party_of
from lazaret.web.visit import Visit


async def login(visit: Visit) -> Response:
    """The form. With `?invite=` it chooses a password; looking at it uses nothing up."""
    if invite := visit.query.get("invite"):
        return await _invitation(visit, invite)
    if visit.at_desk is not None:
        return visit.go("/")
    return login_form(visit, visit.own_path(visit.query.get("next")))


async def log_in(visit: Visit) -> Response:
    """Takes the form."""
    if "invite" in visit.form:
        return await _accept(visit, visit.form.get("invite"))
    if "half" in visit.form:
        return await _prove(visit, visit.form.get("half"))
    wish = visit.own_path(visit.form.get("next"))
    name = visit.form.get("name")
    try:
        entered = await visit.office.doorkeeper.login(
            name, visit.form.get("password"), remote=visit.way.remote
        )
    except LoginFailed as failed:
        problem = visit.language("Name or password is wrong.")
        if failed.wait_s:
            minutes = math.ceil(failed.wait_s / 60)
            problem = visit.language.many(
                "Too many attempts failed. Try again in {n} minute.",
                "Too many attempts failed. Try again in {n} minutes.",
                minutes,
            )
        return login_form(visit, wish, name=name, problem=problem, status=429 if failed.wait_s else 403)
    return await come_in(visit, entered, wish)


async def _prove(visit: Visit, half: str) -> Response:
    """Takes the code that was asked for after the password."""
    wish = visit.own_path(visit.form.get("next"))
    try:
        secret = await visit.office.second_factor.come_in(
            half, visit.form.get("code"), remote=visit.way.remote
        )
    except LoginFailed as failed:
        return await _ask_code(visit, half, wish, refusal(visit, failed), status_of(failed))
    if secret is None:
        say = visit.language
        return login_form(visit, wish, problem=say("That took too long. Sign in once more."), status=403)
    return await come_in(visit, Entered(secret), wish)


async def _ask_code(visit: Visit, half: str, wish: str, problem: str = "", status: int = 200) -> Response:
    person = await visit.office.second_factor.waiting(half)
    return visit.page(
        "code.html",
        status,
        half=half,
        next=wish,
        problem=problem,
        totp=person is None or person.totp,
        passkeys=person is not None and person.passkeys > 0 and party_of(visit) is not None,
    )


async def log_out(visit: Visit) -> Response:
    """Ends the session."""
    await visit.office.doorkeeper.logout(visit.secret, visit.person)
    response = visit.go("/login?out=1")
    response.delete_cookie(SESSION_COOKIE, path=visit.way.prefix or "/")
    return response


def login_form(visit: Visit, wish: str, name: str = "", problem: str = "", status: int = 200) -> Response:
    """Where people sign in."""
    return visit.page(
        "login.html",
        status,
        next=wish,
        name=name,
        problem=problem,
        passkeys=party_of(visit) is not None,
    )


async def _invitation(visit: Visit, invite: str, problem: str = "") -> Response:
    person = await visit.office.doorkeeper.invited(invite)
    if person is None:
        return lapsed(visit)
    return visit.page(
        "invitation.html",
        422 if problem else 200,
        invite=invite,
        invited=person,
        problem=problem,
        shortest=MIN_PASSWORD,
    )


async def _accept(visit: Visit, invite: str) -> Response:
    password = visit.form.get("password")
    say = visit.language
    if password != visit.form.get("again"):
        return await _invitation(visit, invite, say("The two passwords differ."))
    try:
        entered = await visit.office.doorkeeper.accept(invite, password, remote=visit.way.remote)
    except UserError:
        return await _invitation(
            visit, invite, say("A password has at least {n} characters.", n=MIN_PASSWORD)
        )
    return await come_in(visit, entered, "/") if entered else lapsed(visit)


def lapsed(visit: Visit) -> Response:
    """A link that does not hold, or holds no more."""
    say = visit.language
    return visit.page(
        "error.html",
        410,
        problem=say("This link was used already, or its time is over. Ask for a new one."),
    )


async def come_in(visit: Visit, entered: Entered, wish: str) -> Response:
    """Gives the cookie of a session that has begun, or asks for the code that is still wanted."""
    if entered.code_wanted:
        return await _ask_code(visit, entered.secret, wish)
    response = visit.go(wish)
    set_cookie(visit, response, SESSION_COOKIE, entered.secret)
    return response
