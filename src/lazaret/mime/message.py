"""A message as raw octets, with the views that checks and people need, each made on first use."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lazaret.mime import headers, structure
from lazaret.mime.html import HtmlFacts, Link

if TYPE_CHECKING:
    from lazaret.mime import trust, urls


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that a mail program offers to save."""

    name: str
    content_type: str
    size: int
    """Octets, decoded."""


class Message:
    """Raw octets and their views. Never raises, whatever the octets are."""

    def __init__(self, raw: bytes, envelope_from: str | None, networks: "trust.Networks | None") -> None:
        self.raw = raw
        self.envelope_from = envelope_from
        self._networks = networks

    @cached_property
    def header(self) -> headers.HeaderSection:
        return headers.parse(self.raw)

    @cached_property
    def parts(self) -> tuple[structure.Part, ...]:
        return ()

    def decoded(self, name: str) -> str:
        return next(iter(self.decoded_all(name)), "")

    def decoded_all(self, name: str) -> list[str]:
        return [v.decode("latin-1").strip() for v in self.header.values(name)]

    @cached_property
    def body(self) -> tuple[bytes, ...]:
        return ()

    @cached_property
    def rawbody(self) -> tuple[bytes, ...]:
        return ()

    @property
    def full(self) -> bytes:
        return self.raw

    @cached_property
    def html(self) -> HtmlFacts:
        return HtmlFacts()

    @cached_property
    def links(self) -> tuple[Link, ...]:
        return ()

    @cached_property
    def uris(self) -> "tuple[urls.Uri, ...]":
        from lazaret.mime import urls

        return urls.collect(self.body, self.links, b"")

    @cached_property
    def relays(self) -> "trust.Relays":
        from lazaret.mime import trust

        return trust.walk(self, self._networks or trust.Networks())

    @cached_property
    def visible_text(self) -> str:
        return ""

    @cached_property
    def attachments(self) -> tuple[Attachment, ...]:
        return ()

    @property
    def over_budget(self) -> bool:
        return False


def parse(
    raw: bytes, *, envelope_from: str | None = None, networks: "trust.Networks | None" = None
) -> Message:
    """A message with its views; nothing is read before it is asked for."""
    return Message(raw, envelope_from, networks)
