"""Errors of the API as RFC 9457 has them (application/problem+json)."""

import math
from functools import partial

import msgspec
from starlette.responses import Response

from lazaret.flow.login import LoginFailed, Refusal
from lazaret.flow.visit import NotAllowed
from lazaret.model.errors import NoSuchMessage, StoreUnavailable, UserError
from lazaret.model.language import ENGLISH, Language
from lazaret.store.query import QueryError
from lazaret.store.reader import SearchStopped
from lazaret.web.form import TooLarge
from lazaret.web.throttle import TooMany

PROBLEM_TYPE = "application/problem+json"


class Problem(msgspec.Struct, omit_defaults=True):
    """What went wrong."""

    title: str
    status: int
    type: str = "about:blank"
    detail: str = ""
    position: int | None = None
    """Of a query: the characters before the fault."""


class BadRequest(Exception):
    """What was sent cannot be understood, or not be done; `status` says which."""

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.status = status


_TITLES = {
    400: "The request cannot be understood",
    401: "A login or a token is needed",
    403: "Not allowed",
    404: "There is nothing like that",
    409: "The same request is being worked on",
    413: "The request is too large",
    422: "That cannot be done",
    429: "Too many requests",
    503: "Try again later",
}


_WHY = {
    Refusal.CODE: "the code is wrong",
    Refusal.STALE: "without a password this takes a session that has just begun",
}


def problem(
    status: int, detail: str = "", *, position: int | None = None, language: Language = ENGLISH
) -> Response:
    """An error as a response. `language`: of whoever reads it; programs are told in English."""
    title = language.told(_TITLES.get(status, "Error"))
    body = Problem(title, status, detail=language.told(detail), position=position)
    headers = {"WWW-Authenticate": 'Bearer realm="lazaret"'} if status == 401 else None
    return Response(msgspec.json.encode(body), status, headers, PROBLEM_TYPE)


def _login_failed(failed: LoginFailed, language: Language) -> Response:
    """Of a password or a code that was asked for once more."""
    if not failed.wait_s:
        return problem(403, _WHY.get(failed.why, "the password is wrong"), language=language)
    return _too_many("too many attempts failed: try again in", failed.wait_s, language)


def _too_many(what: str, wait_s: float, language: Language) -> Response:
    seconds = math.ceil(wait_s)
    told = problem(429, f"{what} {seconds} s", language=language)
    told.headers["Retry-After"] = str(seconds)
    return told


def problem_of(error: Exception, language: Language) -> Response | None:
    """The response to an error; None for one that is our own fault."""
    tell = partial(problem, language=language)
    if isinstance(error, BadRequest):
        return tell(error.status, str(error))
    if isinstance(error, TooLarge):
        return tell(413)
    if isinstance(error, TooMany):
        return _too_many("too many requests in a short time: go on in", error.wait_s, language)
    if isinstance(error, NotAllowed):
        return tell(403, str(error))
    if isinstance(error, LoginFailed):
        return _login_failed(error, language)
    if isinstance(error, NoSuchMessage):
        return tell(404)
    if isinstance(error, QueryError):
        return tell(400, error.problem, position=error.position)
    if isinstance(error, SearchStopped | StoreUnavailable):
        return tell(503, str(error) if isinstance(error, SearchStopped) else "the database does not answer")
    if isinstance(error, UserError):
        return tell(422, str(error))
    return None
