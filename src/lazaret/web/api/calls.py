"""What the operations of the API have in common: parameters, bodies, answers, keys against acting twice."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.responses import Response

from lazaret.web.problem import BadRequest
from lazaret.web.visit import Visit

T = TypeVar("T")

JSON_TYPE = "application/json"
MAX_KEY = 255


def answer(value: object, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), status, media_type=JSON_TYPE)


def body_of(visit: Visit, kind: type[T]) -> T:
    """The body as a value of this type. BadRequest says what does not fit, and where."""
    try:
        return msgspec.json.decode(visit.body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(str(error)) from None


def whole(visit: Visit, name: str, default: int, low: int, high: int) -> int:
    """A number of the query string. BadRequest."""
    given = visit.query.get(name)
    if name not in visit.query:
        return default
    if not given.isascii() or not given.isdigit() or len(given) > 18 or not low <= int(given) <= high:
        raise BadRequest(f"{name} is a number from {low} to {high}")
    return int(given)


def chosen(visit: Visit, name: str, words: tuple[str, ...]) -> str:
    """One of some words of the query string, the first when it is not given. BadRequest."""
    given = visit.query.get(name)
    if name not in visit.query:
        return words[0]
    if given not in words:
        raise BadRequest(f"{name} is one of: {', '.join(words)}")
    return given


async def once(visit: Visit, act: Callable[[], Awaitable[Any]]) -> Response:
    """Answers with what the act gives; the same Idempotency-Key once more gets that answer again."""
    key = visit.request.headers.get("idempotency-key", "")
    if not key:
        return answer(await act())
    if len(key) > MAX_KEY:
        raise BadRequest(f"Idempotency-Key has at most {MAX_KEY} characters")
    tokens = visit.office.store.tokens
    path = visit.request.url.path
    digest = hashlib.sha256(f"{visit.person.id} {path} {key}".encode()).digest()
    earlier = await tokens.begin(digest, hashlib.sha256(visit.body).digest(), now=time.time())
    if earlier is None:
        try:
            said = msgspec.json.encode(await act()).decode()
        except BaseException:
            await tokens.forget(digest)
            raise
        await tokens.finish(digest, said)
        return Response(said, media_type=JSON_TYPE)
    if not earlier.same:
        raise BadRequest("this Idempotency-Key was used for another request", 422)
    if not earlier.answer:
        raise BadRequest("a request with this Idempotency-Key is being worked on", 409)
    return Response(earlier.answer, media_type=JSON_TYPE, headers={"Idempotency-Replayed": "true"})
