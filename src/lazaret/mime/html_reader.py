"""What do the tokens of an HTML document mean? Text, what of it is hidden, links, statistics: in one pass."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from lazaret.mime import style
from lazaret.mime.broken_words import BrokenWords
from lazaret.mime.html_facts import HtmlFacts, Link
from lazaret.mime.html_tokens import BLANKS, TOKEN_LIMIT, Tokenizer, attributes
from lazaret.mime.style import Style, visibility
from lazaret.mime.style_stack import StyleStack

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
_ROOMY = frozenset(["table", "tr", "td", "th", "p", "div", "span"])
"""The tags of layouts: their attributes are read only when one that counts may be among them."""
_NO_ATTRIBUTES: Mapping[str, str] = {}
_REMEMBERED = 512
"""Characters of a tag whose attributes are remembered; longer ones would cost too much memory."""
_ODD_BLANK = re.compile("[\t\r\f\v\xc2]")
"""Without one, a line end or two blanks in a row, there is nothing for _BLANK_RUN."""
_SHORT = 4096
_AS_BLANKS = dict.fromkeys(map(ord, "\t\n\r\f\v"), " ")
_BLANK_RUN = re.compile(r"[\t\n\r\f\v][ \t\n\r\f\v]*+|\ [ \t\n\r\f\v]++|\xc2\xa0")

_GOOD_FACE = re.compile(
    r"""\s*["'.]?[a-z ][a-z -]*[a-z]\d?["']?(?:,\s*["']?[a-z][a-z -]*[a-z]\d?["']?)*;?$""", re.I | re.A
)
_META_REFRESH = re.compile(r"\burl\s*=", re.I | re.A)
_META_CHARSET = re.compile(r"\bcharset\s*=\s*[\"']?([^\"']+)", re.I | re.A)
_IMAGE_SIDE = re.compile(r"(\d{1,9})(%)?$", re.A)
_GUESSED_SIDE = 200
"""Pixels of an image whose size cannot be read."""


class Texts(NamedTuple):
    """The text of a document, four times."""

    rendered: str
    """All of it, with SpamAssassin's white space."""
    visible: str
    invisible: str
    """What SpamAssassin takes for hidden."""
    seen: str
    """What a reader sees: here the bgcolor of a table counts too."""


class _Met:
    """A tag that was met: how often, how often it is open, and what it does."""

    __slots__ = ("action", "count", "inside", "reads", "roomy", "space", "styled", "watched")

    def __init__(self, kind: "_Kind") -> None:
        self.styled, self.space, self.action, self.reads, self.roomy, self.watched = kind
        self.count = 0
        self.inside = 0


class _OpenLink(NamedTuple):
    tag: str
    attribute: str
    target: str
    text: list[str]


def _with_single_blanks(text: str) -> str:
    """A blank for each run of them. In long texts an expression would take time and memory for each run."""
    if len(text) <= _SHORT:
        return _BLANK_RUN.sub(" ", text)
    text = text.translate(_AS_BLANKS)
    while "  " in text:
        text = text.replace("  ", " ")
    return text.replace("\xc2\xa0", " ")


class Reader(Tokenizer):
    """The state of one pass. `wide`: see charset.Text."""

    def __init__(self, wide: bool, tokens: int = TOKEN_LIMIT) -> None:
        super().__init__(tokens)
        self.facts = HtmlFacts(html=True)
        self._words = BrokenWords(wide)
        self._breaks = self._words.breaks
        self._pieces: list[str] = []
        self._hidden: list[int] = []
        """Indexes of the pieces that SpamAssassin takes for hidden."""
        self._unseen: list[int] = []
        self._after_space = False
        self._after_hidden = False
        self._met: dict[str, _Met] = {}
        """Every tag that was met, start or end, with what is known of it."""
        self._watched = 0
        """How many tags are open whose text is kept apart."""
        self._closed_extra = 0
        self._styles = StyleStack()
        self._links: list[_OpenLink] = []
        self._anchor: list[str] = []
        self._anchors: list[list[str]] = []
        self._titles: list[list[str]] = []

    # Tokens.

    def start(self, tag: str, written: str) -> None:
        met = self._met.get(tag) or self._meet(tag)
        met.count += 1
        met.inside += 1
        read = _read_tag(tag, written) if written and met.reads else _UNREAD
        if met.styled:
            self._styles.enter(met.styled, read.attributes, read.counting)
        if met.space:
            self._white_space(met.space)
        if met.watched:
            self._watched += 1
        if met.action and (read.attributes or not met.roomy):
            met.action(self, tag, read.attributes)

    def end(self, tag: str) -> None:
        met = self._met.get(tag) or self._meet(tag)
        met.count += 1
        if not met.inside:
            self._closed_extra += 1
        else:
            met.inside -= 1
            if met.watched:
                self._watched -= 1
        if met.styled:
            self._styles.close(met.styled)
        if met.space:
            self._white_space(met.space)

    def text(self, text: str) -> None:
        if self._watched and self._belongs_elsewhere(text):
            return
        first = text[0]
        if first in BLANKS and not text.strip(BLANKS):
            self._pieces.append("" if self._after_space else " ")
            self._after_space = self._after_hidden = False
            return
        if self._pieces and first not in self._breaks:
            self._words.note(self._pieces[-1], text)
        current = self._styles.current
        hidden = current is not style.PLAIN and self._look(text, current)
        if "\n" in text or "  " in text or _ODD_BLANK.search(text):
            text = _with_single_blanks(text)
        if self._after_space and not hidden and text[0] == " ":
            text = text[1:]
        self._pieces.append(text)
        self._after_space = False
        self._after_hidden = hidden

    def _meet(self, tag: str) -> "_Met":
        met = self._met[tag] = _Met(_KINDS.get(tag, _NOTHING))
        return met

    def _is_inside(self, tag: str) -> bool:
        met = self._met.get(tag)
        return met is not None and met.inside > 0

    def _belongs_elsewhere(self, text: str) -> bool:
        """Text of a script or a style sheet is not shown; an anchor and a title note theirs."""
        if self._is_inside("script"):
            self.facts.script.append(text)
            return True
        if self._is_inside("style"):
            return True
        if self._is_inside("a"):
            self._anchor.append(text)
        if self._is_inside("title"):
            self._titles[-1].append(text)
        return False

    def doctype(self) -> None:
        met = self._met.get("!doctype") or self._meet("!doctype")
        met.count += 1
        met.inside = 0

    # Text.

    def _white_space(self, space: str) -> None:
        if self._pieces and not self._after_space and not self._after_hidden:
            last = self._pieces[-1]
            if last.endswith(" "):
                self._pieces[-1] = last[:-1]
        self._pieces.append(space)
        self._after_space = True
        self._after_hidden = False

    def _look(self, text: str, current: Style) -> bool:
        """Notes what is odd about text in this style; whether it counts as hidden."""
        if "\xc2\xa0" in text and not text.replace("\xc2\xa0", "").strip(BLANKS):
            return False
        seen = visibility(current)
        if seen.unseen:
            self._unseen.append(len(self._pieces))
        if not seen.invisible:
            return False
        if seen.low_contrast:
            self.facts.font_low_contrast = True
        elif seen.invalid_color:
            self.facts.font_invalid_color = True
        self._hidden.append(len(self._pieces))
        return True

    # Tags with a meaning of their own.

    def anchor(self, tag: str, found: Mapping[str, str]) -> None:
        self._anchor = self._link(tag, "href", _slashed(found, "href").replace("\ufeff", ""))
        self._anchors.append(self._anchor)
        self._link(tag, "data-saferedirecturl", found.get("data-saferedirecturl", ""))

    def area(self, tag: str, found: Mapping[str, str]) -> None:
        self._link(tag, "href", _slashed(found, "href").replace("\ufeff", ""))
        self._link(tag, "data-saferedirecturl", found.get("data-saferedirecturl", ""))

    def source(self, tag: str, found: Mapping[str, str]) -> None:
        self._link(tag, "src", _slashed(found, "src"))
        if tag == "embed":
            self.facts.embeds = True

    def image(self, tag: str, found: Mapping[str, str]) -> None:
        self._link(tag, "src", _slashed(found, "src"))
        if self._is_inside("a"):
            self._anchor.append("<img>\n")
        if "width" in found and "height" in found:
            width = _pixels(found["width"], 8) or _GUESSED_SIDE
            height = _pixels(found["height"], 6) or _GUESSED_SIDE
            self.facts.image_area += width * height

    def background(self, tag: str, found: Mapping[str, str]) -> None:
        self._link(tag, "background", found.get("background", ""))

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
        self._titles.append([])

    def object(self, tag: str, found: Mapping[str, str]) -> None:
        self.facts.embeds = True

    def font(self, tag: str, found: Mapping[str, str]) -> None:
        if "face" in found and not _GOOD_FACE.match(found["face"][:1000]):
            self.facts.font_face_bad = True

    def _link(self, tag: str, attribute: str, target: str) -> list[str]:
        """Notes the link, unless it leads nowhere; the list is for its text."""
        text: list[str] = []
        target = target.strip(" \t\n\r\f\v\xa0")
        if len(target) > URI_LIMIT:
            self.facts.uri_truncated = True
        if target:
            self._links.append(_OpenLink(tag, attribute, target[:URI_LIMIT], text))
        return text

    # Results.

    def texts(self) -> Texts:
        """The text that was read."""
        pieces = self._pieces
        rendered = "".join(pieces)
        hidden = frozenset(self._hidden)
        unseen = frozenset(self._unseen)
        return Texts(
            rendered,
            "".join(p for i, p in enumerate(pieces) if i not in hidden) if hidden else rendered,
            "".join(pieces[i] for i in self._hidden),
            "".join(p for i, p in enumerate(pieces) if i not in unseen) if unseen else rendered,
        )

    def links(self) -> tuple[Link, ...]:
        """The links that were read."""
        return tuple(
            Link(link.tag, link.attribute, link.target.encode("utf-8", "replace"), "".join(link.text))
            for link in self._links
        )

    def finish(self) -> HtmlFacts:
        """The statistics of the whole document."""
        facts = self.facts
        facts.comment = self.comments
        facts.min_size, facts.max_size = self._styles.min_size, self._styles.max_size
        facts.title = ["".join(title) for title in self._titles]
        facts.anchor = ["".join(text) for text in self._anchors]
        facts.inside = {tag: met.inside for tag, met in self._met.items()}
        if not self._met:
            return facts
        counts = {tag: met.count for tag, met in self._met.items()}
        known = {tag: count for tag, count in counts.items() if _is_element(tag)}
        tags, elements = sum(counts.values()), sum(known.values())
        doctypes = int("!doctype" in counts)
        kinds, known_kinds = len(counts) - doctypes, len(known) - doctypes
        facts.closed_extra_ratio = self._closed_extra / tags
        if elements:
            facts.bad_tag_ratio = (tags - elements) / tags
        if known_kinds:
            facts.non_element_ratio = (kinds - known_kinds) / kinds
        if self._words.count:
            facts.obfuscation_ratio = self._words.count / tags
        if self._words.lengths:
            facts.backhair_count = len(self._words.lengths)
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


class _Kind(NamedTuple):
    """What a tag does."""

    styled: str
    """The tag under which its style is closed again; "" when it has none."""
    space: str
    action: Callable[[Reader, str, Mapping[str, str]], None] | None
    reads: bool
    """Its attributes count."""
    roomy: bool
    watched: bool


_NOTHING = _Kind("", "", None, reads=False, roomy=False, watched=False)


class _Read(NamedTuple):
    """The attributes of a start tag."""

    attributes: Mapping[str, str]
    counting: tuple[tuple[str, str], ...]
    """Those that change how its text is shown."""


_UNREAD = _Read(_NO_ATTRIBUTES, ())


def _read_tag(tag: str, written: str) -> _Read:
    return _remembered(tag, written) if len(written) <= _REMEMBERED else _read_attributes(tag, written)


def _read_attributes(tag: str, written: str) -> _Read:
    if tag in _ROOMY:
        lowered = written.lower()
        if not ("style" in lowered or "background" in lowered or "bgcolor" in lowered):
            return _UNREAD
    found = attributes(written)
    counts = style.TEXT_ATTRIBUTES.get(tag, ())
    return _Read(found, tuple(item for item in found.items() if item[0] in counts))


_remembered = lru_cache(maxsize=2048)(_read_attributes)
"""A newsletter writes the same few cells a hundred times."""

_KINDS = {
    tag: _Kind(
        styled={"th": "td"}.get(tag, tag) if tag in _STYLED else "",
        space=_SPACE.get(tag, ""),
        action=_ACTIONS.get(tag),
        reads=tag in _ACTIONS or tag in _STYLED,
        roomy=tag in _ROOMY,
        watched=tag in _WATCHED,
    )
    for tag in {*_ACTIONS, *_STYLED, *_SPACE, *_WATCHED}
}


def _slashed(found: Mapping[str, str], name: str) -> str:
    """The value of `name`, also where bad HTML has glued another word before it: <a x/href=…>."""
    for key, value in found.items():
        if "/" not in key:
            continue
        head, slash, _ = key.partition("/" + name)
        if slash and head[-1:].isalnum():
            return value
    return found.get(name, "")


def _pixels(value: str, per_percent: int) -> int:
    side = _IMAGE_SIDE.match(value)
    if not side:
        return 0
    return int(side[1]) * (per_percent if side[2] else 1)


def _is_element(tag: str) -> bool:
    return tag in ELEMENTS or tag == "!doctype" or _NAMESPACED.match(tag) is not None
