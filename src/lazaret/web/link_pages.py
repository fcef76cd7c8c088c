"""What the links in mails open, without a login: one copy of one message, or how one recipient is told.

Looking changes nothing, however often and by whatever program: mail scanners fetch links before people do.
Only a form that was sent acts, and on the copy of this recipient alone. The text stays closed.
"""

import time

from starlette.responses import Response

from lazaret.flow.links import Link, LinkExpired, LinkInvalid, Purpose, holder
from lazaret.flow.rights import Right
from lazaret.model.errors import NoSuchMessage
from lazaret.model.quarantine import State
from lazaret.web import reasons
from lazaret.web.acting import act_on
from lazaret.web.digest_pages import saved, shown
from lazaret.web.visit import Visit

ACTS = ("release", "request", "delete", "undelete")


async def show(visit: Visit) -> Response:
    """The page."""
    link = _link(visit)
    if isinstance(link, Response):
        return link
    if link.purpose is Purpose.DIGEST:
        return await shown(visit, link.recipient, _here(visit))
    return await _message(visit, link)


async def act(visit: Visit) -> Response:
    """Takes the form of that page."""
    link = _link(visit)
    if isinstance(link, Response):
        return link
    if link.purpose is Purpose.DIGEST:
        return await saved(visit, link.recipient, _here(visit), who=f"link:{link.recipient}")
    wish = visit.form.get("act")
    if wish not in ACTS:
        return await _message(visit, link)
    outcome = await act_on(holder(link, visit.office.desk, visit.office.matrix), link.written_id, wish)
    return await _message(visit, link, outcome, done=wish)


async def _message(visit: Visit, link: Link, outcome: object = None, done: str = "") -> Response:
    visitor = holder(link, visit.office.desk, visit.office.matrix)
    try:
        detail = await visitor.show(link.written_id)
    except NoSuchMessage:
        return _told(visit, 404, visit.language("This message is not kept any more."))
    item = detail.item
    copy = item.copies[0]
    kept = item.stored and copy.state.kept
    return visit.page(
        "link.html",
        item=item,
        copy=copy,
        recipient=link.recipient,
        reasons=reasons.reasons(detail, visit.language),
        outcome=outcome,
        done=done,
        releasable=kept and copy.state.releasable and visitor.may(Right.RELEASE, item),
        requestable=kept and copy.state.releasable and visitor.may(Right.REQUEST, item),
        pending=copy.state is State.PENDING,
        deletable=kept and copy.state.releasable and visitor.may(Right.DELETE, item),
        restorable=kept and copy.state is State.DELETED and visitor.may(Right.DELETE, item),
    )


def _here(visit: Visit) -> str:
    return visit.url(f"/d/{visit.path('token')}")


def _link(visit: Visit) -> Link | Response:
    """What the link is for, or the page that says why it is none."""
    try:
        return visit.office.links.read(visit.path("token"), time.time())
    except LinkExpired:
        text = "The time of this link is over. Sign in, or wait for the next digest."
        return _told(visit, 410, visit.language(text))
    except LinkInvalid:
        text = "This link was not made here, or was cut off. Copy it from the mail once more."
        return _told(visit, 404, visit.language(text))


def _told(visit: Visit, status: int, problem: str) -> Response:
    return visit.page("error.html", status, problem=problem)
