"""What do the tokens of an HTML document mean? Text, what of it is hidden, links, statistics: in one pass."""

import re
from collections.abc import Callable
from typing import NamedTuple

from lazaret.mime import style
from lazaret.mime.html_facts import HtmlFacts, Link
from lazaret.mime.html_tokens import BLANKS, Tokenizer, attributes
from lazaret.mime.style import Style, visibility

URI_LIMIT = 8192
"""Characters of a URI that are looked at."""

ELEMENTS = frozenset(
    "a abbr acronym address area b base bdo big blockquote body br button caption cite code col colgroup "
    "dd del dfn div dl dt em fieldset form h1 h2 h3 h4 h5 h6 head hr html i img input ins kbd label legend "
    "li link map meta noscript object ol optgroup option p param pre q samp script select small span strong "
    "style sub sup table tbody td textarea tfoot th thead title tr tt ul var applet basefont center dir font "
    "frame frameset iframe isindex menu noframes s strike u nobr x-sigsep x-tab".split()
)
_NAMESPACED = re.compile(r"(?:o|st\d):[\w-]+/?\Z")
_SPACE = {
    **dict.fromkeys("br div".split(), "\n"),
    **dict.fromkeys("li th td dt dd embed h1 h2 h3 h4 h5 h6".split(), " "),
    **dict.fromkeys("p hr blockquote pre listing plaintext xmp title".split(), "\n\n"),
}
"""Tag -> the white space that its start and its end leave in the text."""
_STYLED = frozenset("body font table tr th td big small basefont marquee span p div a".split())
_ROOMY = frozenset("table tr td th p div span".split())
_COUNTS_IN_ROOMY = re.compile(r"style|background|bgcolor", re.I)
"""The tags that layouts are made of: their attributes are read only when one of these may be among them."""
_BLANK_RUN = re.compile(r"[\t\n\r\f\v][ \t\n\r\f\v]*+|\ [ \t\n\r\f\v]++|\xc2\xa0")

_GOOD_FACE = re.compile(
    r"""\s*["'.]?[a-z ][a-z -]*[a-z]\d?["']?(?:,\s*["']?[a-z][a-z -]*[a-z]\d?["']?)*;?$""", re.I | re.A
)
_META_REFRESH = re.compile(r"\burl\s*=", re.I | re.A)
_META_CHARSET = re.compile(r"\bcharset\s*=\s*[\"']?([^\"']+)", re.I | re.A)
_IMAGE_SIDE = re.compile(r"(\d{1,9})(%)?$", re.A)
_BASE_SIZE = re.compile(r"\s*(\d{1,9})")
_GUESSED_SIDE = 200
"""Pixels of an image whose size cannot be read."""

_WORD = r"[^\s\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]"
_NO_WORD = " \t\n\r\f\v!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_WIDE_SPACE = "\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


class _Words(NamedTuple):
    """What makes a word, in text that is ASCII but for references, and in other text."""

    breaks: frozenset[str]
    end: re.Pattern[str]
    start: re.Pattern[str]


_WORDS = {
    wide: _Words(
        frozenset(_NO_WORD + _WIDE_SPACE if wide else _NO_WORD),
        re.compile(rf"\b({_WORD}{{1,7}})\Z", 0 if wide else re.A),
        re.compile(rf"({_WORD}{{1,7}})\b", 0 if wide else re.A),
    )
    for wide in (False, True)
}


class Texts(NamedTuple):
    """The text of a document, four times."""

    rendered: str
    """All of it, with SpamAssassin's white space."""
    visible: str
    invisible: str
    """What SpamAssassin takes for hidden."""
    seen: str
    """What a reader sees: here the bgcolor of a table counts too."""


class _OpenLink(NamedTuple):
    tag: str
    attribute: str
    target: str
    text: list[str]


class Reader(Tokenizer):
    """The state of one pass. `wide`: see charset.Text."""

    def __init__(self, wide: bool) -> None:
        super().__init__()
        self.facts = HtmlFacts(html=True)
        self._wide = wide
        self._breaks = _WORDS[wide].breaks
        self._pieces: list[str] = []
        self._hidden: list[int] = []
        """Indexes of the pieces that SpamAssassin takes for hidden."""
        self._unseen: list[int] = []
        self._after_space = False
        self._after_hidden = False
        self._tags: dict[str, int] = {}
        """Tag -> how often it was met, open or close."""
        self._inside = self.facts.inside
        self._closed_extra = 0
        self._obfuscation = 0
        self._backhair: set[tuple[int, int]] = set()
        self._base_size = 3
        self._styles: list[tuple[str, Style]] = [("", style.PLAIN)]
        self._open_styles: dict[str, int] = {}
        self._links: list[_OpenLink] = []
        self._anchor: list[str] = []
        self._anchors: list[list[str]] = []
        self._titles: list[list[str]] = []

    # Tokens.

    def start(self, tag: str, written: str) -> None:
        self._tags[tag] = self._tags.get(tag, 0) + 1
        self._inside[tag] = self._inside.get(tag, 0) + 1
        action = _ACTIONS.get(tag)
        styled = tag in _STYLED
        found: dict[str, str] = {}
        if written and (action or styled) and (tag not in _ROOMY or _COUNTS_IN_ROOMY.search(written)):
            found = attributes(written)
        if styled:
            self._open_style("td" if tag == "th" else tag, found)
        if tag in _SPACE:
            self._white_space(_SPACE[tag])
        if action:
            action(self, tag, found)

    def end(self, tag: str) -> None:
        self._tags[tag] = self._tags.get(tag, 0) + 1
        inside = self._inside.get(tag, 0) - 1
        if inside < 0:
            inside = 0
            self._closed_extra += 1
        self._inside[tag] = inside
        if tag in _STYLED and tag != "body":
            self._close_style("td" if tag == "th" else tag)
        if tag in _SPACE:
            self._white_space(_SPACE[tag])

    def text(self, text: str) -> None:
        inside = self._inside.get
        if inside("script"):
            self.facts.script.append(text)
            return
        if inside("style"):
            return
        if inside("a"):
            self._anchor.append(text)
        if inside("title"):
            self._titles[-1].append(text)
        if self._pieces and text[0] not in self._breaks:
            self._broken_word(text)
        if text.strip(BLANKS):
            hidden = self._look(text)
            text = _BLANK_RUN.sub(" ", text)
        else:
            hidden = False
            text = " "
        if self._after_space and not hidden and text[0] == " ":
            text = text[1:]
        self._pieces.append(text)
        self._after_space = False
        self._after_hidden = hidden

    def doctype(self) -> None:
        self._tags["!doctype"] = self._tags.get("!doctype", 0) + 1
        self._inside["!doctype"] = 0

    # Text.

    def _white_space(self, space: str) -> None:
        if self._pieces and not self._after_space and not self._after_hidden:
            last = self._pieces[-1]
            if last.endswith(" "):
                self._pieces[-1] = last[:-1]
        self._pieces.append(space)
        self._after_space = True
        self._after_hidden = False

    def _look(self, text: str) -> bool:
        """Notes what is odd about text in the style that holds; whether it counts as hidden."""
        current = self._styles[-1][1]
        if current is style.PLAIN:
            return False
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

    def _broken_word(self, text: str) -> None:
        """A tag stands inside a word: how HTML hides words from filters."""
        last = self._pieces[-1]
        if not last or last[-1] in self._breaks:
            return
        self._obfuscation += 1
        before = _WORDS[self._wide or max(last) > "\xff"].end.search(last, max(0, len(last) - 7))
        after = _WORDS[self._wide or max(text) > "\xff"].start.match(text)
        if before and after:
            self._backhair.add((len(before[1]), len(after[1])))

    # Style.

    def _open_style(self, tag: str, found: dict[str, str]) -> None:
        if tag == "basefont":
            size = _BASE_SIZE.match(found.get("size", ""))
            if size:
                self._base_size = int(size[1])
                return
        if tag in ("td", "tr"):
            self._close_cell(tag)
        current = self._styles[-1][1]
        if tag == "big":
            current = current._replace(size=current.size + 1)
        elif tag == "small":
            current = current._replace(size=current.size - 1)
        elif found:
            current = self._restyled(current, tag, found)
        self._styles.append((tag, current))
        self._open_styles[tag] = self._open_styles.get(tag, 0) + 1

    def _restyled(self, current: Style, tag: str, found: dict[str, str]) -> Style:
        counting = style.TEXT_ATTRIBUTES[tag].intersection(found)
        if not counting:
            return current
        restyled = style.restyle(
            current, {name: found[name] for name in found if name in counting}, self._base_size
        )
        if restyled.size > self.facts.max_size:
            self.facts.max_size = restyled.size
        elif restyled.size < self.facts.min_size:
            self.facts.min_size = restyled.size
        return restyled

    def _close_style(self, tag: str) -> None:
        if not self._open_styles.get(tag):
            return
        while self._pop_style() != tag:
            pass

    def _close_cell(self, tag: str) -> None:
        """Cells and rows have optional end tags: a new one closes the last one."""
        if not self._open_styles.get(tag):
            return
        closes = ("font", "td") if tag == "td" else ("font", "td", "tr")
        while self._styles[-1][0] in closes:
            self._pop_style()

    def _pop_style(self) -> str:
        tag, _ = self._styles.pop()
        self._open_styles[tag] -= 1
        return tag

    # Tags with a meaning of their own.

    def anchor(self, tag: str, found: dict[str, str]) -> None:
        self._anchor = self._link(tag, "href", _slashed(found, "href").replace("\ufeff", ""))
        self._anchors.append(self._anchor)
        self._link(tag, "data-saferedirecturl", found.get("data-saferedirecturl", ""))

    def area(self, tag: str, found: dict[str, str]) -> None:
        self._link(tag, "href", _slashed(found, "href").replace("\ufeff", ""))
        self._link(tag, "data-saferedirecturl", found.get("data-saferedirecturl", ""))

    def source(self, tag: str, found: dict[str, str]) -> None:
        self._link(tag, "src", _slashed(found, "src"))
        if tag == "embed":
            self.facts.embeds = True

    def image(self, tag: str, found: dict[str, str]) -> None:
        self._link(tag, "src", _slashed(found, "src"))
        if self._inside.get("a"):
            self._anchor.append("<img>\n")
        if "width" in found and "height" in found:
            width = _pixels(found["width"], 8) or _GUESSED_SIDE
            height = _pixels(found["height"], 6) or _GUESSED_SIDE
            self.facts.image_area += width * height

    def background(self, tag: str, found: dict[str, str]) -> None:
        self._link(tag, "background", found.get("background", ""))

    def form(self, tag: str, found: dict[str, str]) -> None:
        action = found.get("action", "")
        self._link(tag, "action", action)
        if "mailto:" in action.lower():
            self.facts.form_action_mailto = True

    def base(self, tag: str, found: dict[str, str]) -> None:
        self._link(tag, "href", found.get("href", ""))

    def meta(self, tag: str, found: dict[str, str]) -> None:
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

    def title(self, tag: str, found: dict[str, str]) -> None:
        self._titles.append([])

    def object(self, tag: str, found: dict[str, str]) -> None:
        self.facts.embeds = True

    def font(self, tag: str, found: dict[str, str]) -> None:
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
        facts.title = ["".join(title) for title in self._titles]
        facts.anchor = ["".join(text) for text in self._anchors]
        tags = sum(self._tags.values())
        if not tags:
            return facts
        elements = sum(count for tag, count in self._tags.items() if _is_element(tag))
        seen = [tag for tag in self._tags if tag != "!doctype"]
        seen_elements = sum(_is_element(tag) for tag in seen)
        facts.closed_extra_ratio = self._closed_extra / tags
        if elements:
            facts.bad_tag_ratio = (tags - elements) / tags
        if seen_elements:
            facts.non_element_ratio = (len(seen) - seen_elements) / len(seen)
        if self._obfuscation:
            facts.obfuscation_ratio = self._obfuscation / tags
        if self._backhair:
            facts.backhair_count = len(self._backhair)
        return facts


_ACTIONS: dict[str, Callable[[Reader, str, dict[str, str]], None]] = {
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


def _slashed(found: dict[str, str], name: str) -> str:
    """The value of `name`, also where bad HTML has glued another word before it: <a x/href=…>."""
    for key, value in found.items():
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
