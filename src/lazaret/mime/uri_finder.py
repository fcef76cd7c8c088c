"""Where does plain text hold a URI? What mail programs make clickable, and host names that they leave alone.

The text is cut at the characters that end a URI for Thunderbird, and only pieces with a dot inside a
word, an `@` or a `://` are looked at: prose costs a search for three characters.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from lazaret.mime import hostnames, kernel
from lazaret.mime.hostnames import Registry
from lazaret.mime.uri_variants import unescape

PIECE_LIMIT = 2048 + 251
"""Octets of a piece that are looked at: no URI in text is longer. It bounds the cost of hostile pieces."""

_END = rb"><\"`}\]{\[|\s\x1b\xa0"
_END_OF_MAIL = _END + rb",('\x80-\xff"
_START = rb"><\"'`,{\[(|\s\x1b\xa0"
_START_OF_HOST = rb"!\"#$&'()*+,/:;<=>?@\[\\\]^`{|}~\s\x1b\xa0"

_BLANKS = bytes(b" "[0] if re.match(rb"[" + _END + rb"]", bytes((octet,))) else octet for octet in range(256))
_MARK = re.compile(rb"\.(?=[a-z\x80-\xff])|\.(?<=[a-z]\.)(?=[^.\s])|@|://")

_SCHEME = (
    rb"(?P<scheme>(?:(?:https?|ftp)://|(?:www\d{0,2}|ftp)\.)[^" + _END + rb"]{1,2048})(?=[" + _END + rb"]|\Z)"
)
_MAIL = (
    rb"(?P<mail>mailto:[^" + _END_OF_MAIL + rb"]{1,2048}|[^" + _END_OF_MAIL + rb"@]{1,251}@[^" + _END_OF_MAIL
    + rb"]{1,251})(?=[" + _END_OF_MAIL + rb"]|\Z)"
)  # fmt: skip
_HOST = (
    rb"(?<![^" + _START_OF_HOST + rb"])(?P<host>[a-z\d][a-z\d._-]{0,260}+)(?::\d{1,5})?(?:/[^"
    + _END + rb"]{1,2048})?(?=[" + _END + rb"]|\Z)"
)  # fmt: skip
_BEGIN = rb"(?:\b|(?<=\x1b\(.)|(?<=[" + _START + rb"]))"
_WITHOUT_MAIL = re.compile(_BEGIN + rb"(?:" + _SCHEME + rb"|" + _HOST + rb")")
_ANY = re.compile(_BEGIN + rb"(?:" + _SCHEME + rb"|" + _MAIL + rb"|" + _HOST + rb")")

_WITH_SCHEME = (b"http://", b"https://", b"ftp://")
_LONGEST_SCHEME = len(b"https://")
_SURE = 2048
"""Octets of a piece that is one URI as a whole when it begins with a scheme: nothing in it ends a URI."""

_LOOKED_BACK = 3
"""Octets before a piece that the expressions look at: an escape sequence of ISO-2022."""
_REMEMBERED = 128
"""Octets of a piece that is remembered; longer ones would cost too much memory."""

_AT, _DOT, _PER_CENT = b"@.%"
_PUNCTUATION = b"-~!@#^&*()_+=:;'?,."
_BEGINNING = re.compile(
    rb"(?P<written>(?:https?|ftp)://.)|(?P<none>[cm]id:|\w+:/{0,2}\Z)|(?P<scheme>(?:https?|ftp|mailto):)"
    rb"|(?P<ftp>ftp\.)|(?P<web>www\d{0,2}\.)",
    re.I | re.S,
)
"""By what mail programs know a URI; none: what only looks like one."""
_PATH_BEFORE_AT = re.compile(rb"/.+@", re.S)
_DOT_AFTER_AT = re.compile(rb"@.+?\.", re.S)
_MISPARSED = re.compile(rb"\A(?:skype|e?-?mail)?:+", re.I)
_ESCAPE = re.compile(rb"%[0-9a-fA-F]{2}")
_MAIL_HOST = re.compile(rb"@([^?&>]*)")
_TRAILING_BLANKS = re.compile(rb"(?:%20)+\Z")


class Found(NamedTuple):
    """A URI that the text holds."""

    uri: bytes
    """With a scheme."""
    linked: bool = True
    """Mail programs make it clickable."""
    written_with_scheme: bool = True


def find(text: bytes, registry: Registry) -> list[Found]:
    """The URIs of a text, in order; each wording once. Linear in the length of the text."""
    seen: dict[bytes, Found | None] = {}
    for start, end in (
        kernel.text.pieces(text, _BLANKS, PIECE_LIMIT) if kernel.text else _pieces(text.lower())
    ):
        before = start if start < _LOOKED_BACK else _LOOKED_BACK
        read = _read if end - start > _REMEMBERED else _remembered
        for wording, found in read(text[start - before : end], before, registry):
            if wording not in seen:
                seen[wording] = found
    return list(filter(None, seen.values()))


def _read(piece: bytes, before: int, registry: Registry) -> tuple[tuple[bytes, Found | None], ...]:
    """Every wording of a piece and what it stands for; the first octets are what stands before it."""
    found = []
    for written, kind in _wordings(piece, piece.lower(), before, len(piece), registry):
        wording = _trimmed(written)
        uri = _completed(wording, kind)
        found.append((wording, _mail(uri, registry) if uri and uri.uri[:7].lower() == b"mailto:" else uri))
    return tuple(found)


_remembered = lru_cache(maxsize=4096)(_read)
"""Footers, signatures and the names of one's own hosts come again with every message."""


def _pieces(lowered: bytes) -> Iterator[tuple[int, int]]:
    """Where the pieces of the text begin and end that may hold a URI."""
    flat = lowered.translate(_BLANKS)
    end = 0
    mark = _MARK.search(flat)
    while mark:
        position = mark.start()
        start = max(end, flat.rfind(b" ", end, position) + 1)
        end = flat.find(b" ", position)
        end = len(flat) if end < 0 else end
        yield start, min(end, start + PIECE_LIMIT)
        mark = _MARK.search(flat, end)


def _wordings(
    text: bytes, lowered: bytes, start: int, end: int, registry: Registry
) -> list[tuple[bytes, str]]:
    if lowered.startswith(_WITH_SCHEME, start) and _LONGEST_SCHEME < end - start <= _SURE:
        return [(text[start:end], "scheme")]
    found = []
    search = (_ANY if lowered.find(b"@", start) >= 0 else _WITHOUT_MAIL).search
    match = search(lowered, start, end)
    while match:
        kind = match.lastgroup or ""
        begin, after = match.span()
        host = match["host"].decode("ascii").removesuffix(".") if kind == "host" else ""
        if host and not registry.knows_tld(host):
            # It was no host name after all: its path may hold one.
            after = match.end("host")
        elif not host or hostnames.is_name(host):
            found.append((text[begin:after], kind))
        match = search(lowered, after, end)
    return found


def _trimmed(wording: bytes) -> bytes:
    """Without what closes a sentence: a bracket that was not opened, and punctuation."""
    close = wording.find(b")")
    if close >= 0 and wording.find(b"(", 0, close) < 0:
        wording = wording[:close]
    return wording.rstrip(_PUNCTUATION)


def _completed(wording: bytes, kind: str) -> Found | None:
    if kind == "mail" and _AT not in wording:
        return None
    beginning = _BEGINNING.match(wording)
    known = beginning.lastgroup if beginning else ""
    if known in ("written", "scheme"):
        return Found(wording)
    if known == "none":
        return None
    if known == "ftp":
        return Found(b"ftp://" + wording, written_with_scheme=False)
    if known == "web" or _PATH_BEFORE_AT.search(wording):
        return Found(b"http://" + wording, written_with_scheme=False)
    if _AT in wording:
        if not _DOT_AFTER_AT.search(wording) or wording.find(b"&nbsp;") >= 0:
            return None
        return Found(b"mailto:" + _MISPARSED.sub(b"", wording), written_with_scheme=False)
    if _DOT not in wording:
        return None
    return Found(b"http://" + wording, linked=False, written_with_scheme=False)


def _mail(found: Found, registry: Registry) -> Found | None:
    """The address as mail programs decode it; None when its host is none of the internet."""
    uri = found.uri
    if _PER_CENT in uri and _ESCAPE.search(uri):
        uri = unescape(uri)
    host = _MAIL_HOST.search(uri)
    if host is None:
        return None
    name = host[1] if _PER_CENT not in host[1] else _TRAILING_BLANKS.sub(b"", host[1])
    if not registry.knows_tld(hostnames.to_ascii(name).decode("latin-1")):
        return None
    return found if uri is found.uri else found._replace(uri=uri)
