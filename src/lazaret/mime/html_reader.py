"""What does an HTML document link to, and what is there to say of it? In the pass that reads its text."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from lazaret.mime.html_facts import HtmlFacts, Link
from lazaret.mime.html_page import Page, kind
from lazaret.mime.html_tokens import TOKEN_LIMIT

URI_LIMIT = 8192
"""Characters of a URI that are looked at."""

_ELEMENTS = """
a abbr acronym address area b base bdo big blockquote body br button caption cite code col colgroup dd del
dfn div dl dt em fieldset form h1 h2 h3 h4 h5 h6 head hr html i img input ins kbd label legend li link map
meta noscript object ol optgroup option p param pre q samp script select small span strong style sub sup
table tbody td textarea tfoot th thead title tr tt ul var
applet basefont center dir font frame frameset iframe isindex menu noframes s strike u
nobr x-sigsep x-tab
"""
"""HTML 4.01 strict, its loose additions, and three that are no standard."""
ELEMENTS = frozenset(_ELEMENTS.split())
_NAMESPACED = re.compile(r"(?:o|st\d):[\w-]+/?\Z")
_SPACE = {
    **dict.fromkeys(["br", "div"], "\n"),
    **dict.fromkeys(["li", "th", "td", "dt", "dd", "embed", "h1", "h2", "h3", "h4", "h5", "h6"], " "),
    **dict.fromkeys(["p", "hr", "blockquote", "pre", "listing", "plaintext", "xmp", "title"], "\n\n"),
}
"""Tag -> the white space that its start and its end leave in the text."""
_STYLED = frozenset(
    [
        "body",
        "font",
        "table",
        "tr",
        "th",
        "td",
        "big",
        "small",
        "basefont",
        "marquee",
        "span",
        "p",
        "div",
        "a",
    ]
)
_WATCHED = frozenset({"a", "title", "script", "style"})

_GOOD_FACE = re.compile(
    r"""\s*["'.]?[a-z ][a-z -]*[a-z]\d?["']?(?:,\s*["']?[a-z][a-z -]*[a-z]\d?["']?)*;?$""", re.I | re.A
)
_META_REFRESH = re.compile(r"\burl\s*=", re.I | re.A)
_META_CHARSET = re.compile(r"\bcharset\s*=\s*[\"']?([^\"']+)", re.I | re.A)
_FACE_LIMIT = 1000
"""Characters of a list of fonts that are looked at."""
_REDIRECTED = "data-saferedirecturl"
"""Where Gmail notes what a link led to."""
_IMAGE_SIDE = re.compile(r"(\d{1,9})(%)?$", re.A)
_GUESSED_SIDE = 200
"""Pixels of an image whose size cannot be read."""


_OpenLink = tuple[str, str, str, list[str]]
"""Tag, attribute and target, and the text so far."""


class Reader(Page):
    """The state of one pass. `wide`: see charset.Text."""

    def __init__(self, wide: bool, tokens: int = TOKEN_LIMIT) -> None:
        super().__init__(wide, tokens)
        self.begin()

    def begin(self) -> None:
        """Nothing is known of links yet."""
        self.facts = HtmlFacts(html=True)
        self._links: list[_OpenLink] = []
        self._anchors: list[list[str]] = []

    # Tags with a meaning of their own.

    def anchor(self, tag: str, found: Mapping[str, str]) -> None:
        self.link_texts = self._link(tag, "href", _slashed(found, "href").replace("\ufeff", ""))
        self._anchors.append(self.link_texts)
        if _REDIRECTED in found:
            self._link(tag, _REDIRECTED, found[_REDIRECTED])

    def area(self, tag: str, found: Mapping[str, str]) -> None:
        self._link(tag, "href", _slashed(found, "href").replace("\ufeff", ""))
        if _REDIRECTED in found:
            self._link(tag, _REDIRECTED, found[_REDIRECTED])

    def source(self, tag: str, found: Mapping[str, str]) -> None:
        self._link(tag, "src", _slashed(found, "src"))
        if tag == "embed":
            self.facts.embeds = True

    def image(self, tag: str, found: Mapping[str, str]) -> None:
        self._link(tag, "src", _slashed(found, "src"))
        if self.is_inside("a"):
            self.link_texts.append("<img>\n")
        if "width" in found and "height" in found:
            width = _pixels(found["width"], 8) or _GUESSED_SIDE
            height = _pixels(found["height"], 6) or _GUESSED_SIDE
            self.facts.image_area += width * height

    def background(self, tag: str, found: Mapping[str, str]) -> None:
        if "background" in found:
            self._link(tag, "background", found["background"])

    def form(self, tag: str, found: Mapping[str, str]) -> None:
        action = found.get("action", "")
        self._link(tag, "action", action)
        if "mailto:" in action.lower():
            self.facts.form_action_mailto = True

    def base(self, tag: str, found: Mapping[str, str]) -> None:
        self._link(tag, "href", found.get("href", ""))

    def meta(self, tag: str, found: Mapping[str, str]) -> None:
        kind = found.get("http-equiv", "").lower()
        content = found.get("content", "")
        if "refresh" in kind:
            urls = list(_META_REFRESH.finditer(content))
            if urls:
                self._link(tag, "content", content[urls[-1].end() :].lstrip().partition(";")[0])
        if "content-type" in kind:
            charset = _META_CHARSET.search(content)
            if charset:
                self.facts.charsets = f"{self.facts.charsets} {charset[1]}".lstrip(" ")

    def title(self, tag: str, found: Mapping[str, str]) -> None:
        self.titles.append([])

    def object(self, tag: str, found: Mapping[str, str]) -> None:
        self.facts.embeds = True

    def font(self, tag: str, found: Mapping[str, str]) -> None:
        if "face" in found and not _is_good_face(found["face"][:_FACE_LIMIT]):
            self.facts.font_face_bad = True

    def _link(self, tag: str, attribute: str, target: str) -> list[str]:
        """Notes the link, unless it leads nowhere; the list is for its text."""
        text: list[str] = []
        target = target.strip(" \t\n\r\f\v\xa0")
        if len(target) > URI_LIMIT:
            self.facts.uri_truncated = True
        if target:
            self._links.append((tag, attribute, target[:URI_LIMIT], text))
        return text

    # Results.

    def links(self) -> tuple[Link, ...]:
        """The links that were read."""
        return tuple(
            [
                Link(tag, attribute, target.encode("utf-8", "replace"), "".join(text))
                for tag, attribute, target, text in self._links
            ]
        )

    def finish(self) -> HtmlFacts:
        """The statistics of the whole document."""
        facts = self.facts
        counts, inside, closed_extra, min_size, max_size, low_contrast, invalid_color = self.counted()
        facts.font_low_contrast, facts.font_invalid_color = low_contrast, invalid_color
        facts.min_size, facts.max_size = min_size, max_size
        facts.comment, facts.script = self.comments, self.script
        facts.title = ["".join(title) for title in self.titles]
        facts.anchor = ["".join(text) for text in self._anchors]
        facts.inside = inside
        if not counts:
            return facts
        known = {tag: count for tag, count in counts.items() if _is_element(tag)}
        tags, elements = sum(counts.values()), sum(known.values())
        doctypes = int("!doctype" in counts)
        kinds, known_kinds = len(counts) - doctypes, len(known) - doctypes
        facts.closed_extra_ratio = closed_extra / tags
        if elements:
            facts.bad_tag_ratio = (tags - elements) / tags
        if known_kinds:
            facts.non_element_ratio = (kinds - known_kinds) / kinds
        if self.words.count:
            facts.obfuscation_ratio = self.words.count / tags
        if self.words.lengths:
            facts.backhair_count = len(self.words.lengths)
        return facts


_ACTIONS: dict[str, Callable[[Reader, str, Mapping[str, str]], None]] = {
    "a": Reader.anchor,
    "area": Reader.area,
    "link": Reader.area,
    "img": Reader.image,
    **dict.fromkeys(("frame", "iframe", "embed", "script", "bgsound"), Reader.source),
    **dict.fromkeys(("body", "table", "tr", "td"), Reader.background),
    "form": Reader.form,
    "base": Reader.base,
    "meta": Reader.meta,
    "title": Reader.title,
    "object": Reader.object,
    "font": Reader.font,
}


Reader.kinds = {
    tag: kind(
        tag,
        styled={"th": "td"}.get(tag, tag) if tag in _STYLED else "",
        space=_SPACE.get(tag, ""),
        action=_ACTIONS.get(tag),
        watched=tag in _WATCHED,
    )
    for tag in {*_ACTIONS, *_STYLED, *_SPACE, *_WATCHED}
}


def _slashed(found: Mapping[str, str], name: str) -> str:
    """The value of `name`, also where bad HTML has glued another word before it: <a x/href=…>."""
    if "/" not in "".join(found):
        return found.get(name, "")
    for key, value in found.items():
        if "/" not in key:
            continue
        head, slash, _ = key.partition("/" + name)
        if slash and head[-1:].isalnum():
            return value
    return found.get(name, "")


@lru_cache(maxsize=256)
def _is_good_face(face: str) -> bool:
    """Whether it is a list of fonts as programs write it; most mail has one of a few."""
    return _GOOD_FACE.match(face) is not None


def _pixels(value: str, per_percent: int) -> int:
    side = _IMAGE_SIDE.match(value)
    if not side:
        return 0
    return int(side[1]) * (per_percent if side[2] else 1)


def _is_element(tag: str) -> bool:
    return tag in ELEMENTS or tag == "!doctype" or _NAMESPACED.match(tag) is not None
