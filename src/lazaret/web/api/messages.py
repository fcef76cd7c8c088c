"""Messages over the API: found, shown, released, deleted."""

import asyncio
from dataclasses import asdict, replace

from starlette.responses import Response

from lazaret.flow.explain import detail_facts, item_facts, rfc3339
from lazaret.flow.rights import Right
from lazaret.model.quarantine import Item, State
from lazaret.web import acting, reading
from lazaret.web.api.calls import answer, body_of, chosen, once, whole
from lazaret.web.api.shapes import Acts, Decision, Lesson, Nothing, ReleaseWish, SearchActs
from lazaret.web.message_pages import frame, part, to_save
from lazaret.web.problem import BadRequest
from lazaret.web.request_pages import waiting
from lazaret.web.rows import tag_of
from lazaret.web.search_pages import levels_of
from lazaret.web.visit import Visit

PAGE, MOST = 50, 500
COUNTED = 10_000
PLACES = ("quarantine", "history")
WITH_A_MESSAGE = (
    *(Right.PREVIEW, Right.DOWNLOAD, Right.RELEASE, Right.REQUEST, Right.DECIDE, Right.REDIRECT),
    *(Right.DELETE, Right.LEARN, Right.ALLOW, Right.BLOCK),
)


async def find(visit: Visit) -> Response:
    """Messages, newest first."""
    limit = whole(visit, "limit", PAGE, 1, MOST)
    since: list[float] = []
    items = await visit.visitor.find(
        visit.query.get("q"),
        everything=chosen(visit, "in", PLACES) == "history",
        limit=limit + 1,
        after=visit.query.get("after"),
        told=since.append,
    )
    more = len(items) > limit
    shown = items[:limit]
    return answer(
        {
            "messages": [message_facts(i) for i in shown],
            "next": shown[-1].cursor if more else None,
            "searched_since": rfc3339(since[-1]) if since else None,
        }
    )


async def count(visit: Visit) -> Response:
    """How many messages a query finds; counting ends at 10,000."""
    everything = chosen(visit, "in", PLACES) == "history"
    number = await visit.visitor.count(visit.query.get("q"), everything=everything, most=COUNTED + 1)
    return answer({"count": min(number, COUNTED), "more": number > COUNTED})


async def show(visit: Visit) -> Response:
    """All that is known of a message."""
    detail = await visit.visitor.show(visit.path("id"))
    item, levels = detail.item, levels_of(visit)
    more = {
        "levels": {"mark": levels.mark, "quarantine": levels.quarantine, "kill": levels.kill},
        "may": [str(right) for right in WITH_A_MESSAGE if visit.visitor.may(right, item)],
    }
    return answer(detail_facts(detail) | message_facts(item) | more)


async def text(visit: Visit) -> Response:
    """What it says; the reading is written down."""
    detail = await visit.visitor.show(visit.path("id"))
    octets = (await visit.visitor.text(detail)).message
    read = await asyncio.to_thread(reading.read, octets)
    return answer(
        {
            "text": read.text,
            "has_html": read.has_html,
            "links": [asdict(link) for link in read.links],
            "attachments": [_file(file) for file in read.files],
            "header": [{"name": name, "value": value} for name, value in read.fields],
            "path": [{"by": r.by, "ip": r.ip, "helo": r.helo, "rdns": r.rdns} for r in read.path],
            "authentication": [{"method": method, "result": result} for method, result in read.results],
        }
    )


async def html(visit: Visit) -> Response:
    """Its HTML as the page shows it: nothing acts, and nothing is loaded but, with `remote`, pictures."""
    whole(visit, "remote", 0, 0, 1)
    return await frame(visit)


async def raw(visit: Visit) -> Response:
    """The message as it came in; the reading is written down."""
    detail = await visit.visitor.show(visit.path("id"))
    octets = (await visit.visitor.text(detail, Right.DOWNLOAD)).message
    return to_save(octets, f"{detail.item.mail_id}.eml", "message/rfc822")


async def attachment(visit: Visit) -> Response:
    """One attachment, by its number in the text; the reading is written down."""
    return await part(visit)


async def release(visit: Visit) -> Response:
    """Sends it to whom it was meant for, or to the given addresses."""
    wish = body_of(visit, ReleaseWish)
    mail_id = visit.path("id")

    async def act() -> object:
        results = await visit.visitor.release(
            mail_id, to=wish.to, again=wish.again, learn=wish.learn, allow_sender=wish.allow_sender
        )
        return _outcome(replace(acting.released(mail_id, results), problem=visit.visitor.note))

    return await once(visit, act)


async def learn(visit: Visit) -> Response:
    """Teaches the learner what it is."""
    await visit.visitor.show(visit.path("id"))
    lesson = body_of(visit, Lesson)
    return answer({"fate": (await visit.visitor.learn(visit.path("id"), spam=lesson.spam)).value})


async def delete(visit: Visit) -> Response:
    """Marks it deleted; it stays until retention removes it."""
    body_of(visit, Nothing)
    await visit.visitor.delete(visit.path("id"))
    return await _state(visit)


async def undelete(visit: Visit) -> Response:
    """Takes that mark back."""
    body_of(visit, Nothing)
    await visit.visitor.undelete(visit.path("id"))
    return await _state(visit)


async def request(visit: Visit) -> Response:
    """Asks an admin for the release."""
    body_of(visit, Nothing)
    await visit.visitor.request(visit.path("id"))
    return await _state(visit)


async def requests(visit: Visit) -> Response:
    """What users ask to be released, newest first; `to` are those who ask."""
    limit = whole(visit, "limit", PAGE, 1, MOST)
    items = await waiting(visit, limit + 1, visit.query.get("after"))
    more, shown = len(items) > limit, items[:limit]
    return answer(
        {
            "messages": [message_facts(item) for item in shown if item.copies],
            "next": shown[-1].cursor if more else None,
            "searched_since": None,
        }
    )


async def decide(visit: Visit) -> Response:
    """Grants or denies the release that users ask for."""
    wish = body_of(visit, Decision)

    async def act() -> object:
        if wish.grant:
            return _outcome(acting.released(wish.id, await visit.visitor.grant(wish.id)))
        await visit.visitor.deny(wish.id)
        return _outcome(acting.Outcome(wish.id, ok=True, state=State.QUARANTINED.value))

    return await once(visit, act)


async def acts(visit: Visit) -> Response:
    """One act on up to 500 messages, with a result for each."""
    wish = body_of(visit, Acts)

    async def act() -> object:
        outcomes = [_outcome(o) async for o in acting.act_on_all(visit.visitor, wish.ids, wish.act)]
        return {"outcomes": outcomes}

    return await once(visit, act)


async def acts_on_search(visit: Visit) -> Response:
    """One act on all that a search finds, up to 5,000, once their number was seen."""
    wish = body_of(visit, SearchActs)

    async def act() -> object:
        found = await acting.all_found(visit.visitor, wish.query, everything=wish.everything)
        if wish.seen is None:
            return {"count": len(found), "outcomes": None}
        if wish.seen != len(found):
            raise BadRequest(f"the search finds {len(found)} messages by now, not {wish.seen}", 422)
        outcomes = [_outcome(o) async for o in acting.act_on_all(visit.visitor, found, wish.act)]
        return {"count": len(found), "outcomes": outcomes}

    return await once(visit, act)


async def _state(visit: Visit) -> Response:
    item = (await visit.visitor.show(visit.path("id"))).item
    return answer(_outcome(acting.Outcome(tag_of(item), ok=True, state=item.state.value)))


def _file(file: reading.File) -> dict[str, object]:
    return {
        "number": file.number,
        "name": file.name,
        "declared": file.declared,
        "type": file.true,
        "differs": file.differs,
        "size": file.size,
        "sha256": file.sha256,
    }


def message_facts(item: Item) -> dict[str, object]:
    """A message as a row of a list."""
    return item_facts(item) | {
        "id": tag_of(item),
        "cursor": item.cursor,
        "header_from": item.from_header,
        "stored": item.stored,
        "campaign": item.campaign,
    }


def _outcome(outcome: acting.Outcome) -> dict[str, object]:
    return {
        "id": outcome.mail_id,
        "ok": outcome.ok,
        "state": outcome.state,
        "problem": outcome.problem,
        "results": [{"recipient": x.recipient, "words": x.words, "ok": x.ok} for x in outcome.lines],
    }
