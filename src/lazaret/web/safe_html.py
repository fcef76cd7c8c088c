"""A mail's HTML made harmless: what is left can show text, tables and its own pictures, and nothing else.

Three walls, each of which would do: the sanitiser leaves no script, style, form, link or remote address; the
policy of the frame allows none; the frame is a sandbox with an origin of its own.
"""

import base64
from collections.abc import Callable, Mapping

import nh3

from lazaret.mime import charset
from lazaret.mime.message import Message
from lazaret.mime.structure import Part
from lazaret.mime.true_type import true_type
from lazaret.web.headers import source_of

MAX_HTML = 1 << 20
MAX_PICTURES = 2 << 20
"""Octets of pictures that come with the mail; what goes beyond is left out."""
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")

_TAGS = {
    *("a", "abbr", "address", "b", "big", "blockquote", "br", "caption", "center", "cite", "code", "col"),
    *("colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("hr", "i", "img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike"),
    *("strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var"),
}
_EMPTIED = {
    *("script", "style", "title", "template", "noscript", "svg", "math", "object", "embed", "applet"),
    *("iframe", "frameset", "noembed", "noframes", "select", "textarea", "video", "audio", "canvas", "xmp"),
}
_EVERYWHERE = {"align", "valign", "dir", "title", "lang"}
_ATTRIBUTES = {
    "*": _EVERYWHERE,
    "img": {"src", "alt", "width", "height", "border", "hspace", "vspace"},
    "font": {"color", "size", "face"},
    "table": {"width", "height", "border", "cellpadding", "cellspacing", "bgcolor"},
    "td": {"width", "height", "bgcolor", "colspan", "rowspan", "nowrap"},
    "th": {"width", "height", "bgcolor", "colspan", "rowspan", "nowrap"},
    "tr": {"bgcolor", "height"},
    "col": {"width", "span"},
    "ol": {"start", "type"},
    "li": {"value"},
    "hr": {"size", "width", "color"},
}
STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:12px;background:#fff;color:#111;overflow-wrap:anywhere}"
    "img{max-width:100%;height:auto}a{color:#0b6168;text-decoration:underline}table{max-width:100%}"
    "pre{white-space:pre-wrap}"
)


def frame(message: Message, *, remote: bool) -> str:
    """The page that goes into the frame. `remote`: with the addresses of remote pictures."""
    parts = [part for part in message.parts if part.leaf and part.effective_type == "text/html"]
    source = "\n<hr>\n".join(decoded(part) for part in parts)[:MAX_HTML]
    body = clean(source, own_pictures(message), remote=remote)
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        f"<style>{STYLE}</style></head><body>{body}</body></html>"
    )


def policy(*, remote: bool) -> str:
    """The Content-Security-Policy of the frame."""
    pictures = "data: http: https:" if remote else "data:"
    return (
        f"default-src 'none'; img-src {pictures}; style-src {source_of(STYLE)}; sandbox; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def has_html(message: Message) -> bool:
    """Whether there is a part to be shown in a frame."""
    return any(part.leaf and part.effective_type == "text/html" for part in message.parts)


def clean(source: str, pictures: Mapping[str, str], *, remote: bool) -> str:
    """HTML that acts on nothing. `pictures`: Content-ID -> data: address."""
    return nh3.clean(
        source,
        tags=_TAGS,
        clean_content_tags=_EMPTIED,
        attributes=_ATTRIBUTES,
        attribute_filter=_filter(pictures, remote),
        url_schemes={"cid", "data", "http", "https"},
        url_relative="deny",
        link_rel=None,
        strip_comments=True,
    )


def own_pictures(message: Message) -> dict[str, str]:
    """Content-ID -> data: address of each picture that comes with the mail and is one by its octets."""
    found: dict[str, str] = {}
    left = MAX_PICTURES
    for part in message.parts:
        name = part.last("Content-ID").decode("ascii", "replace").strip(" <>\r\n")
        if not name or not part.leaf or not part.content_type.startswith("image/"):
            continue
        octets = part.octets
        media = true_type(octets)[1]
        if media in _PICTURES and len(octets) <= left:
            left -= len(octets)
            found[name] = f"data:{media};base64,{base64.b64encode(octets).decode('ascii')}"
    return found


def decoded(part: Part) -> str:
    """The part as characters; not by any codec of Python: some give half characters, or take long."""
    return charset.decode(part.octets, part.charset or "utf-8").characters


def _filter(pictures: Mapping[str, str], remote: bool) -> Callable[[str, str, str], str | None]:
    def keep(element: str, attribute: str, value: str) -> str | None:
        if attribute != "src":
            return value
        address = value.strip()
        if address.lower().startswith("cid:"):
            return pictures.get(address[4:].strip("<>"))
        if remote and address.lower().startswith(("http://", "https://")):
            return address
        return None

    return keep
