"""A stored message as its reader wants it: text, header, path, checks of the sender, links, attachments."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lazaret.mime import words
from lazaret.mime.message import Message, parse
from lazaret.mime.received import Relay
from lazaret.mime.structure import Part
from lazaret.mime.true_type import true_type
from lazaret.web.safe_html import has_html

MAX_FIELDS = 300
MAX_LINKS = 50
MAX_PARTS = 100
_RESULT = re.compile(r"\b(spf|dkim|dmarc|arc)\s*=\s*([a-z]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """A part that can be saved."""

    number: int
    """Its place among all parts, which names it in a path."""
    name: str
    declared: str
    true: str
    """What it is by its octets, in words; "" when nobody knows."""
    differs: bool
    """It is not what it says it is."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LinkFound:
    """Where a link leads, and what its text says."""

    text: str
    target: str
    misleading: bool
    """The text names another host than the link leads to."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All of it."""

    text: str
    has_html: bool
    fields: list[tuple[str, str]]
    path: list[Relay]
    results: list[tuple[str, str]]
    """(method, result) as the servers before us wrote them down; nobody vouches for them."""
    links: list[LinkFound]
    files: list[File]


def read(octets: bytes) -> Reading:
    """Takes the CPU for a while with a large message: not for the event loop."""
    message = parse(octets)
    relays = message.relays
    return Reading(
        text=message.visible_text,
        has_html=has_html(message),
        fields=[
            (field.name, words.for_people(message.header.value(field), field.name))
            for field in message.header.fields[:MAX_FIELDS]
        ],
        path=[*relays.trusted, *relays.untrusted][:MAX_FIELDS],
        results=_results(message),
        links=list(_links(message)),
        files=[_file(number, part) for number, part in saveable(message)],
    )


def saveable(message: Message) -> Iterator[tuple[int, Part]]:
    """(number, part) of the parts that a person may want to save."""
    for number, part in enumerate(message.parts[: 10 * MAX_PARTS]):
        if part.depth and (part.filename or part.disposition == "attachment" or part.is_message):
            yield number, part


def saved(octets: bytes, wanted: str) -> tuple[str, bytes] | None:
    """Name and octets of the part of this number; None when there is none to save."""
    for number, part in saveable(parse(octets)):
        if str(number) == wanted:
            return part.filename, part.octets
    return None


def _file(number: int, part: Part) -> File:
    octets = part.octets
    shown, media = true_type(octets)
    return File(
        number=number,
        name=part.filename,
        declared=part.content_type,
        true=shown,
        differs=_differs(part, media),
        size=len(octets),
        sha256=hashlib.sha256(octets).hexdigest(),
    )


def _differs(part: Part, media: str) -> bool:
    """A program, a script or a page under another name is what people must know of."""
    dangerous = media.startswith(("application/x-ms", "application/x-elf", "application/java", "text/x-"))
    declared = part.content_type
    if dangerous or media == "text/html":
        return declared != media
    return (
        media.startswith(("image/", "application/pdf"))
        and declared.startswith(("image/", "text/"))
        and (declared.partition("/")[0] != media.partition("/")[0])
    )


def _results(message: Message) -> list[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    for value in message.decoded_all("Authentication-Results")[:10]:
        for method, result in _RESULT.findall(value[:4096]):
            found[method.upper(), result.lower()] = None
    return list(found)[:12]


def _links(message: Message) -> Iterator[LinkFound]:
    seen = set()
    for link in message.links:
        target = link.target.decode("utf-8", "replace")
        text = " ".join(link.text.split())[:200]
        if (
            link.tag not in ("a", "area", "form", "meta")
            or not target.lower().startswith(("http:", "https:", "//"))
            or (text, target) in seen
        ):
            continue
        seen.add((text, target))
        yield LinkFound(text, target[:500], _misleading(text, target))
        if len(seen) >= MAX_LINKS:
            return


_HOST = re.compile(r"(?:https?:)?//(?:[^/@\s]*@)?([^/:?#\s]+)", re.IGNORECASE)
_NAMED_HOST = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?:[/:?].*)?", re.IGNORECASE)


def _misleading(text: str, target: str) -> bool:
    named, leads = _NAMED_HOST.fullmatch(text), _HOST.match(target)
    if named is None or leads is None:
        return False
    said, real = named[1].lower().removeprefix("www."), leads[1].lower().removeprefix("www.")
    return not (said == real or real.endswith("." + said) or said.endswith("." + real))
