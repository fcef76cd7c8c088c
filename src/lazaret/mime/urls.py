"""Which URIs does a message hold, in its text and in its links, and to which sites do they lead?"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from lazaret.mime import uri_finder, uri_reference, uri_variants
from lazaret.mime.html import Link
from lazaret.mime.uri_variants import Sites, host_and_domain

__all__ = ["Sites", "Uri", "collect"]

_SIGNING_DOMAIN = re.compile(rb"\bd\s*=\s*([^;]+)")


class Uri(NamedTuple):
    """One URI with all that is known of it; one wording stands once, wherever it was found."""

    raw: bytes
    """As written; from text with its scheme, from a link resolved against the base of the page."""
    cleaned: tuple[bytes, ...]
    """All its readings, as `uri` rules match them."""
    types: frozenset[str]
    """The tags that it stands in (a, img, form …); `parsed`: in text. There also `schemeless`, and
    `unlinked` where mail programs do not make it clickable."""
    anchor_text: tuple[bytes, ...]
    """What a reader sees of the links to it."""
    hosts: dict[str, str]
    """Host -> the domain that somebody registered; an address is its own."""

    @property
    def domains(self) -> frozenset[str]:
        return frozenset(self.hosts.values())


_TEXTS_KEPT = 100
"""Different texts of the links to one URI; the same link 30,000 times would take quadratic time."""
_REMEMBERED = 256
"""Octets of a URI that is remembered; longer ones would cost too much memory."""
_remembered = lru_cache(maxsize=2048)(uri_variants.read)
"""Lists and newsletters repeat their footers."""


@cache
def _public() -> Sites:
    """One for all messages, so that what is remembered of its URIs counts for all."""
    return Sites()


class _Collection:
    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self.uris: dict[bytes, Uri] = {}

    def add(self, raw: bytes, types: frozenset[str], text: bytes | None, *, needs_host: bool) -> None:
        known = self.uris.get(raw)
        if known is None:
            read = _remembered if len(raw) <= _REMEMBERED else uri_variants.read
            cleaned, pairs = read(raw, self.sites)
            if pairs or not needs_host:
                self.uris[raw] = Uri(raw, cleaned, types, () if text is None else (text,), dict(pairs))
            return
        texts = known.anchor_text
        if text is not None and text not in texts and len(texts) < _TEXTS_KEPT:
            texts = (*texts, text)
        self.uris[raw] = Uri(raw, known.cleaned, known.types | types, texts, known.hosts)

    def add_signer(self, domain: bytes) -> None:
        """Lists of domains want to know who signed; it is no URI that rules should match."""
        pair = host_and_domain(domain, self.sites.registry)
        if pair:
            raw = b"domainkeys:" + domain
            self.uris[raw] = Uri(raw, (), frozenset({"domainkeys"}), (), dict([pair]))


def collect(
    lines: Iterable[bytes],
    pages: Iterable[Sequence[Link]],
    signatures: Iterable[bytes] = (),
    sites: Sites | None = None,
) -> tuple[Uri, ...]:
    """The URIs of the text, then those of the links, then the domains of the signers.

    `lines` are those that body rules see, `pages` the links of each HTML part, `signatures` the values
    of DKIM-Signature and DomainKey-Signature. Text that leads to no valid host is no URI; links are
    kept, whatever they say.
    """
    collection = _Collection(sites or _public())
    for found in uri_finder.find(b"\n".join(lines), collection.sites.registry):
        collection.add(found.uri, _types(found), None, needs_host=True)
    for links in pages:
        _add_links(collection, links)
    for signature in signatures:
        for domain in _SIGNING_DOMAIN.findall(signature):
            collection.add_signer(b"".join(domain.split()))
    return tuple(collection.uris.values())


def with_more(uris: Iterable[Uri], more: Iterable[bytes], sites: Sites | None = None) -> tuple[Uri, ...]:
    """`uris` and those of `more`, which count as found in text."""
    collection = _Collection(sites or Sites())
    collection.uris.update((uri.raw, uri) for uri in uris)
    for raw in more:
        collection.add(raw, _PARSED, None, needs_host=False)
    return tuple(collection.uris.values())


def _types(found: uri_finder.Found) -> frozenset[str]:
    if found.written_with_scheme:
        return _PARSED
    return _SCHEMELESS if found.linked else _UNLINKED


_PARSED = frozenset({"parsed"})
_SCHEMELESS = _PARSED | {"schemeless"}
_UNLINKED = _SCHEMELESS | {"unlinked"}


def _add_links(collection: _Collection, links: Sequence[Link]) -> None:
    base = b""
    for link in links:
        uri = uri_reference.resolve(base, link.target)
        if not uri:
            continue
        text = link.text.encode("utf-8", "replace") if link.tag == "a" and link.attribute == "href" else None
        collection.add(uri, frozenset((link.tag,)), text, needs_host=False)
        if link.tag == "base":
            base = uri_reference.base_of(link.target) or base
