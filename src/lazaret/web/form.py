"""What a form or a query string says, bounded in size; a file cannot be sent."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

MAX_BODY = 1 << 18
MAX_FIELDS = 2000
FORM_TYPE = "application/x-www-form-urlencoded"


class TooLarge(Exception):
    """More octets, or more fields, than any form of ours has."""


class Form:
    """Names and values as text."""

    def __init__(self, pairs: Mapping[str, list[str]]) -> None:
        self._pairs = pairs

    def get(self, name: str) -> str:
        """The last value of this name; "" when there is none."""
        return self._pairs.get(name, [""])[-1]

    def all(self, name: str) -> list[str]:
        """All values of this name, in order."""
        return self._pairs.get(name, [])

    def __contains__(self, name: object) -> bool:
        return name in self._pairs


async def octets_of(request: Request) -> bytes:
    """The body. TooLarge, after having read no more than is allowed."""
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise TooLarge
        parts.append(chunk)
    return b"".join(parts)


async def form_of(request: Request) -> Form:
    """The form that was sent; empty for a body of another type. TooLarge."""
    octets = await octets_of(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return parsed(octets if kind == FORM_TYPE else b"")


def parsed(octets: bytes) -> Form:
    """From the form of a query string. TooLarge."""
    try:
        found = parse_qsl(
            octets.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise TooLarge from None
    pairs: dict[str, list[str]] = {}
    for name, value in found:
        pairs.setdefault(name, []).append(value)
    return Form(pairs)
