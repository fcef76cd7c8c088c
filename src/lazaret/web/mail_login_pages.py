"""Coming in by a link in a mail: asking for it, and using it. Only the button uses it up."""

import math

from starlette.responses import Response

from lazaret.flow.login import LoginFailed
from lazaret.model.errors import NoSuchMessage
from lazaret.web.login_pages import come_in, lapsed
from lazaret.web.visit import Visit


async def ask(visit: Visit) -> Response:
    """The form; with `?link=` the page that the mail leads to."""
    token = visit.query.get("link")
    if not token:
        return _form(visit)
    address = await visit.office.mail_login.address(token)
    if address is None:
        return lapsed(visit)
    return visit.page(
        "mail_login_link.html",
        link=token,
        address=address,
        next=visit.own_path(visit.query.get("next")),
    )


async def send(visit: Visit) -> Response:
    """Takes either form."""
    if "link" in visit.form:
        entered = await visit.office.mail_login.come_in(visit.form.get("link"), remote=visit.way.remote)
        if entered is None:
            return lapsed(visit)
        return await come_in(visit, entered, visit.own_path(visit.form.get("next")))
    _require(visit)
    address = visit.form.get("address")
    try:
        await visit.office.mail_login.ask(
            address,
            visit.language,
            next_path=visit.own_path(visit.form.get("next")),
            remote=visit.way.remote,
        )
    except LoginFailed as failed:
        problem = visit.language.many(
            "That was asked for too often. Try again in {n} minute.",
            "That was asked for too often. Try again in {n} minutes.",
            math.ceil(failed.wait_s / 60),
        )
        return _form(visit, address=address, problem=problem, status=429)
    return _form(visit, address=address, sent=True)


def _form(
    visit: Visit, *, address: str = "", problem: str = "", sent: bool = False, status: int = 200
) -> Response:
    _require(visit)
    wish = visit.own_path(visit.form.get("next") or visit.query.get("next"))
    return visit.page("mail_login.html", status, address=address, problem=problem, sent=sent, next=wish)


def _require(visit: Visit) -> None:
    if not visit.office.config.login_by_mail:
        raise NoSuchMessage("/login/mail")
