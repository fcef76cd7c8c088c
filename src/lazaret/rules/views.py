"""Which texts a rule searches, by the kind of the rule."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain

from lazaret.mime import selectors
from lazaret.mime.message import Message
from lazaret.mime.part import Part

_RANGE = re.compile(r"(\d{0,4})(-?)(\d{0,4})", re.ASCII)

_PSEUDO = (
    "ALL",
    "ALL-TRUSTED",
    "ALL-UNTRUSTED",
    "ALL-INTERNAL",
    "ALL-EXTERNAL",
    "MESSAGEID",
    "ToCc",
    "EnvelopeFrom",
    "X-AuthorDomain",
    "X-SenderDomain",
    "X-Spam-Relays-Trusted",
    "X-Spam-Relays-Untrusted",
    "X-Spam-Relays-Internal",
    "X-Spam-Relays-External",
)

METADATA = (
    "X-ASN",
    "X-Languages",
    "X-Languages-Length",
    "X-Relay-Countries",
    "X-Relay-Countries-All",
    "X-Relay-Countries-Auth",
    "X-Relay-Countries-External",
)
"""Fields that a message need not bear: a plug-in says what they hold (`evals.metadata`)."""


def is_pseudo(selector: str) -> bool:
    """Whether its value comes from several fields or from a plug-in, so that no field need bear its name."""
    name = selector.partition(":")[0]
    return name in _PSEUDO or name in METADATA


def base(selector: str) -> str:
    """The name of the field that it reads, in lower case."""
    return selector.partition(":")[0].lower()


def alike(selector: str) -> str:
    """The same for all selectors that give the same texts: the case of a field's name means nothing."""
    name, colon, modifiers = selector.partition(":")
    return selector if is_pseudo(selector) else name.lower() + colon + modifiers


class HeaderValues(dict[str, bytes | None]):
    """The values that header rules search, by selectors, each made when it is first asked for (`[]`).

    None: the field is absent.
    """

    __slots__ = ("_message", "beside")

    def __init__(self, message: Message) -> None:
        super().__init__()
        self._message = message
        self.beside: Callable[[str], bytes | None] = nothing_beside
        """What is known of fields that the message does not bear."""

    def __missing__(self, selector: str) -> bytes | None:
        found = selectors.text_reader(selector)(self._message)
        if found is None:
            found = self.beside(selector)
        self[selector] = found
        return found


def nothing_beside(_selector: str) -> None:
    """What is known of fields that no message bears: no plug-in was asked."""


def part_headers(message: Message, selector: str) -> list[bytes | None]:
    """The value of a header field in each MIME part, for mimeheader rules; None where it is absent.

    After the name may stand `:raw`, `:range=2-3` (which parts, from 1) and `:concat` (all as one text).
    """
    name, which, raw, concat = _of_parts(selector)
    found = [_part_header(part, name, raw=raw) for part in message.parts[which]]
    if not concat:
        return found
    return [b"".join([(value or b"").removesuffix(b"\n") + b"\n" for value in found])]


def part_field(selector: str) -> str | None:
    """The field of which these are the values, in lower case; None where they are never all missing."""
    name, _, _, concat = _of_parts(selector)
    return None if concat or name == "ALL" else name.lower()


@lru_cache(maxsize=1024)
def _of_parts(selector: str) -> tuple[str, slice, bool, bool]:
    """The name, which parts, whether raw, whether all as one text."""
    name, *modifiers = selector.split(":")
    which = slice(None)
    for modifier in modifiers:
        if modifier.startswith("range="):
            which = _slice(modifier.removeprefix("range="))
    return name, which, "raw" in modifiers, "concat" in modifiers


def _part_header(part: Part, name: str, *, raw: bool) -> bytes | None:
    if name == "ALL":
        fields = part.header.fields
        return part.header.raw[fields[0].start : fields[-1].end] if fields else b""
    if not raw:
        value = part.header.last_decoded(name)
        return None if value is None else value + b"\n"
    values = part.header.values(name)
    return values[-1].lstrip(b" \t") if values else None


def _slice(text: str) -> slice:
    """Of `2-3`, `2-`, `-3` or `2`; everything when it is none of these."""
    found = _RANGE.fullmatch(text)
    if not found or not (found[1] or found[3]):
        return slice(None)
    first = int(found[1] or 1)
    last = int(found[3]) if found[3] else (None if found[2] else first)
    return slice(max(first - 1, 0), last)


def _uris(message: Message) -> Sequence[bytes]:
    return tuple(dict.fromkeys(chain.from_iterable([uri.cleaned for uri in message.uris])))


TEXTS: Mapping[str, Callable[[Message], Sequence[bytes]]] = {
    "body": lambda message: message.body,
    "uri": _uris,
    "rawbody": lambda message: message.rawbody,
    "full": lambda message: (message.full,),
}
