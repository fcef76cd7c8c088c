"""What users ask an admin to release, and the answer: granted or denied, copy by copy of those who asked."""

from dataclasses import replace

from starlette.responses import Response

from lazaret.model.errors import LazaretError, NoSuchMessage
from lazaret.model.quarantine import Item, State
from lazaret.web.acting import Outcome, released
from lazaret.web.rows import tag_of
from lazaret.web.visit import Visit

PAGE = 100


async def requests(visit: Visit) -> Response:
    """The queue, the newest first."""
    return await _queue(visit)


async def decide(visit: Visit) -> Response:
    """Takes the answer to one request."""
    mail_id, granted = visit.form.get("id"), visit.form.get("act") == "grant"
    try:
        if granted:
            outcome = released(mail_id, await visit.visitor.grant(mail_id))
        else:
            await visit.visitor.deny(mail_id)
            outcome = Outcome(mail_id, ok=True, state="denied")
    except NoSuchMessage:
        outcome = Outcome(mail_id, ok=False, problem=visit.language("There is no such message."))
    except LazaretError as error:
        outcome = Outcome(mail_id, ok=False, problem=str(error))
    return await _queue(visit, outcome)


async def _queue(visit: Visit, outcome: Outcome | None = None) -> Response:
    items = await waiting(visit, PAGE)
    asked = [(tag_of(item), item, _askers(item)) for item in items if item.copies]
    return visit.page("requests.html", asked=asked, outcome=outcome)


async def waiting(visit: Visit, limit: int, after: str = "") -> list[Item]:
    """What is asked for, the newest first, each with the copies that it is asked for alone."""
    items = await visit.visitor.find("state:pending", limit=limit, after=after)
    return [_asked_only(item) for item in items]


def _asked_only(item: Item) -> Item:
    return replace(item, copies=tuple(copy for copy in item.copies if copy.state is State.PENDING))


def _askers(item: Item) -> list[str]:
    return [copy.address for copy in item.copies]
