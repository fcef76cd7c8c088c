"""The one door of all pages: who are you, may you come in here, did you mean to send that?

No endpoint is reached but through `guarded`, and none gets the quarantine but as a `Visitor`.
"""

import hmac
import logging
import math
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from lazaret.flow.rights import Right
from lazaret.flow.visit import NotAllowed, Visitor
from lazaret.model.errors import LazaretError, NoSuchMessage, StoreUnavailable, UserError
from lazaret.model.language import ENGLISH, language, wished
from lazaret.model.person import Person
from lazaret.web.form import TooLarge, form_of, octets_of
from lazaret.web.office import Office
from lazaret.web.problem import problem, problem_of
from lazaret.web.render import Pages
from lazaret.web.throttle import TooMany
from lazaret.web.visit import Visit

log = logging.getLogger("lazaret.web")

SESSION_COOKIE, VISIT_COOKIE = "lazaret_session", "lazaret_visit"
SAFE_METHODS = ("GET", "HEAD")

FREE = 0
"""What a page costs of which browsers fetch several for one look, or which machines watch the service by."""
DEAR = 5
"""What a page costs that may read much of the database."""

Endpoint = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """A line of the table of routes."""

    path: str
    endpoint: Endpoint
    need: Right | None
    """What one must be allowed to; None: open to all."""
    methods: Sequence[str] = ("GET",)
    proven: bool = False
    """What is sent proves by itself who sends it, and that he means it: no cookie counts."""
    unfinished: bool = False
    """Open, too, to whom a second factor is asked of that he has not set up yet."""
    cost: int = 1
    """What a request takes out of `web.requests_per_minute`."""

    @property
    def api(self) -> bool:
        """For programs: errors are problems, and a token may stand for a session."""
        return self.path.startswith("/api/")


class Refused(Exception):
    """The request is answered without its page."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def route(page: Page, office: Office, pages: Pages) -> Route:
    """The page behind the door."""

    async def guarded(request: Request) -> Response:
        visit = Visit(request, office, pages, wished(request.headers.get("accept-language", "")), "")
        try:
            await _admit(page, visit)
            response = await page.endpoint(visit)
        except Refused as refused:
            return refused.response
        except Exception as error:
            return _told_program(visit, error) if page.api else _told(visit, error)
        _remember(visit, response)
        return response

    return Route(page.path, guarded, methods=list(page.methods), name=page.endpoint.__name__)


async def _admit(page: Page, visit: Visit) -> None:
    """Finds out who it is, and lets in whom the page is for. Refused, TooLarge."""
    request = visit.request
    if page.api and request.headers.get("authorization"):
        person: Person | None = await _take_token(visit, page)
    else:
        person = None if page.proven else await _holder(visit)
    if person is not None:
        visit.at_desk = visit.at_desk or Visitor(
            visit.office.desk, person, visit.office.matrix, lists=visit.office.lists
        )
        visit.language = language(person.language) if person.language else visit.language
    else:
        visit.secret = request.cookies.get(VISIT_COOKIE, "") or secrets.token_urlsafe(24)
    _take_turn(visit, page, person)
    if page.need is not None and person is None:
        raise Refused(problem(401, language=visit.language) if page.api else _to_login(visit))
    if page.need is not None and not page.unfinished and person is not None and not visit.by_token:
        _check_finished(visit, page, person)
    if request.method not in SAFE_METHODS and page.api:
        visit.body = await octets_of(request)
    elif request.method not in SAFE_METHODS:
        visit.form = await form_of(request)
    if request.method not in SAFE_METHODS and not (visit.by_token or page.proven):
        _check_meant(visit, page)
    if page.need is not None and not visit.may(page.need):
        raise NotAllowed(page.need)


def _take_turn(visit: Visit, page: Page, person: Person | None) -> None:
    """TooMany when whoever comes has asked for too much of late."""
    try:
        visit.office.throttle.take(page.cost, visit.way.remote, person, by_token=visit.by_token)
    except TooMany:
        visit.office.health.throttled()
        raise


async def _take_token(visit: Visit, page: Page) -> Person:
    """Whose token it is. Refused; TooMany: where one does not hold, whoever shows it is nobody known."""
    scheme, _, token = visit.request.headers["authorization"].partition(" ")
    found = await visit.office.tokens.holder(token.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        _take_turn(visit, page, None)
        raise Refused(problem(401, "this token does not hold"))
    office = visit.office
    visit.at_desk = Visitor(
        office.desk, found.person, office.matrix, lists=office.lists, limit_to=found.rights
    )
    visit.token = found
    return found.person


async def _holder(visit: Visit) -> Person | None:
    secret = visit.request.cookies.get(SESSION_COOKIE, "")
    if not secret:
        return None
    visit.secret = secret
    return await visit.office.doorkeeper.holder(secret)


def _check_finished(visit: Visit, page: Page, person: Person) -> None:
    """A role may need a second factor (web.require_second_factor): before that there is no other page."""
    if person.second_factor or person.role not in visit.office.config.web.require_second_factor:
        return
    if page.api:
        raise Refused(problem(403, "set up your second factor first", language=visit.language))
    raise Refused(visit.go("/account/second-factor"))


def _to_login(visit: Visit) -> Response:
    path = visit.request.url.path
    query = visit.request.url.query
    wish = path + (f"?{query}" if query else "")
    if visit.request.method not in SAFE_METHODS or path == "/":
        wish = ""
    target = visit.url("/login") + (f"?next={quote(wish, safe='')}" if wish else "")
    return RedirectResponse(target, 303)


def _check_meant(visit: Visit, page: Page) -> None:
    """A form of ours carries what only our pages know, and no browser sends it from another site."""
    headers = visit.request.headers
    origin = headers.get("origin", "")
    given = visit.form.get("csrf") or headers.get("x-csrf-token", "")
    known = visit.secret and hmac.compare_digest(given.encode(), visit.csrf.encode())
    # Under Referrer-Policy no-referrer a browser names the origin of our own forms "null".
    foreign = origin not in ("", "null") and urlsplit(origin).netloc.lower() != visit.way.host
    foreign = foreign or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if (not known or foreign) and page.api:
        raise Refused(problem(403, "send the token of the page in X-CSRF-Token, or use a token of your own"))
    if not known or foreign:
        raise Refused(
            visit.page(
                "error.html",
                403,
                problem=visit.language(
                    "This form is too old, or did not come from this page. Load the page anew and try again."
                ),
            )
        )


def _remember(visit: Visit, response: Response) -> None:
    """Before the login a form needs something to prove itself by."""
    if visit.at_desk is None and visit.request.cookies.get(VISIT_COOKIE) != visit.secret:
        set_cookie(visit, response, VISIT_COOKIE, visit.secret)


def set_cookie(visit: Visit, response: Response, name: str, value: str) -> None:
    """A cookie that no script reads and no other site makes a browser send along with a form."""
    response.set_cookie(
        name, value, path=visit.way.prefix or "/", secure=visit.way.secure, httponly=True, samesite="lax"
    )


def _told_program(visit: Visit, error: Exception) -> Response:
    """A program, or the script of a page, which shows it to whoever reads that."""
    reader = ENGLISH if visit.by_token else visit.language
    told = problem_of(error, reader)
    if told is None:
        log.exception("%s %s", visit.request.method, visit.request.url.path, exc_info=error)
        return problem(500, "something went wrong here; the log says what", language=reader)
    return told


def _told(visit: Visit, error: Exception) -> Response:
    """An error as a page; what is no fault of the reader's is in the log alone."""
    say = visit.language
    if isinstance(error, TooLarge):
        return PlainTextResponse("too large\n", 413)
    if isinstance(error, TooMany):
        wait_s = math.ceil(error.wait_s)
        told = visit.page(
            "error.html",
            429,
            problem=say.many(
                "Too many requests in a short time. Go on in {n} second.",
                "Too many requests in a short time. Go on in {n} seconds.",
                wait_s,
            ),
        )
        told.headers["Retry-After"] = str(wait_s)
        return told
    if isinstance(error, NotAllowed):
        return visit.page("error.html", 403, problem=say("You may not do that."))
    if isinstance(error, NoSuchMessage):
        is_message = "id" in visit.request.path_params
        absent = say("There is no such message.") if is_message else say("There is nothing here.")
        return visit.page("error.html", 404, problem=absent)
    if isinstance(error, UserError):
        return visit.page("error.html", 422, problem=str(error))
    if isinstance(error, StoreUnavailable):
        log.error("%s %s: %s", visit.request.method, visit.request.url.path, error)
        return visit.page("error.html", 503, problem=say("The database does not answer. Try again soon."))
    if isinstance(error, LazaretError):
        return visit.page("error.html", 500, problem=str(error))
    log.exception("%s %s", visit.request.method, visit.request.url.path, exc_info=error)
    return visit.page("error.html", 500, problem=say("Something went wrong here; the log says what."))
