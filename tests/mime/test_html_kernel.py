"""The compiled reader of HTML gives what the one in Python gives, and nothing makes it read astray."""

import random
from typing import Any

import pytest
from tests.support.bombs import BOMBS

from lazaret.mime import entities, html, html_compiled, html_tokens, kernel
from lazaret.mime.html_reader import Reader

pytestmark = pytest.mark.skipif(not kernel.html, reason="the kernel is not compiled: gcc, python3-dev")

NAMES = (
    "a A area b base basefont big body br div embed font form h1 img li link marquee meta o:p p pre script "
    "small span style table td th title tr textarea xmp iframe plaintext blin\u212a t\u00e4g _ : " + "x" * 40
).split()
ATTRIBUTES = [
    "",
    " ",
    ' href="http://x.example/?a=1&amp;b=2&copy=3"',
    " href=//x.example/ ",
    " x/href=y",
    ' style="display:none"',
    " STYLE='color:#fff;background-color:white'",
    ' style="font:x;bac\u212aground:red"',
    ' style="margin:0;padding:0"',
    ' style="color:transparent;background:inherit"',
    " bgcolor=black",
    " color=white size=1",
    " size=+3",
    " size='2' face='\"'",
    ' width=10% height="3"',
    " =a = b ==",
    ' alt=">"',
    ' alt="',
    " alt='",
    ' http-equiv=refresh content="0;url=http://y.example"',
    "/",
    "\u00e9=\u00e8",
    "\0\x1f\x85",
]
TEXTS = [
    *("  ", "\n", "\t\n ", "\xc2\xa0", "\xa0", "\xc2", "\u2009", "\u017f", "\U0001f600", "\ud83d", "\0"),
    *[
        "word",
        "w",
        ".",
        '"',
        "'",
        "<",
        ">",
        "</",
        "<!",
        "<!--",
        "-->",
        "<!--x-->",
        "<!--y",
        "<!doctype\thtml>",
        "<!DOCTYPE",
        "<?php?>",
        "<?",
        "</a\tb=c>",
        "</b'>",
    ],
    *[
        "</>",
        "<![CDATA[<b>]]>",
        "<![RCDATA[&lt;]]>",
        "<![if\tx]>",
        "<![IGNORE[",
        "]]>",
        "&",
        "&&lt;",
        "&#;",
        "&#x;",
        "&#65;",
        "&#x1F600",
    ],
    *["&amp;", "&ampx;", "&nbsp", "&rsquo;", "&rsquo", "&#xD83D;&#xDE00;", "&#55357;"],
    *["&#00000000065", "&#12345678;", "&copyright;", "&nosuch;"],
]


def tag(rng: random.Random) -> str:
    written = rng.choice(NAMES) + "".join(rng.choices(ATTRIBUTES, k=rng.randrange(4)))
    return f"<{rng.choice(['', '', '/'])}{written}{rng.choice(['>', '>', '>', ' >', '/>', ''])}"


def page(rng: random.Random) -> str:
    return "".join(tag(rng) if rng.random() < 0.5 else rng.choice(TEXTS) for _ in range(rng.randrange(40)))


def read(reader: type[Reader], source: str, wide: bool, tokens: int = html_tokens.TOKEN_LIMIT) -> object:
    state = reader(wide, tokens)
    state.read(source)
    facts = state.finish()
    return state.texts(), facts, list(facts.inside), state.links(), state.tokens, state.over_budget


def compiled() -> type[Reader]:
    return html_compiled.reader(kernel.html)


def test_any_page_is_read_the_same() -> None:
    rng = random.Random(1)
    reader = compiled()
    for _ in range(3_000):
        source, wide = page(rng), rng.random() < 0.5
        tokens = rng.choice([html_tokens.TOKEN_LIMIT, rng.randrange(9)])
        assert read(Reader, source, wide, tokens) == read(reader, source, wide, tokens), (
            source,
            wide,
            tokens,
        )


def test_references_mean_the_same() -> None:
    rng = random.Random(1)
    for _ in range(10_000):
        text = "".join(rng.choices(TEXTS, k=rng.randrange(9)))
        assert entities.decode(text) == kernel.html.decode(text, True), text
        assert entities.decode_value(text) == kernel.html.decode(text, False), text


def test_attributes_are_the_same() -> None:
    rng = random.Random(1)
    for _ in range(10_000):
        written = "".join(rng.choices([*ATTRIBUTES, *TEXTS], k=rng.randrange(7)))
        expected, found = html_tokens.attributes(written), kernel.html.read_attributes(written)
        assert list(expected.items()) == list(found.items()), written


@pytest.mark.parametrize("name", sorted(name for name in BOMBS if b"text/html" in BOMBS[name]()[:400]))
def test_bombs_are_read_the_same(name: str) -> None:
    source = BOMBS[name]().decode("latin-1")[:1_000_000]
    assert read(Reader, source, True, 5_000) == read(compiled(), source, True, 5_000)


def test_the_chosen_reader_is_the_compiled_one() -> None:
    rendering = html.render("<p>some <b>text</b>")
    assert "some text" == rendering.texts.rendered.strip()
    assert html.READER is not Reader


def test_the_widest_character_may_come_last() -> None:
    for wide in ("\u20ac", "\U0001f600", "&euro;", "&#x1F600;"):
        source = "ab<b>c&eacute; " * 300 + "&euro;<i>" + wide + "<p>\xff  x"
        assert read(Reader, source, True) == read(compiled(), source, True)


def test_pages_of_random_characters() -> None:
    rng = random.Random(1)
    reader = compiled()
    for _ in range(3_000):
        source = "".join(rng.choices("<>/=\"' \nabp&#;x\xc2\xa0!-", k=rng.randrange(60)))
        assert read(Reader, source, False) == read(reader, source, False), source


@pytest.mark.parametrize("call", ["read", "text", "end", "is_inside", "doctype", "texts_read", "counted"])
def test_a_page_that_was_not_prepared_reads_nothing(call: str) -> None:
    page = kernel.html.Page()
    arguments: tuple[Any, ...] = () if call in ("doctype", "texts_read", "counted") else ("a",)
    with pytest.raises(ValueError, match="not prepared"):
        getattr(page, call)(*arguments)


@pytest.mark.parametrize(
    ("kinds", "source"),
    [
        ({"a": ()}, "<a>"),
        ({"a": ("nosuch", "", None, True, False, False, frozenset())}, "<a>"),
        ({"a": ("a", b"", None, True, False, False, frozenset())}, "<a>"),
        ({"a": ("a", "", 5, True, False, False, frozenset())}, "<a>"),
        ({"a": ("a", "", None, True, False, False, ["style"])}, "<a style=x>"),
    ],
)
def test_kinds_of_another_shape_are_refused(kinds: dict[str, Any], source: str) -> None:
    odd: Any = type("Odd", (compiled(),), {"kinds": kinds})
    with pytest.raises((TypeError, ValueError)):
        odd(True).read(source)


def test_helpers_of_another_shape_are_refused() -> None:
    odd: Any = type("Odd", (compiled(),), {"helpers": (1, 2)})
    with pytest.raises(TypeError):
        odd(True)


@pytest.mark.parametrize("answer", [-1, 10**30, 99, None])
def test_a_place_outside_of_the_page_is_refused(answer: object) -> None:
    odd: Any = type("Odd", (compiled(),), {"_other": lambda *_: answer})
    with pytest.raises((TypeError, ValueError, OverflowError)):
        odd(True).read("x <!-- y")


def test_a_page_is_prepared_once() -> None:
    page: Any = compiled()(True)
    with pytest.raises(ValueError, match="once"):
        page.prepare(page.words, True)
