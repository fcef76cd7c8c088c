"""Which texts a rule searches, by the kind of the rule."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from lazaret.mime import selectors
from lazaret.mime.message import Message

_PSEUDO = (
    "ALL",
    "ALL-TRUSTED",
    "ALL-UNTRUSTED",
    "ALL-INTERNAL",
    "ALL-EXTERNAL",
    "MESSAGEID",
    "ToCc",
    "EnvelopeFrom",
    "X-Spam-Relays-Trusted",
    "X-Spam-Relays-Untrusted",
    "X-Spam-Relays-Internal",
    "X-Spam-Relays-External",
)


def is_pseudo(selector: str) -> bool:
    """Whether its value is put together from several fields, so that no field need bear its name."""
    return selector.partition(":")[0] in _PSEUDO


def base(selector: str) -> str:
    """The name of the field that it reads, in lower case."""
    return selector.partition(":")[0].lower()


class HeaderValues:
    """The values that header rules search, each made once per message."""

    __slots__ = ("_made", "_message")

    def __init__(self, message: Message) -> None:
        self._message = message
        self._made: dict[str, bytes | None] = {}

    def get(self, selector: str) -> bytes | None:
        """None when the field is absent."""
        if selector not in self._made:
            self._made[selector] = selectors.get(self._message, selector)
        return self._made[selector]


def part_headers(message: Message, selector: str) -> Iterator[bytes | None]:
    """The value of a header field in each MIME part, for mimeheader rules."""
    name, _, modifier = selector.partition(":")
    for part in message.parts:
        fields = part.header.named(name)
        if name == "ALL":
            yield (
                part.header.raw[part.header.fields[0].start : part.header.fields[-1].end]
                if part.header.fields
                else b""
            )
        elif not fields:
            yield None
        elif modifier == "raw":
            yield part.header.value(fields[-1]).lstrip(b" \t")
        else:
            yield part.last(name) + b"\n"


def _uris(message: Message) -> Sequence[bytes]:
    return tuple(dict.fromkeys(text for uri in message.uris for text in uri.cleaned))


TEXTS: Mapping[str, Callable[[Message], Sequence[bytes]]] = {
    "body": lambda message: message.body,
    "uri": _uris,
    "rawbody": lambda message: message.rawbody,
    "full": lambda message: (message.full,),
}
