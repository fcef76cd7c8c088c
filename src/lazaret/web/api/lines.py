"""Lists as the page has them, over the API: what is alike as one line, and what came in meanwhile."""

from starlette.responses import Response

from lazaret.flow.explain import rfc3339
from lazaret.model.quarantine import Line
from lazaret.web.api.calls import answer, chosen, whole
from lazaret.web.api.messages import PLACES, message_facts
from lazaret.web.filters import value_of
from lazaret.web.search_pages import OVERLAP_S, moment_of, newest_of
from lazaret.web.visit import Visit

PAGE, MOST = 50, 200


async def grouped(visit: Visit) -> Response:
    """Lines, newest first: messages that are alike are one, with their number."""
    query = visit.query.get("q")
    found = await visit.visitor.lines(
        query,
        everything=chosen(visit, "in", PLACES) == "history",
        limit=whole(visit, "limit", PAGE, 1, MOST),
        after=visit.query.get("after"),
        grouped=_grouped(query),
    )
    return answer(
        {
            "lines": [_line(one) for one in found.lines],
            "next": found.next or None,
            "searched_since": rfc3339(found.since) if found.since else None,
        }
    )


async def fresh(visit: Visit) -> Response:
    """What came in since `newer`; nothing, when the newest lines are the same as then."""
    query, known = visit.query.get("q"), visit.query.get("newer")
    limit = whole(visit, "limit", PAGE, 1, MOST)
    found = await visit.visitor.news(
        query,
        since=max(0, moment_of(known) - OVERLAP_S),
        grouped=_grouped(query) and chosen(visit, "each", ("0", "1")) == "0",
        everything=chosen(visit, "in", PLACES) == "history",
        limit=limit,
    )
    newest = newest_of(found.lines)
    same = newest in ("", known)
    lines = [] if same else [_line(one) for one in found.lines]
    return answer({"lines": lines, "newest": newest or known, "full": not same and len(lines) == limit})


def _grouped(query: str) -> bool:
    """Who asks for the members of a campaign wants to see each."""
    return not value_of(query, "campaign")


def _line(line: Line) -> dict[str, object]:
    return message_facts(line.item) | {"members": line.members, "more": line.more}
