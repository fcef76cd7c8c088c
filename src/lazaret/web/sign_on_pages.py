"""Coming in by an OpenID provider: the way there, the way back, and signing out there too."""

import logging
import math

from starlette.responses import JSONResponse, RedirectResponse, Response

from lazaret.flow.login import LoginFailed, Refusal
from lazaret.flow.sign_on import MAX_COOKIE, WAY_S, SignOn
from lazaret.model.errors import LazaretError, NoSuchMessage, StoreUnavailable
from lazaret.web.login_pages import come_in, login_form
from lazaret.web.visit import Visit

log = logging.getLogger("lazaret.login")

COOKIE = "lazaret_sign_on"


async def set_out(visit: Visit) -> Response:
    """To the provider. It changes nothing here: whoever makes a browser open it has won nothing."""
    sign_on, wish = _sign_on(visit), visit.own_path(visit.query.get("next"))
    try:
        way = await sign_on.set_out(wish)
    except LazaretError as error:
        return _away(visit, error)
    response = RedirectResponse(way.url, 303)
    response.set_cookie(
        COOKIE,
        way.cookie,
        max_age=WAY_S,
        path=visit.url("/login/oidc"),
        secure=visit.way.secure,
        httponly=True,
        samesite="lax",
    )
    return response


async def come_back(visit: Visit) -> Response:
    """From the provider, with a code."""
    sign_on, query, say = _sign_on(visit), visit.query, visit.language
    cookie = visit.request.cookies.get(COOKIE, "")[: MAX_COOKIE + 1]
    try:
        back = await sign_on.come_back(
            cookie,
            query.get("state")[:200],
            query.get("code")[:4096],
            query.get("error")[:200],
            remote=visit.way.remote,
        )
    except LoginFailed as failed:
        response = login_form(visit, "/", problem=_said(visit, failed), status=429 if failed.wait_s else 403)
    else:
        if back is None:
            response = login_form(
                visit, "/", problem=say("That took too long. Sign in once more."), status=403
            )
        else:
            response = await come_in(visit, back.entered, back.wish)
    response.delete_cookie(COOKIE, path=visit.url("/login/oidc"))
    return response


async def sign_out(visit: Visit) -> Response:
    """To where the provider ends its own session."""
    sign_on = _sign_on(visit)
    try:
        there = await sign_on.farewell(visit.office.config.web.url + "/login")
    except LazaretError as error:
        return _away(visit, error)
    return RedirectResponse(there, 303) if there else visit.go("/login")


async def signed_out(visit: Visit) -> Response:
    """The provider tells that somebody has signed out there (Back-Channel Logout 1.0, section 2.8)."""
    sign_on = _sign_on(visit)
    try:
        new = await sign_on.signed_out(visit.form.get("logout_token"))
    except StoreUnavailable:
        raise
    except LazaretError as error:
        log.warning("signing out by the provider: from=%s %s", visit.way.remote, error)
        new = False
    answer = {} if new else {"error": "invalid_request"}
    return JSONResponse(answer, 200 if new else 400, {"Cache-Control": "no-store"})


def _said(visit: Visit, failed: LoginFailed) -> str:
    say = visit.language
    if failed.wait_s:
        return say.many(
            "Too many attempts failed. Try again in {n} minute.",
            "Too many attempts failed. Try again in {n} minutes.",
            math.ceil(failed.wait_s / 60),
        )
    if failed.why is Refusal.PROVIDER:
        return say("{name} did not let you in.", name=visit.office.config.oidc.name)
    return say("There is no account here for you. Ask who looks after the mail.")


def _sign_on(visit: Visit) -> SignOn:
    if visit.office.sign_on is None:
        raise NoSuchMessage("/login/oidc")
    return visit.office.sign_on


def _away(visit: Visit, error: LazaretError) -> Response:
    log.error("signing in by the provider: %s", error)
    problem = visit.language("{name} does not answer. Try again soon.", name=visit.office.config.oidc.name)
    return login_form(visit, "/", problem=problem, status=502)
