"""How is this piece of HTML text shown? Colours, size and visibility, inherited from tag to tag."""

import re
from functools import lru_cache
from typing import NamedTuple

from lazaret.mime import colors

_NEAR = 12.0
"""Colours that are less far apart than this cannot be read on each other."""

_BLANKS = " \t\n\r\f\v"
_SIZE = re.compile(r"\s*([+-]?)(\d{1,9})")
_LAYER_TOKEN = re.compile(r"[^ ,(]*+\([^)]*+\)?+|[^ ,(]++|,")
_LONGEST = 4096
"""Characters of a style attribute that are looked at."""
_REMEMBERED = 512
"""Characters of attributes whose effect is remembered."""

_DECLARED = re.compile(
    rf"(?:\A|;)[{_BLANKS}]*+((?:color|bac[k\u212a]ground(?:-color)?|display|visibility)[{_BLANKS}]*+):([^;]+)",
    re.I | re.A,
)
"""A declaration that may matter. U+212A is a k in lower case, as for `lower`."""
TEXT_ATTRIBUTES = {
    "basefont": frozenset({"color", "face", "size"}),
    "body": frozenset({"text", "bgcolor", "link", "alink", "vlink", "background"}),
    "font": frozenset({"color", "face", "size"}),
    "marquee": frozenset({"bgcolor", "background"}),
    **dict.fromkeys(("table", "td", "th", "tr"), frozenset({"bgcolor", "style"})),
    **dict.fromkeys(("span", "p", "div", "a"), frozenset({"style"})),
}
"""Tag -> the attributes that change how its text is shown."""


class Style(NamedTuple):
    """What holds for a piece of text."""

    foreground: str = "#000000"
    background: str = "#ffffff"
    """As SpamAssassin sees it: styles count, bgcolor attributes do not."""
    paper: str = "#ffffff"
    """As a reader sees it."""
    size: int = 3
    display: str = ""
    visibility: str = ""


PLAIN = Style()
"""What holds where nothing is said."""


class Visibility(NamedTuple):
    """What of a style decides whether its text is seen."""

    low_contrast: bool
    invalid_color: bool
    invisible: bool
    """SpamAssassin takes the text for hidden."""
    unseen: bool
    """A reader does not see the text."""


@lru_cache(maxsize=1024)
def visibility(style: Style) -> Visibility:
    """Judges a style."""
    low_contrast = _unreadable(style.foreground, style.background)
    invalid_color = colors.INVALID in (style.foreground, style.background)
    withheld = style.size <= 1 or style.display.lower() == "none" or style.visibility.lower() == "hidden"
    return Visibility(
        low_contrast,
        invalid_color,
        invisible=low_contrast or invalid_color or withheld,
        unseen=withheld or _unreadable(style.foreground, style.paper),
    )


class Declaration(NamedTuple):
    """One declaration of a style attribute that matters."""

    field: str
    """A field of Style."""
    value: str


def declarations(text: str) -> tuple[Declaration, ...]:
    """What a style attribute says of colours and visibility, in order."""
    found = (_declaration(name, value) for name, value in _DECLARED.findall(text))
    return tuple(declaration for declaration in found if declaration)


_known_declarations = lru_cache(maxsize=1024)(declarations)
"""A newsletter writes the same few styles into boxes of all kinds."""


def _declaration(name: str, value: str) -> Declaration | None:
    value = value.strip(_BLANKS)
    if "\n" in value:
        return None
    match name.lower():
        case "color":
            return Declaration("foreground", _color(value))
        case "background-color":
            return Declaration("background", _color(value))
    if name == "background":
        return _background(value.lower())
    name = name.rstrip(_BLANKS)
    if value and name in ("display", "visibility"):
        return Declaration(name, value)
    return None


def _color(value: str) -> str:
    value = value.lower()
    important = value.removesuffix("important").rstrip(_BLANKS)
    if important.endswith("!"):
        value = important[:-1].rstrip(_BLANKS)
    if "rgb" in value:
        return colors.from_rgb(value)
    if value in ("inherit", "transparent"):
        return value
    return colors.parse(value)


def _background(value: str) -> Declaration | None:
    """The shorthand: the first colour of its last layer."""
    for token in _last_layer(value):
        color = colors.parse(token)
        if color != colors.INVALID:
            return Declaration("background", color)
    return None


def _last_layer(value: str) -> list[str]:
    layers: list[list[str]] = [[]]
    for token in _LAYER_TOKEN.findall(value):
        if token == ",":
            layers.append([])
        else:
            layers[-1].append(token)
    if not layers[-1] and len(layers) > 1:
        return layers[-2]
    return layers[-1]


@lru_cache(maxsize=1024)
def _unreadable(foreground: str, background: str) -> bool:
    if foreground[-6:] == background[-6:]:
        return True
    distance = colors.distance(foreground, background)
    return distance is not None and distance < _NEAR


def resized(style: Style, by: int) -> Style:
    """The style with its size changed by so much."""
    return _of_size(style, style.size + by)


def _of_size(style: Style, size: int) -> Style:
    # By position, here and below: _replace costs as much again as all else that such a tag does.
    return Style(*style[:3], size, *style[4:])


def restyle(style: Style, attributes: tuple[tuple[str, str], ...], base_size: int) -> Style:
    """The style inside a tag that stands in `style`; `attributes` are those that count for this tag."""
    length = 0
    for _, value in attributes:
        length += len(value)
    if length <= _REMEMBERED:
        return _remembered(style, attributes, base_size)
    return _restyled(style, attributes, base_size)


def _restyled(style: Style, attributes: tuple[tuple[str, str], ...], base_size: int) -> Style:
    parent = style
    for name, value in attributes:
        if name in ("text", "color"):
            style = Style(colors.parse(value), *style[1:])
        elif name == "size":
            style = _of_size(style, _font_size(value, style.size, base_size))
        elif name == "style":
            style = _declared(style, parent, value)
        elif name == "bgcolor":
            paper = colors.parse(value)
            style = style if paper == colors.INVALID else Style(style[0], style[1], paper, *style[3:])
    return style


_remembered = lru_cache(maxsize=1024)(_restyled)


def _font_size(value: str, size: int, base_size: int) -> int:
    number = _SIZE.match(value)
    if not number:
        return size
    if number[1]:
        return base_size + int(number[0])
    return int(number[2])


def _declared(style: Style, parent: Style, text: str) -> Style:
    known = _known_declarations(text) if len(text) <= _REMEMBERED else declarations(text[:_LONGEST])
    if not known:
        return style
    foreground, background, paper, size, display, visibility = style
    for field, value in known:
        match field:
            case "display":
                display = value
            case "visibility":
                visibility = value
            case "foreground" if value != "inherit":
                foreground = value
            case "background" if value != "inherit":
                background = value
                paper = value if value.startswith("#") else paper
    if background == "transparent":
        background = parent.background
    if foreground == "transparent":
        foreground = background
    return Style(foreground, background, paper, size, display, visibility)
