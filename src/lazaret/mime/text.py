"""What do body and rawbody rules match? Paragraphs of rendered text, and chunks of decoded text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from lazaret.mime import charset, kernel
from lazaret.mime.html import Rendering
from lazaret.mime.html import render as render_html
from lazaret.mime.html_tokens import TOKEN_LIMIT
from lazaret.mime.structure import Part

BODY_PART_LIMIT = 50_000
"""Characters of a part that body rules see (body_part_scan_size)."""
RAWBODY_PART_LIMIT = 500_000
"""Octets of a part that rawbody rules see (rawbody_part_scan_size)."""
_SLACK = 1024
"""How far beyond a limit a better place to cut is looked for."""
_LINE_LIMIT = 2048

_OTHER_SPACES = "\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""White space that is not ASCII. To look for one after the other takes a tenth of an expression for all."""
_BLANKS = bytes.maketrans(b"\t\r\f\v", b"    ")
_PARAGRAPH_END = re.compile(rb"\n[ \n]*\n")
_BLANK_RUN = re.compile(rb"  +")
_WIDE_SPACES = " \t\n\r\f\v" + _OTHER_SPACES
_NARROW_SPACES = " \t\n\r\v"


class Rendered(NamedTuple):
    """A leaf of the MIME tree as text."""

    text: charset.Text
    visible: charset.Text
    invisible: charset.Text
    """What SpamAssassin takes for hidden."""
    seen: str
    """What a reader sees."""
    html: Rendering | None = None


_NOTHING = charset.Text("", False)
NOT_TEXT = Rendered(_NOTHING, _NOTHING, _NOTHING, "")
"""Stands for a part that is not text."""


def render_all(parts: Iterable[Part]) -> Iterator[Rendered]:
    """The text of every leaf of a message; all of them share what may be looked at of HTML."""
    tokens = TOKEN_LIMIT
    for part in parts:
        rendered = render(part, tokens)
        if rendered.html:
            tokens = rendered.html.tokens_left
        yield rendered


def render(part: Part, tokens: int = TOKEN_LIMIT) -> Rendered:
    """The text of a leaf: plain text and HTML only, of that so many tags and pieces of text."""
    kind = part.effective_type
    if kind not in ("text/plain", "text/html"):
        return NOT_TEXT
    octets = part.octets
    declared = part.type.charset
    text = charset.decode(octets, "us-ascii" if declared is None else declared.decode("latin-1"))
    if kind == "text/plain" or not octets:
        return Rendered(text, text, _NOTHING, text.characters)
    read = render_html(text.characters, wide=text.wide, tokens=tokens)
    rendered = Rendered(
        _text(read.texts.rendered, text.wide),
        _text(read.texts.visible, text.wide),
        _text(read.texts.invisible, text.wide),
        read.texts.seen,
        read,
    )
    _measure(read, len(octets), rendered.text.wide)
    return rendered


def lines(subject: bytes, texts: Sequence[charset.Text]) -> tuple[bytes, ...]:
    """Body lines: the subject's, then one for each paragraph, UTF-8, each with its line end but the last.

    `texts` are those of all leaves, empty ones too: they count as line breaks. Without any leaf
    there are no lines at all.
    """
    if not texts:
        return ()
    pieces: list[str] = []
    begun = wide = False
    for text, is_wide in texts:
        if begun:
            pieces.append("\n")
        cut = _cut(text)
        pieces.append(cut)
        begun = begun or bool(cut)
        wide = wide or is_wide
    octets = _encode("".join(pieces), wide)
    if kernel.text:
        return tuple(kernel.text.lines(subject, octets, _LINE_LIMIT))
    return tuple(_short_lines(subject + _paragraphs(octets)))


def is_rawbody(part: Part) -> bool:
    """Whether rawbody rules see this leaf: text and messages, but no calendar."""
    return part.effective_type.startswith(("text/", "message/")) and part.content_type != "text/calendar"


def chunks(octets: bytes) -> list[bytes]:
    """The rawbody chunks of one part: 2 to 4 KB each, cut at a line end, else ">", else a blank."""
    if len(octets) > RAWBODY_PART_LIMIT:
        octets = octets[: _cut_position(octets, RAWBODY_PART_LIMIT, (b"\n", b">", b" "))]
    if len(octets) <= _LINE_LIMIT:
        return [octets]
    found = []
    start = 0
    while len(octets) - start > 2 * _LINE_LIMIT:
        end = _chunk_end(octets, start)
        found.append(octets[start:end])
        start = end
    if start < len(octets):
        found.append(octets[start:])
    return found


def _chunk_end(octets: bytes, start: int) -> int:
    first, last = start + _LINE_LIMIT, start + 2 * _LINE_LIMIT
    for mark in (b"\n", b">", b" "):
        found = octets.find(mark, first, last)
        if found >= 0:
            return found + 1
    return first + 1


def _cut(text: str) -> str:
    if len(text) <= BODY_PART_LIMIT:
        return text
    for mark in ("\n", " "):
        found = text.find(mark, BODY_PART_LIMIT, BODY_PART_LIMIT + _SLACK + 1)
        if found >= 0:
            return text[: found + 1]
    return text[:BODY_PART_LIMIT]


def _cut_position(octets: bytes, limit: int, marks: tuple[bytes, ...]) -> int:
    for mark in marks:
        found = octets.find(mark, limit, limit + _SLACK + 1)
        if found >= 0:
            return found + 1
    return limit


def _encode(text: str, wide: bool) -> bytes:
    """UTF-8, with every kind of white space made a blank. Narrow text stays Latin-1, as Perl leaves it."""
    if text.isascii():
        return text.encode("ascii")
    if wide:
        for space in _OTHER_SPACES:
            text = text.replace(space, " ")
        return text.encode("utf-8", "replace")
    return text.encode("latin-1")


def _paragraphs(text: bytes) -> bytes:
    """White space with two line ends in it ends a paragraph; any other becomes one blank."""
    text = _PARAGRAPH_END.sub(b"\0", text.translate(_BLANKS)).replace(b"\n", b" ")
    return _BLANK_RUN.sub(b" ", text).replace(b"\0", b"\n")


def _short_lines(text: bytes) -> Iterator[bytes]:
    *ended, last = text.split(b"\n")
    for line in ended:
        if len(line) < _LINE_LIMIT:
            yield line + b"\n"
        else:
            yield from _pieces(line + b"\n")
    if last:
        yield from _pieces(last)


def _pieces(line: bytes) -> Iterator[bytes]:
    start = 0
    while len(line) - start > _LINE_LIMIT:
        blank = line.rfind(b" ", start, start + _LINE_LIMIT + 1)
        end = blank + 1 if blank >= 0 else start + _LINE_LIMIT
        yield line[start:end]
        start = end
    yield line[start:]


def _text(characters: str, wide: bool) -> charset.Text:
    """References can make text wide that was ASCII: a character above U+00FF does."""
    if not wide and not characters.isascii():
        wide = _has_wide(characters)
    return charset.Text(characters, wide)


def _has_wide(characters: str) -> bool:
    try:
        characters.encode("latin-1")
    except UnicodeEncodeError:
        return True
    return False


def _measure(rendering: Rendering, source_octets: int, wide: bool) -> None:
    facts = rendering.facts
    shown = rendering.texts.rendered
    facts.html_length = len(shown)
    if shown.isascii():
        facts.non_space_len = facts.html_length - shown.count(" ") - shown.count("\n")
    else:
        spaces = _WIDE_SPACES if wide else _NARROW_SPACES
        facts.non_space_len = facts.html_length - sum(map(shown.count, spaces))
    facts.ratio = (source_octets - facts.html_length) / source_octets
