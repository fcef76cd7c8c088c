"""The table of operations: path, method, what it needs, takes and gives."""

from dataclasses import dataclass
from typing import Any

from lazaret.flow.rights import Right
from lazaret.web.api import figures, messages, openapi, shapes
from lazaret.web.api.openapi import AFTER, ID, KEY, PLACE, QUERY, number, text
from lazaret.web.door import Page

V1 = "/api/v1"
POST = ("POST",)


@dataclass(frozen=True, slots=True)
class Operation:
    """A line of the table."""

    page: Page
    gives: type | None
    """None: not JSON of ours."""
    parameters: tuple[dict[str, Any], ...] = ()
    takes: type | None = None


OPERATIONS = (
    Operation(Page(f"{V1}/openapi.json", openapi.document, None), None),
    Operation(Page(f"{V1}/me", figures.me, Right.FIND), shapes.Me),
    Operation(
        Page(f"{V1}/messages", messages.find, Right.FIND),
        shapes.Messages,
        (QUERY, PLACE, number("limit", messages.PAGE, 1, messages.MOST), AFTER),
    ),
    Operation(Page(f"{V1}/messages/count", messages.count, Right.FIND), shapes.Count, (QUERY, PLACE)),
    Operation(Page(f"{V1}/messages/{{id}}", messages.show, Right.FIND), shapes.Detail, (ID,)),
    Operation(Page(f"{V1}/messages/{{id}}/text", messages.text, Right.PREVIEW), shapes.Text, (ID,)),
    Operation(Page(f"{V1}/messages/{{id}}/raw", messages.raw, Right.DOWNLOAD), None, (ID,)),
    Operation(
        Page(f"{V1}/messages/{{id}}/release", messages.release, Right.RELEASE, POST),
        shapes.Outcome,
        (ID, KEY),
        shapes.ReleaseWish,
    ),
    Operation(
        Page(f"{V1}/messages/{{id}}/learn", messages.learn, Right.LEARN, POST),
        shapes.Taught,
        (ID,),
        shapes.Lesson,
    ),
    Operation(
        Page(f"{V1}/messages/{{id}}/delete", messages.delete, Right.DELETE, POST),
        shapes.Outcome,
        (ID,),
        shapes.Nothing,
    ),
    Operation(
        Page(f"{V1}/messages/{{id}}/undelete", messages.undelete, Right.DELETE, POST),
        shapes.Outcome,
        (ID,),
        shapes.Nothing,
    ),
    Operation(
        Page(f"{V1}/messages/{{id}}/request", messages.request, Right.REQUEST, POST),
        shapes.Outcome,
        (ID,),
        shapes.Nothing,
    ),
    Operation(Page(f"{V1}/acts", messages.acts, Right.FIND, POST), shapes.Outcomes, (KEY,), shapes.Acts),
    Operation(
        Page(f"{V1}/overview", figures.overview, Right.FIGURES),
        shapes.Figures,
        (number("hours", 24, 1, 24 * 366),),
    ),
    Operation(
        Page(f"{V1}/audit", figures.audit, Right.AUDIT),
        shapes.Record,
        (
            number("limit", 100, 1, 500),
            number("before", 0, 0, 1 << 53),
            text("who", "Only of this person, as web:ann@example.org."),
            text("id", "Only about this message."),
        ),
    ),
)

PAGES = tuple(operation.page for operation in OPERATIONS)
