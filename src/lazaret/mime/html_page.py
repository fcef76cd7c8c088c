"""Which text does an HTML document show, and what of it is hidden? The state of one pass over its tokens."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from lazaret.mime import style
from lazaret.mime.broken_words import BrokenWords
from lazaret.mime.html_tokens import BLANKS, TOKEN_LIMIT, Tokenizer, attributes
from lazaret.mime.style import Style, visibility
from lazaret.mime.style_stack import StyleStack

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


class Kind(NamedTuple):
    """What a tag does."""

    styled: str = ""
    """The tag under which its style is closed again; "" when it has none."""
    space: str = ""
    """The white space that its start and its end leave in the text."""
    action: Callable[[Any, str, Mapping[str, str]], None] | None = None
    """Called with the page, the tag and its attributes."""
    reads: bool = False
    """Its attributes count."""
    roomy: bool = False
    """It is one of those of which layouts are made; see read_tag."""
    watched: bool = False
    """Its text is kept apart."""
    counts: frozenset[str] = frozenset()
    """The attributes that change how its text is shown."""


NOTHING = Kind()


def kind(
    tag: str,
    styled: str,
    space: str,
    action: Callable[[Any, str, Mapping[str, str]], None] | None,
    watched: bool,
) -> Kind:
    """What the tag does, where that follows from these."""
    counts = style.TEXT_ATTRIBUTES.get(tag, frozenset())
    return Kind(styled, space, action, bool(action or styled), tag in _ROOMY, watched, counts)


class Texts(NamedTuple):
    """The text of a document, four times."""

    rendered: str
    """All of it, with SpamAssassin's white space."""
    visible: str
    invisible: str
    """What SpamAssassin takes for hidden."""
    seen: str
    """What a reader sees: here the bgcolor of a table counts too."""


class Counted(NamedTuple):
    """What was counted while the tokens passed."""

    counts: Mapping[str, int]
    """Every tag that was met, start or end, and how often."""
    inside: dict[str, int]
    """Every tag that was met, and how often it is open."""
    closed_extra: int
    """End tags that close nothing."""
    min_size: int
    max_size: int
    """Font sizes."""
    low_contrast: bool
    invalid_color: bool
    """Text was hidden by its colour, or by what is no colour."""


class Read(NamedTuple):
    """The attributes of a start tag."""

    attributes: Mapping[str, str]
    counting: tuple[tuple[str, str], ...]
    """Those that change how its text is shown."""


_UNREAD = Read(_NO_ATTRIBUTES, ())


def read_tag(tag: str, written: str) -> Read:
    """What the attributes of a tag say, as far as it can matter."""
    return _remembered(tag, written) if len(written) <= _REMEMBERED else _read_attributes(tag, written)


def _read_attributes(tag: str, written: str) -> Read:
    if tag in _ROOMY:
        lowered = written.lower()
        if not ("style" in lowered or "background" in lowered or "bgcolor" in lowered):
            return _UNREAD
    found = attributes(written)
    counts = style.TEXT_ATTRIBUTES.get(tag, ())
    return Read(found, tuple(item for item in found.items() if item[0] in counts))


_remembered = lru_cache(maxsize=2048)(_read_attributes)
"""A newsletter writes the same few cells a hundred times."""


class _Met:
    """A tag that was met: how often, how often it is open, and what it does."""

    __slots__ = ("action", "count", "inside", "reads", "roomy", "space", "styled", "watched")

    def __init__(self, kind: Kind) -> None:
        self.styled, self.space, self.action, self.reads, self.roomy, self.watched, _ = kind
        self.count = 0
        self.inside = 0


def _with_single_blanks(text: str) -> str:
    """A blank for each run of them. In long texts an expression would take time and memory for each run."""
    if len(text) <= _SHORT:
        return _BLANK_RUN.sub(" ", text)
    text = text.translate(_AS_BLANKS)
    while "  " in text:
        text = text.replace("  ", " ")
    return text.replace("\xc2\xa0", " ")


class Page(Tokenizer):
    """The state of one pass. `wide`: see charset.Text."""

    kinds: ClassVar[Mapping[str, Kind]] = {}
    """What the tags do; of others nothing is known."""

    def __init__(self, wide: bool, tokens: int = TOKEN_LIMIT) -> None:
        super().__init__(tokens)
        self.words = BrokenWords(wide)
        self.script: list[str] = []
        """Texts of scripts."""
        self.titles: list[list[str]] = []
        """Texts of each title."""
        self.link_texts: list[str] = []
        """Texts of the last link."""
        self._breaks = self.words.breaks
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
        self._low_contrast = self._invalid_color = False
        self._styles = StyleStack()

    # Tokens.

    def start(self, tag: str, written: str) -> None:
        met = self._met.get(tag) or self._meet(tag)
        met.count += 1
        met.inside += 1
        read = read_tag(tag, written) if written and met.reads else _UNREAD
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
            self.words.note(self._pieces[-1], text)
        current = self._styles.current
        hidden = current is not style.PLAIN and self._look(text, current)
        if "\n" in text or "  " in text or _ODD_BLANK.search(text):
            text = _with_single_blanks(text)
        if self._after_space and not hidden and text[0] == " ":
            text = text[1:]
        self._pieces.append(text)
        self._after_space = False
        self._after_hidden = hidden

    def _meet(self, tag: str) -> _Met:
        met = self._met[tag] = _Met(self.kinds.get(tag, NOTHING))
        return met

    def is_inside(self, tag: str) -> bool:
        """Whether the tag is open."""
        met = self._met.get(tag)
        return met is not None and met.inside > 0

    def _belongs_elsewhere(self, text: str) -> bool:
        """Text of a script or a style sheet is not shown; an anchor and a title note theirs."""
        if self.is_inside("script"):
            self.script.append(text)
            return True
        if self.is_inside("style"):
            return True
        if self.is_inside("a"):
            self.link_texts.append(text)
        if self.is_inside("title"):
            self.titles[-1].append(text)
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
            self._low_contrast = True
        elif seen.invalid_color:
            self._invalid_color = True
        self._hidden.append(len(self._pieces))
        return True

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

    def counted(self) -> Counted:
        """What was counted."""
        return Counted(
            {tag: met.count for tag, met in self._met.items()},
            {tag: met.inside for tag, met in self._met.items()},
            self._closed_extra,
            self._styles.min_size,
            self._styles.max_size,
            self._low_contrast,
            self._invalid_color,
        )
