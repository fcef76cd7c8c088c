"""Where does a link of a page lead to? References are resolved by RFC 3986, section 5.2, but leniently."""

import re
from typing import NamedTuple

_PARTS = re.compile(
    rb"(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)"
    rb"(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>[^\n]*))?"
)
_ABSOLUTE = re.compile(rb"[^:/?#]+://[^/?#]")
_NO_HOST = re.compile(rb"(?:data|mailto|file|cid|tel):", re.I)
_BASE = re.compile(rb"(?:https?|ftp):/{0,2}", re.I)
_FILE_NAME = re.compile(rb"([a-z]+:/{0,2}[^/]+/.*?)[^/.]+\.[^/.]{2,4}\Z", re.I | re.S)
_LF, _DOT = b"\n."


class _Reference(NamedTuple):
    scheme: bytes | None
    authority: bytes | None
    path: bytes
    query: bytes | None
    fragment: bytes | None


def _parse(uri: bytes) -> _Reference:
    match = _PARTS.match(uri)
    return _Reference(*match.group("scheme", "authority", "path", "query", "fragment")) if match else _EMPTY


_EMPTY = _Reference(None, None, b"", None, None)


def base_of(uri: bytes) -> bytes:
    """The base that `<base href=uri>` sets: the folder of the page; b"" when browsers ignore it."""
    if not _BASE.match(uri):
        return b""
    folder = _FILE_NAME.sub(rb"\1", uri)
    return folder if folder.endswith(b"/") else folder + b"/"


def resolve(base: bytes, uri: bytes) -> bytes:
    """The URI that the reference stands for on a page with this base; b"" base: it stays relative."""
    if _NO_HOST.match(uri):
        return uri
    if _LF not in uri and uri.find(b"/.") < 0 and _ABSOLUTE.match(uri):
        return uri
    reference, page = _parse(uri), _parse(base)
    if reference.scheme is not None and reference.scheme == page.scheme:
        reference = reference._replace(scheme=None)
    return _compose(_target(reference, page)._replace(fragment=reference.fragment))


def _target(reference: _Reference, page: _Reference) -> _Reference:
    if reference.scheme is not None:
        return reference._replace(path=_without_dots(reference.path))
    if reference.authority is not None:
        return reference._replace(scheme=page.scheme, path=_without_dots(reference.path))
    if not reference.path:
        query = page.query if reference.query is None else reference.query
        return page._replace(query=query)
    path = reference.path if reference.path.startswith(b"/") else _merged(page, reference.path)
    return page._replace(path=_without_dots(path), query=reference.query)


def _merged(page: _Reference, path: bytes) -> bytes:
    if page.authority is not None and not page.path:
        return b"/" + path
    return page.path[: page.path.rfind(b"/") + 1] + path


def _without_dots(path: bytes) -> bytes:
    """Section 5.2.4; a leading `../` or `./` counts as `/`, as browsers read it."""
    if _DOT not in path:
        return path
    path = re.sub(rb"\A\.\.?/", b"/", path)
    absolute = path.startswith(b"/")
    segments: list[bytes] = []
    pieces = path.split(b"/")
    for piece in pieces[1:] if absolute else pieces:
        if piece == b"..":
            if segments:
                segments.pop()
        elif piece != b".":
            segments.append(piece)
    if absolute and pieces[-1] in (b".", b".."):
        segments.append(b"")
    return (b"/" if absolute else b"") + b"/".join(segments)


def _compose(uri: _Reference) -> bytes:
    composed = uri.path
    if uri.authority is not None:
        composed = b"//" + uri.authority + composed
    if uri.scheme:
        composed = uri.scheme + b":" + composed
    elif uri.authority is not None:
        composed = _guessed_scheme(uri.authority) + composed
    if uri.query is not None:
        composed += b"?" + uri.query
    return composed + b"#" + uri.fragment if uri.fragment is not None else composed


def _guessed_scheme(authority: bytes) -> bytes:
    """Spammers leave the scheme out, and readers still arrive."""
    if re.match(rb"www\d*\.", authority, re.I):
        return b"http:"
    return b"ftp:" if re.match(rb"ftp\d*\.", authority, re.I) else b""
