"""What does an HTML part show, hide and link to? One pass, in the manner of HTML::Parser and SpamAssassin."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from lazaret.mime import entities, style

TOKEN_LIMIT = 200_000
"""Tags and pieces of text that are looked at: about 0.3 s. A part with more is `over_budget`."""
URI_LIMIT = 8192

_S = r" \t\n\r\f\v"
_TOKEN = re.compile(
    r"([^<]++)"
    rf"|<([A-Za-z_:][^{_S}>]*+)"
    rf"((?:[{_S}]*+[^{_S}>][^{_S}=>]*+[{_S}]*+"
    rf"(?:=[{_S}]*+(?:\"[^\"]*+\"|'[^']*+'|[^{_S}>\"'][^{_S}>]*+|(?=>))|(?!=)))*+[{_S}]*+)>"
    rf"|</([^{_S}>]++)[^>\"']*+>"
)
"""Text, a start tag with its attributes, a plain end tag; the rest is for `_markup`.

All quantifiers are possessive: a tag whose quote is never closed is found out in one pass.
"""
_ATTRIBUTE = re.compile(
    rf"([^{_S}>][^{_S}=>]*+)[{_S}]*+(?:(=)[{_S}]*+(?:\"([^\"]*+)\"|'([^']*+)'|([^{_S}>]*+)))?+"
)
_TO_GT = re.compile(r"(?:[^>\"']++|(?<=[ =])\"[^\"]*+(?:\"|\Z)|(?<=[ =])'[^']*+(?:'|\Z)|[\"'])*+>")
_COMMENT_END = re.compile(rf"--[{_S}]*+>")
_DOCTYPE = re.compile(
    rf"<!doctype(?:[{_S}]++(?:\"[^\"]*+\"|'[^']*+'|--(?:[^-]|-(?!-))*+--|[^{_S}>\"'-][^{_S}>]*+)?+)*+>", re.I
)
_SECTION = re.compile(rf"<!\[[{_S}]*+((?:[A-Za-z_:][\w:.-]*+[{_S}]*+)*+)\[", re.A)
_SELF_CLOSED = re.compile(r"<(\w++)\s*+/>")
_BLANK_RUN = re.compile(rf"[\t\n\r\f\v][{_S}]*+|\ [{_S}]++|\xc2\xa0")
_BLANKS = " \t\n\r\f\v"
_NAMESPACED = re.compile(r"(?:o|st\d):[\w-]+/?\Z")

_LITERAL = {
    tag: re.compile(rf"</{tag}[{_S}]*+>", re.I)
    for tag in ("script", "style", "xmp", "iframe", "plaintext", "title", "textarea")
}
"""Tags whose content is text up to their end tag, and what ends them."""
_REFERENCES_COUNT = frozenset({"title", "textarea"})

_ELEMENTS = frozenset(
    "a abbr acronym address area b base bdo big blockquote body br button caption cite code col colgroup "
    "dd del dfn div dl dt em fieldset form h1 h2 h3 h4 h5 h6 head hr html i img input ins kbd label legend "
    "li link map meta noscript object ol optgroup option p param pre q samp script select small span strong "
    "style sub sup table tbody td textarea tfoot th thead title tr tt ul var applet basefont center dir font "
    "frame frameset iframe isindex menu noframes s strike u nobr x-sigsep x-tab".split()
)
_SHOWN_ONLY = frozenset("bgsound embed listing plaintext xmp".split())
"""Rendered, but no elements of HTML 4."""
_STYLED = frozenset("body font table tr th td big small basefont marquee span p div a".split())
_SPACE = {
    **dict.fromkeys("br div".split(), "\n"),
    **dict.fromkeys("li th td dt dd embed h1 h2 h3 h4 h5 h6".split(), " "),
    **dict.fromkeys("p hr blockquote pre listing plaintext xmp title".split(), "\n\n"),
}
"""Tag -> the white space that its start and its end leave in the text."""

_WORD = r"[^\s\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]"
_NO_WORD = " \t\n\r\f\v!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_WIDE_SPACE = "\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


class _Words(NamedTuple):
    """What makes a word, in text that is plain ASCII but for references, and in other text."""

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

_GOOD_FACE = re.compile(
    r"""\s*["'.]?[a-z ][a-z -]*[a-z]\d?["']?(?:,\s*["']?[a-z][a-z -]*[a-z]\d?["']?)*;?$""", re.I | re.A
)
_META_REFRESH = re.compile(r"\burl\s*=", re.I | re.A)
_META_CHARSET = re.compile(r"\bcharset\s*=\s*[\"']?([^\"']+)", re.I | re.A)
_IMAGE_SIDE = re.compile(r"(\d{1,9})(%)?$", re.A)


@dataclass(frozen=True, slots=True)
class Link:
    """One URI in an attribute of a tag."""

    tag: str
    """Lower case: a, area, img, form, base …"""
    attribute: str
    """href, src, action, background, data-saferedirecturl, content (of meta refresh)."""
    target: bytes
    """As written, entities decoded, in UTF-8."""
    text: str
    """What a reader sees of it: the text between <a> and </a>, "<img>" for an image; "" for other tags."""


@dataclass(slots=True)
class HtmlFacts:
    """Statistics over an HTML part, under the names that SpamAssassin gives them; None: does not apply."""

    html: bool = False
    """There was an HTML part."""
    length: int = 0
    """Characters of the source."""
    html_length: int = 0
    """Characters of the rendered text."""
    non_space_len: int = 0
    ratio: float | None = None
    """Share of the source that is not shown."""
    image_area: int = 0
    """Square pixels."""
    min_size: int = 3
    max_size: int = 3
    closed_extra_ratio: float | None = None
    bad_tag_ratio: float | None = None
    non_element_ratio: float | None = None
    obfuscation_ratio: float | None = None
    backhair_count: int | None = None
    font_low_contrast: bool = False
    font_invalid_color: bool = False
    font_face_bad: bool = False
    form_action_mailto: bool = False
    embeds: bool = False
    charsets: str = ""
    """Charsets named in <meta>, separated by blanks."""
    uri_truncated: bool = False
    title: list[str] = field(default_factory=list)
    comment: list[str] = field(default_factory=list)
    """With <!-- and -->."""
    script: list[str] = field(default_factory=list)
    anchor: list[str] = field(default_factory=list)
    inside: dict[str, int] = field(default_factory=dict)
    """Tag -> how often it is open at the end; a key for every tag that was seen."""


@dataclass(slots=True)
class Rendering:
    """An HTML part, read."""

    text: str
    """All text, with SpamAssassin's white space."""
    visible: str
    invisible: str
    """What SpamAssassin takes for hidden."""
    seen: str
    """What a reader sees: background colours of attributes count too."""
    facts: HtmlFacts
    links: tuple[Link, ...]
    over_budget: bool


def render(source: str, *, wide: bool = True) -> Rendering:
    """Reads an HTML part. Never raises; linear, at most TOKEN_LIMIT tokens. `wide`: see charset.Text."""
    reader = _Reader(_WORDS[wide])
    reader.facts.length = len(source)
    reader.read(_prepared(source))
    return reader.rendering()


def _prepared(source: str) -> str:
    if "&nbsp;" in source:
        source = source.replace("&nbsp;", " ")
    if "/>" in source:
        source = _SELF_CLOSED.sub(r"<\1>", source)
    if not source.isascii():
        source = source.replace("\u201c", '"').replace("\u201d", '"')
    return source


@dataclass(slots=True)
class _Anchor:
    tag: str
    attribute: str
    target: str
    text: list[str]


class _Reader:
    """The state of one pass."""

    def __init__(self, words: _Words) -> None:
        self._words = words
        self.facts = HtmlFacts(html=True)
        self.over_budget = False
        self._pieces: list[str] = []
        self._hidden: list[int] = []
        """Indexes of the pieces that SpamAssassin takes for hidden."""
        self._unseen: list[int] = []
        self._after_space = False
        self._after_hidden = False
        self._tags: dict[str, int] = {}
        self._inside: dict[str, int] = self.facts.inside
        self._closed_extra = 0
        self._obfuscation = 0
        self._backhair: set[tuple[int, int]] = set()
        self._base_size = 3
        self._styles = [style.Style()]
        self._style_tags = ["default"]
        self._open_styles: dict[str, int] = {}
        self._links: list[_Anchor] = []
        self._anchor_text: list[str] = []
        self._anchors: list[list[str]] = []
        self._titles: list[list[str]] = []
        self._comments_end_at_gt = False
        self._never_closed: set[str] = set()

    # The tokens.

    def read(self, source: str) -> None:
        position = 0
        length = len(source)
        match = _TOKEN.match
        for _ in range(TOKEN_LIMIT):
            if position >= length:
                return
            token = match(source, position)
            if token is None:
                position = self._markup(source, position)
                continue
            position = token.end()
            if token.lastindex == 1:
                if position == length:
                    self._last_text(token[1])
                else:
                    self._text(entities.decode(token[1]))
            elif token.lastindex == 3:
                tag = token[2].lower()
                self._start(tag, token[3])
                if tag in _LITERAL:
                    position = self._literal(source, position, tag)
            else:
                self._end(token[4].lower())
        self.over_budget = position < length

    def _last_text(self, text: str) -> None:
        """White space at the very end is a piece of its own, and so never hidden."""
        shown = text.rstrip(_BLANKS)
        if shown:
            self._text(entities.decode(shown))
        if len(shown) < len(text):
            self._text(text[len(shown) :])

    def _markup(self, source: str, position: int) -> int:
        """What begins with "<" and is neither a start tag nor a plain end tag; where to go on."""
        following = source[position + 1 : position + 2]
        if following == "!":
            return self._declaration(source, position)
        if following == "/":
            return self._odd_end(source, position)
        if following == "?":
            end = source.find(">", position)
            return end + 1 if end >= 0 else self._unfinished(source, position)
        if following.isascii() and (following.isalpha() or following in "_:"):
            return self._unfinished(source, position)
        end = source.find("<", position + 1)
        end = len(source) if end < 0 else end
        self._text(entities.decode(source[position:end]))
        return end

    def _unfinished(self, source: str, position: int) -> int:
        """Markup that never ends. A comment is given a second chance: it may end at the next ">"."""
        if source.startswith("<!--", position) and not self._comments_end_at_gt:
            self._comments_end_at_gt = True
            return position
        self._comments_end_at_gt = True
        self.facts.comment.append(source[position:])
        return len(source)

    def _odd_end(self, source: str, position: int) -> int:
        end = _TO_GT.match(source, position + 2)
        if end is None:
            return self._unfinished(source, position)
        name = re.match(rf"[^{_S}>]+", source[position + 2 : end.end()])
        if name:
            self._end(name[0].lower())
        else:
            self.facts.comment.append(source[position : end.end()])
        return end.end()

    def _declaration(self, source: str, position: int) -> int:
        if source.startswith("<!--", position):
            return self._comment(source, position)
        if source.startswith("<![", position):
            section = _SECTION.match(source, position)
            if section:
                return self._section(source, section)
        doctype = _DOCTYPE.match(source, position)
        if doctype:
            self._tags["!doctype"] = self._tags.get("!doctype", 0) + 1
            self._inside["!doctype"] = 0
            return doctype.end()
        end = source.find(">", position)
        if end < 0:
            return self._unfinished(source, position)
        self.facts.comment.append(source[position : end + 1])
        return end + 1

    def _comment(self, source: str, position: int) -> int:
        if self._comments_end_at_gt:
            end = source.find(">", position + 4) + 1
        else:
            closing = _COMMENT_END.search(source, position + 4)
            end = closing.end() if closing else 0
        if not end:
            return self._unfinished(source, position)
        self.facts.comment.append(source[position:end])
        return end

    def _section(self, source: str, section: re.Match[str]) -> int:
        """A marked section: CDATA is text as it stands, RCDATA text with references, IGNORE nothing."""
        names = section[1].lower().split()
        if not {"cdata", "rcdata", "ignore"}.intersection(names):
            return section.end()
        end = source.find("]]>", section.end())
        content = source[section.end() : end if end >= 0 else None]
        if content and "ignore" not in names:
            self._text(entities.decode(content) if "rcdata" in names else content)
        return end + 3 if end >= 0 else len(source)

    def _literal(self, source: str, position: int, tag: str) -> int:
        closing = None
        if tag not in self._never_closed and tag != "plaintext":
            closing = _LITERAL[tag].search(source, position)
        if closing is None:
            return self._unclosed(source, position, tag)
        if closing.start() > position:
            content = source[position : closing.start()]
            self._text(entities.decode(content) if tag in _REFERENCES_COUNT else content)
        self._end(tag)
        return closing.end()

    def _unclosed(self, source: str, position: int, tag: str) -> int:
        """An unclosed title is read as if it ended at the next tag; of the others the rest is content."""
        self._never_closed.add(tag)
        end = len(source)
        if tag == "title":
            following = source.find("<", position)
            end = following if following >= 0 else end
        content = source[position:end]
        if content:
            self._text(entities.decode(content) if tag in _REFERENCES_COUNT else content)
        if tag in ("title", "script", "style"):
            self._end(tag)
        return end

    # What they mean.

    def _start(self, tag: str, written: str) -> None:
        self._tags[tag] = self._tags.get(tag, 0) + 1
        self._inside[tag] = self._inside.get(tag, 0) + 1
        if tag in _STYLED:
            self._open_style(tag, written)
        if tag in _SPACE:
            self._white_space(_SPACE[tag])
        action = _ACTIONS.get(tag)
        if action:
            action(self, tag, _attributes(written))

    def _end(self, tag: str) -> None:
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

    def _white_space(self, space: str) -> None:
        if self._pieces and not self._after_space and not self._after_hidden:
            last = self._pieces[-1]
            if last.endswith(" "):
                self._pieces[-1] = last[:-1]
        self._pieces.append(space)
        self._after_space = True
        self._after_hidden = False

    def _text(self, text: str) -> None:
        inside = self._inside.get
        if inside("script"):
            self.facts.script.append(text)
            return
        if inside("style"):
            return
        if inside("a"):
            self._anchor_text.append(text)
        if inside("title"):
            self._titles[-1].append(text)
        hidden = False
        if text.strip(_BLANKS) and ("\xc2" not in text or text.replace("\xc2\xa0", "").strip(_BLANKS)):
            hidden = self._look(self._styles[-1])
        if self._pieces and text[0] not in self._words.breaks:
            self._broken_word(text)
        text = _BLANK_RUN.sub(" ", text)
        if self._after_space and not hidden and text.startswith(" "):
            text = text[1:]
        self._pieces.append(text)
        self._after_space = False
        self._after_hidden = hidden

    def _look(self, current: style.Style) -> bool:
        """Notes what is odd about visible text in this style; whether it counts as hidden."""
        if current is _PLAIN:
            return False
        index = len(self._pieces)
        if current.unseen:
            self._unseen.append(index)
        if current.low_contrast:
            self.facts.font_low_contrast = True
        elif current.invalid_color:
            self.facts.font_invalid_color = True
        elif not current.withheld:
            return False
        self._hidden.append(index)
        return True

    def _broken_word(self, text: str) -> None:
        last = self._pieces[-1]
        if not last or last[-1] in self._words.breaks:
            return
        self._obfuscation += 1
        before = self._words.end.search(last, max(0, len(last) - 7))
        after = self._words.start.match(text)
        if before and after:
            self._backhair.add((len(before[1]), len(after[1])))

    # Text style.

    def _open_style(self, tag: str, written: str) -> None:
        if tag == "th":
            tag = "td"
        if tag == "basefont" and self._set_base_size(written):
            return
        if tag in ("td", "tr"):
            self._close_cell(tag)
        current = self._styles[-1]
        if tag == "big":
            current = current._replace(size=current.size + 1)
        elif tag == "small":
            current = current._replace(size=current.size - 1)
        elif written:
            current = self._restyled(current, tag, written)
        self._styles.append(current)
        self._style_tags.append(tag)
        self._open_styles[tag] = self._open_styles.get(tag, 0) + 1

    def _set_base_size(self, written: str) -> bool:
        size = re.match(r"\s*(\d{1,9})", _attributes(written).get("size", ""))
        if size:
            self._base_size = int(size[1])
        return bool(size)

    def _restyled(self, current: style.Style, tag: str, written: str) -> style.Style:
        counting = style.TEXT_ATTRIBUTES[tag]
        attributes = {name: value for name, value in _attributes(written).items() if name in counting}
        if not attributes:
            return current
        restyled = style.restyle(current, attributes, self._base_size)
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
        while self._style_tags[-1] in closes:
            self._pop_style()

    def _pop_style(self) -> str:
        self._styles.pop()
        tag = self._style_tags.pop()
        self._open_styles[tag] -= 1
        return tag

    # Links and facts.

    def link(self, tag: str, attribute: str, target: str) -> list[str]:
        target = self.uri(target)
        text: list[str] = []
        if target:
            self._links.append(_Anchor(tag, attribute, target, text))
        return text

    def uri(self, target: str) -> str:
        target = target.strip(" \t\n\r\f\v\xa0")
        if len(target) > URI_LIMIT:
            self.facts.uri_truncated = True
        return target[:URI_LIMIT]

    def anchor(self, tag: str, attributes: dict[str, str]) -> None:
        self._anchor_text = self.link(tag, "href", _slashed(attributes, "href").replace("\ufeff", ""))
        self._anchors.append(self._anchor_text)
        self.link(tag, "data-saferedirecturl", attributes.get("data-saferedirecturl", ""))

    def area(self, tag: str, attributes: dict[str, str]) -> None:
        self.link(tag, "href", _slashed(attributes, "href").replace("\ufeff", ""))
        self.link(tag, "data-saferedirecturl", attributes.get("data-saferedirecturl", ""))

    def source(self, tag: str, attributes: dict[str, str]) -> None:
        self.link(tag, "src", _slashed(attributes, "src"))
        if tag == "embed":
            self.facts.embeds = True

    def image(self, tag: str, attributes: dict[str, str]) -> None:
        self.source(tag, attributes)
        if self._inside.get("a"):
            self._anchor_text.append("<img>\n")
        if "width" in attributes and "height" in attributes:
            width = _pixels(attributes["width"], 8) or 200
            height = _pixels(attributes["height"], 6) or 200
            self.facts.image_area += width * height

    def background(self, tag: str, attributes: dict[str, str]) -> None:
        self.link(tag, "background", attributes.get("background", ""))

    def form(self, tag: str, attributes: dict[str, str]) -> None:
        action = attributes.get("action", "")
        self.link(tag, "action", action)
        if "mailto:" in action.lower():
            self.facts.form_action_mailto = True

    def base(self, tag: str, attributes: dict[str, str]) -> None:
        self.link(tag, "href", attributes.get("href", ""))

    def meta(self, tag: str, attributes: dict[str, str]) -> None:
        kind = attributes.get("http-equiv", "").lower()
        content = attributes.get("content", "")
        if "refresh" in kind:
            urls = list(_META_REFRESH.finditer(content))
            if urls:
                self.link(tag, "content", content[urls[-1].end() :].lstrip().partition(";")[0])
        if "content-type" in kind:
            charset = _META_CHARSET.search(content)
            if charset:
                self.facts.charsets = f"{self.facts.charsets} {charset[1]}".lstrip(" ")

    def title(self, tag: str, attributes: dict[str, str]) -> None:
        self._titles.append([])

    def object(self, tag: str, attributes: dict[str, str]) -> None:
        self.facts.embeds = True

    def font(self, tag: str, attributes: dict[str, str]) -> None:
        if "face" in attributes and not _GOOD_FACE.match(attributes["face"][:1000]):
            self.facts.font_face_bad = True

    def rendering(self) -> Rendering:
        facts = self.facts
        facts.title = ["".join(title) for title in self._titles]
        facts.anchor = ["".join(text) for text in self._anchors]
        self._ratios(facts)
        pieces = self._pieces
        text = "".join(pieces)
        visible, invisible = text, ""
        if self._hidden:
            hidden = set(self._hidden)
            visible = "".join(piece for index, piece in enumerate(pieces) if index not in hidden)
            invisible = "".join(pieces[index] for index in self._hidden)
        seen = text
        if self._unseen:
            unseen = set(self._unseen)
            seen = "".join(piece for index, piece in enumerate(pieces) if index not in unseen)
        links = tuple(
            Link(link.tag, link.attribute, link.target.encode("utf-8", "replace"), "".join(link.text))
            for link in self._links
        )
        return Rendering(text, visible, invisible, seen, facts, links, self.over_budget)

    def _ratios(self, facts: HtmlFacts) -> None:
        tags = sum(self._tags.values())
        if not tags:
            return
        elements = sum(count for tag, count in self._tags.items() if _is_element(tag))
        facts.closed_extra_ratio = self._closed_extra / tags
        if elements:
            facts.bad_tag_ratio = (tags - elements) / tags
        seen = [tag for tag in self._tags if tag != "!doctype"]
        seen_elements = sum(_is_element(tag) for tag in seen)
        if seen_elements:
            facts.non_element_ratio = (len(seen) - seen_elements) / len(seen)
        if self._obfuscation:
            facts.obfuscation_ratio = self._obfuscation / tags
        if self._backhair:
            facts.backhair_count = len(self._backhair)


_PLAIN = style.Style()

_Action = Callable[[_Reader, str, dict[str, str]], None]
_ACTIONS: dict[str, _Action] = {
    "a": _Reader.anchor,
    "area": _Reader.area,
    "link": _Reader.area,
    "img": _Reader.image,
    **dict.fromkeys(("frame", "iframe", "embed", "script", "bgsound"), _Reader.source),
    **dict.fromkeys(("body", "table", "tr", "td"), _Reader.background),
    "form": _Reader.form,
    "base": _Reader.base,
    "meta": _Reader.meta,
    "title": _Reader.title,
    "object": _Reader.object,
    "font": _Reader.font,
}


def _attributes(written: str) -> dict[str, str]:
    """Name in lower case -> value; of several attributes of one name the first counts."""
    attributes: dict[str, str] = {}
    for name, equals, double, single, bare in _ATTRIBUTE.findall(written):
        name = name.lower()
        if name not in attributes:
            attributes[name] = entities.decode_value(double or single or bare) if equals else name
    return attributes


def _slashed(attributes: dict[str, str], name: str) -> str:
    """The value of `name`, also where bad HTML has glued another word before it: <a x/href=…>."""
    for key, value in attributes.items():
        head, slash, _ = key.partition("/" + name)
        if slash and head[-1:].isalnum():
            return value
    return attributes.get(name, "")


def _pixels(value: str, per_percent: int) -> int:
    side = _IMAGE_SIDE.match(value)
    if not side:
        return 0
    return int(side[1]) * (per_percent if side[2] else 1)


def _is_element(tag: str) -> bool:
    return tag in _ELEMENTS or tag == "!doctype" or _NAMESPACED.match(tag) is not None
