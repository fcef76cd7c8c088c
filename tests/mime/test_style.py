"""Styles say whether text is seen."""

import pytest

from lazaret.mime import colors, style
from lazaret.mime.style_stack import StyleStack


@pytest.mark.parametrize(
    ("written", "colour"),
    [
        ("Red", "#ff0000"),
        (" #fff ", "#ffffff"),
        ("#ffff", "#ffffff"),
        ("#1234567", "#123456"),
        ("#1", "#110000"),
        ("rgb(1, 2, 255)", "#0102ff"),
        ("rgb(0%,100%,0%)", "#00ff00"),
        ("ffffff", colors.INVALID),
        ("nocolour", colors.INVALID),
        ("", colors.INVALID),
    ],
)
def test_colours_are_mended_as_spamassassin_mends_them(written: str, colour: str) -> None:
    assert colour == colors.parse(written)


def test_numbers_of_a_colour_stop_at_255() -> None:
    assert "#ff0000" == colors.from_rgb("rgba(300,0")


def test_colours_that_look_alike_are_near() -> None:
    near = colors.distance("#ffffff", "#fefefe")
    far = colors.distance("#ffffff", "#000000")
    assert near is not None
    assert far is not None
    assert near < 1 < 190 < far
    assert colors.distance("#ffffff", colors.INVALID) is None


def restyled(text: str) -> style.Style:
    return style.restyle(style.PLAIN, (("style", text),), 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("COLOR: red !important", {"foreground": "#ff0000"}),
        ("color: inherit; x", {}),
        ("background-color:#00f", {"background": "#0000ff", "paper": "#0000ff"}),
        ("background: url('a, b') red, blue 10%", {"background": "#0000ff", "paper": "#0000ff"}),
        ("background-color:transparent;color:transparent", {"foreground": "#ffffff"}),
        ("display : none", {"display": "none"}),
        ("DISPLAY:none", {}),
        ("color:", {}),
        ("color: ;", {"foreground": colors.INVALID}),
        ("a" * 10_000, {}),
    ],
)
def test_declarations_that_matter(text: str, expected: dict[str, str]) -> None:
    assert style.PLAIN._replace(**expected) == restyled(text)


def test_sizes_are_absolute_or_relative_to_the_base() -> None:
    stack = StyleStack()
    stack.open("basefont", {"size": "4"})
    stack.open("font", {"size": "+2"})
    assert 6 == stack.current.size
    stack.open("font", {"size": "1"})
    assert style.visibility(stack.current).invisible
    stack.open("big", {})
    assert 2 == stack.current.size
    stack.close("font")
    assert 6 == stack.current.size
    assert (1, 6) == (stack.min_size, stack.max_size)


def test_an_end_tag_closes_only_what_is_open_and_body_never() -> None:
    stack = StyleStack()
    stack.open("body", {"text": "red"})
    stack.open("font", {"color": "blue"})
    stack.close("div")
    assert "#0000ff" == stack.current.foreground
    stack.close("font")
    stack.close("body")
    assert "#ff0000" == stack.current.foreground


def test_a_new_row_closes_the_cell_before_it() -> None:
    stack = StyleStack()
    stack.open("tr", {})
    stack.open("td", {"style": "display:none"})
    stack.open("font", {"color": "red"})
    stack.open("tr", {})
    assert style.PLAIN == stack.current
