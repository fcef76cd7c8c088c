"""A message as raw octets, with the views that checks and people need, each made on first use."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from lazaret.mime import header_text, headers, structure, text, words
from lazaret.mime.html import HtmlFacts, Link, Rendering
from lazaret.mime.structure import Part
from lazaret.model.late import Late
from lazaret.model.lazy import lazy

if TYPE_CHECKING:
    from lazaret.mime import hostnames, trust, urls
else:
    # Many a command asks for a few fields only, and to load these takes longer than that.
    hostnames, trust, urls = map(Late, ("lazaret.mime.hostnames", "lazaret.mime.trust", "lazaret.mime.urls"))

VISIBLE_LIMIT = 65_536
"""Characters of text that the index and `show` get."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal would act on, and what turns the direction of writing."""
_NO_PAGE = HtmlFacts()
"""What is known of an HTML part where there is none."""
_EMPTY_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that a mail program offers to save."""

    name: str
    """RFC 2231 and RFC 2047 decoded; "" when it has none."""
    content_type: str
    size: int
    """Octets, decoded."""


class Message:
    """Raw octets and their views. Never raises, whatever the octets are."""

    def __init__(
        self,
        raw: bytes,
        envelope_from: str | None,
        networks: "trust.Networks | None",
        sites: "urls.Sites | None",
    ) -> None:
        self.raw = raw
        """As given, CRLF or LF."""
        self.envelope_from = envelope_from
        """The envelope sender, where the caller knows it; rules then need not guess."""
        self._networks = networks
        self._sites = sites

    # The header.

    @lazy
    def header(self) -> headers.HeaderSection:
        """The header section; offsets count from the start of `raw`."""
        return self.tree.root.header

    @lazy
    def header_lines(self) -> list[bytes]:
        """The fields as rules see them all together: decoded, one a line, without the verdicts of filters."""
        return header_text.lines(self.header, raw=False)

    def decoded(self, name: str) -> str:
        """The first value of the field for people: one line, no control characters; "" when absent."""
        values = self.header.values(name)
        return words.for_people(values[0], name) if values else ""

    def decoded_all(self, name: str) -> list[str]:
        """`decoded` of every field of this name."""
        return [words.for_people(value, name) for value in self.header.values(name)]

    # The parts.

    @lazy
    def tree(self) -> structure.Tree:
        """The MIME tree, and what is wrong with its form."""
        return structure.parse(self.raw)

    @lazy
    def parts(self) -> tuple[Part, ...]:
        """Every MIME part, depth first, the root first."""
        return tuple(self.tree.root.walk())

    @lazy
    def _leaves(self) -> tuple[Part, ...]:
        """The parts that rules look into; a type that is all forbidden characters is none."""
        return tuple([part for part in self.parts if part.leaf and part.content_type])

    @lazy
    def attachments(self) -> tuple[Attachment, ...]:
        """Parts with a file name or the disposition attachment, and attached messages."""
        return tuple(
            [
                Attachment(part.filename, part.content_type, len(part.octets))
                for part in self.parts
                if part.depth and (part.filename or part.disposition == "attachment" or part.is_message)
            ]
        )

    @property
    def over_budget(self) -> bool:
        """A limit was reached: number of parts, depth, tags of HTML."""
        return self.tree.over_budget or any(page.over_budget for page in self._renderings)

    # What rules match.

    @lazy
    def rendered(self) -> tuple[text.Rendered, ...]:
        """Every leaf as text, in order."""
        return tuple(text.render_all(self._leaves))

    @lazy
    def _renderings(self) -> tuple[Rendering, ...]:
        """Every HTML part that was read, in order."""
        return tuple([rendered.html for rendered in self.rendered if rendered.html])

    @lazy
    def body(self) -> tuple[bytes, ...]:
        """Body lines in UTF-8, the first one the Subject."""
        return text.lines(self._subject, [rendered.text for rendered in self.rendered])

    @lazy
    def rawbody(self) -> tuple[bytes, ...]:
        """Chunks of the decoded text parts, in their own charset."""
        chunks = [text.chunks(part.octets) for part in self._leaves if text.is_rawbody(part)]
        return tuple(chain.from_iterable(chunks))

    @property
    def full(self) -> bytes:
        """The message as it came."""
        return self.raw

    @lazy
    def pages(self) -> tuple[HtmlFacts, ...]:
        """Statistics of each HTML part, in order."""
        of_html = [
            rendered.html
            for part, rendered in zip(self._leaves, self.rendered, strict=True)
            if part.effective_type == "text/html"
        ]
        return tuple([html.facts if html else HtmlFacts() for html in of_html])

    @lazy
    def html(self) -> HtmlFacts:
        """Those of the last HTML part."""
        return self.pages[-1] if self.pages else _NO_PAGE

    @lazy
    def links(self) -> tuple[Link, ...]:
        """The links of all HTML parts, in order."""
        return tuple([link for page in self._renderings for link in page.links])

    @lazy
    def uris(self) -> "tuple[urls.Uri, ...]":
        """URIs in text and links."""
        pages = [page.links for page in self._renderings]
        signatures = self.header.values("DomainKey-Signature") + self.header.values("DKIM-Signature")
        return urls.collect(self.body, pages, signatures, self._sites)

    def know_uris(self, found: Iterable[bytes]) -> None:
        """Adds URIs that somebody found elsewhere, in an attachment that only he can read."""
        found = tuple(found)
        if found:
            self.__dict__["uris"] = urls.with_more(self.uris, found, self._sites)

    @property
    def envelope_sender_header(self) -> str:
        """The field that tells the envelope sender where the caller does not; "" where none is known to."""
        return self._networks.envelope_sender_header if self._networks else ""

    @property
    def registry(self) -> "hostnames.Registry":
        """Where host names are given out."""
        return self._sites.registry if self._sites else hostnames.public()

    @property
    def networks(self) -> "trust.Networks | None":
        """Which hosts are believed; None: nobody said so."""
        return self._networks

    @lazy
    def relays(self) -> "trust.Relays":
        """The relays that the message passed, as far as their Received fields can be trusted."""
        return trust.walk(self.header, self._networks or trust.NOBODY)

    @lazy
    def untrusted_relays_text(self) -> bytes:
        """The relays that are not trusted, as header rules see them: several rules look at them."""
        return trust.text(self.relays.untrusted)

    # For people.

    @lazy
    def visible_text(self) -> str:
        """What a reader sees, lines kept; at most VISIBLE_LIMIT characters, none that a terminal acts on."""
        shown = "\n".join(rendered.seen[:VISIBLE_LIMIT] for rendered in self.rendered if rendered.seen)
        shown = _UNPRINTABLE.sub("", shown[:VISIBLE_LIMIT].replace("\r\n", "\n"))
        return _EMPTY_LINES.sub("\n\n", shown).strip()

    @property
    def _subject(self) -> bytes:
        """The last Subject counts, as for mail programs."""
        return self.tree.root.last("Subject") + b"\n"


def parse(
    raw: bytes,
    *,
    envelope_from: str | None = None,
    networks: "trust.Networks | None" = None,
    sites: "urls.Sites | None" = None,
) -> Message:
    """A message with its views; nothing is read before it is asked for.

    `networks` says whose Received fields are believed, `sites` what is known of the hosts in URIs.
    """
    return Message(raw, envelope_from, networks, sites)
