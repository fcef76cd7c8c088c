"""One message: why it is here, what it says, what can be done with it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response

from lazaret.flow.rights import Right
from lazaret.mime.message import parse
from lazaret.model.errors import NoSuchMessage
from lazaret.model.quarantine import Detail, State
from lazaret.web import reading, reasons, safe_html
from lazaret.web.acting import released
from lazaret.web.filters import with_term
from lazaret.web.render import with_query
from lazaret.web.rows import level_of, tag_of
from lazaret.web.search_pages import levels_of
from lazaret.web.visit import Visit

T = TypeVar("T")

SHOWN_FIELDS = ("From", "To", "Cc", "Reply-To", "Date", "Subject")


async def message(visit: Visit) -> Response:
    """The page."""
    visitor = visit.visitor
    detail = await visitor.show(visit.path("id"))
    item = detail.item
    read = None
    if item.stored and visitor.may(Right.PREVIEW, item):
        octets = (await visitor.text(detail)).message
        read = await _in_thread(reading.read, octets)
    levels = levels_of(visit)
    added, taken, unscored = reasons.split_hits(detail.hits)
    kept = [copy for copy in item.copies if copy.state.kept]
    return visit.page(
        "message.html",
        detail=detail,
        item=item,
        tag=tag_of(item),
        level=level_of(item.score, levels),
        reasons=reasons.reasons(detail, visit.language),
        scale=reasons.scale(item.score, levels),
        added=added,
        taken=taken,
        unscored=unscored,
        read=read,
        closed=item.stored and read is None,
        remote=visit.query.get("remote") == "1",
        releasable=bool(kept) and item.stored and visitor.may(Right.RELEASE, item),
        requestable=any(copy.state is not State.PENDING for copy in kept)
        and item.stored
        and visitor.may(Right.REQUEST, item),
        deletable=item.stored and visitor.may(Right.DELETE, item) and _any(detail, State.DELETED, but=True),
        restorable=item.stored and visitor.may(Right.DELETE, item) and _any(detail, State.DELETED),
        redirectable=item.stored and visitor.may(Right.REDIRECT, item),
        learnable=item.stored and visitor.may(Right.LEARN, item),
        allowable=visitor.may(Right.ALLOW, item),
        listable=visitor.may(Right.ALLOW, item) or visitor.may(Right.BLOCK, item),
        downloadable=item.stored and visitor.may(Right.DOWNLOAD, item),
        was_released=any(copy.state is State.RELEASED for copy in item.copies),
        uncertain=any(copy.state is State.UNCERTAIN for copy in item.copies),
        narrowed=lambda field, value: visit.url(with_query("/mail", q=with_term("", field, value))),
        done=visit.query.get("done"),
    )


async def frame(visit: Visit) -> Response:
    """The HTML of a mail, made harmless, for the frame of its page."""
    detail = await visit.visitor.show(visit.path("id"))
    octets = (await visit.visitor.text(detail)).message
    remote = visit.query.get("remote") == "1"
    page = await _in_thread(lambda raw: safe_html.frame(parse(raw), remote=remote), octets)
    return HTMLResponse(page, headers={"Content-Security-Policy": safe_html.policy(remote=remote)})


async def raw(visit: Visit) -> Response:
    """The message, octet by octet as it came in."""
    detail = await visit.visitor.show(visit.path("id"))
    octets = (await visit.visitor.text(detail, Right.DOWNLOAD)).message
    return to_save(octets, f"{detail.item.mail_id}.eml", "message/rfc822")


async def part(visit: Visit) -> Response:
    """One attachment, to be saved and never shown."""
    detail = await visit.visitor.show(visit.path("id"))
    octets = (await visit.visitor.text(detail, Right.DOWNLOAD)).message
    wanted = visit.path("number")
    saved = await _in_thread(lambda raw: reading.saved(raw, wanted), octets)
    if saved is None:
        raise NoSuchMessage(f"{detail.item.mail_id}/{wanted}")
    return to_save(saved[1], saved[0] or f"part-{wanted}", "application/octet-stream")


async def release(visit: Visit) -> Response:
    """To whom it was meant for, or to the addresses of the form."""
    form = visit.form
    to = [address for address in form.get("to").replace(",", " ").split() if address]
    results = await visit.visitor.release(
        visit.path("id"),
        to=to,
        again=form.get("again") == "1",
        learn=form.get("learn") == "1",
        allow_sender=form.get("allow") == "1",
    )
    outcome = replace(released(visit.path("id"), results), problem=visit.visitor.note)
    return visit.page("outcome.html", outcomes=[outcome], act="release", tag=visit.path("id"))


async def learn(visit: Visit) -> Response:
    """Teaches the learner what it is."""
    fate = await visit.visitor.learn(visit.path("id"), spam=visit.form.get("as") == "spam")
    return _back(visit, f"learn-{fate.value}")


async def delete(visit: Visit) -> Response:
    """Marks it; it stays until retention removes it."""
    await visit.visitor.delete(visit.path("id"))
    return _back(visit, "delete")


async def undelete(visit: Visit) -> Response:
    """Takes the mark back."""
    await visit.visitor.undelete(visit.path("id"))
    return _back(visit, "undelete")


async def request(visit: Visit) -> Response:
    """Asks an admin for the release."""
    await visit.visitor.request(visit.path("id"))
    return _back(visit, "request")


def _back(visit: Visit, done: str) -> Response:
    return visit.go(f"/mail/{quote(visit.path('id'))}?done={done}")


def _any(detail: Detail, state: State, *, but: bool = False) -> bool:
    """Whether a copy that was kept is in this state; `but`: in another."""
    return any((copy.state is state) != but for copy in detail.item.copies if copy.state.kept)


def to_save(octets: bytes, name: str, media: str) -> Response:
    """A browser must not show it: it would be a page of ours then."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)[-100:]
    encoded = quote(name[-200:], safe="")
    return Response(
        octets,
        media_type=media,
        headers={
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


async def _in_thread(work: Callable[[bytes], T], octets: bytes) -> T:
    return await asyncio.to_thread(work, octets)
