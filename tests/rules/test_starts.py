"""The first octets of matches: no match begins elsewhere, and what is tried there only finds the same."""

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaret.rules import kernel
from lazaret.rules.book import Regex
from lazaret.rules.confirm import Confirm, made_ready
from lazaret.rules.starts import starts

_NAMES = b"(?:(?:your|all|full)\\s?){0,2}(?:name|address|e-?mail|city|[1-3]st\\d+|(?<!x)phone)"
_FORM = b"(?:" + _NAMES + b"(?:\\s?[:;,]|\\sor\\s)){4}"
"""Like those of SpamAssassin that look for forms to fill in."""
_LIST = b"(?:" + b"|".join(b"%c%cz[a-f]{20}" % (65 + n, 97 + n * 7 % 26) for n in range(20)) + b")x?"

_PIECES = [
    b"your ",
    b"Full",
    b"name",
    b"ADDRESS",
    b"email",
    b"xphone",
    b"1st22",
    b":",
    b" or ",
    b";",
    b"\n",
    b"\xff",
]
_PIECES += [b"Ahz", b"Bhz", b"abcdef" * 4, b"na", b"z"]


def test_long_lists_of_words_have_starts() -> None:
    for source in (_FORM, _LIST):
        assert starts(Regex(source, "i")) is not None


@pytest.mark.parametrize(
    ("source", "modifiers"),
    [
        (b"(?:" + _FORM + b")?", "i"),  # It matches everywhere,
        (b"\\W?" + _LIST + b"|ab", ""),  # or two octets,
        (b"[^x]{300}", ""),  # or nearly everywhere.
        (_LIST + b" # a comment", "x"),
        (b"(?x)" + _LIST + b" # a comment", ""),
        (b"name:\\s" + _FORM, ""),  # PCRE2 looks for its first octet.
        (b"name: an address", ""),
        (b"(", ""),
    ],
)
def test_others_are_tried_everywhere(source: bytes, modifiers: str) -> None:
    assert starts(Regex(source, modifiers)) is None


@pytest.mark.skipif(not kernel.compiled, reason="the kernel is not compiled")
@settings(max_examples=400, deadline=None)
@given(st.sampled_from([_FORM, _LIST]), st.lists(st.sampled_from(_PIECES), max_size=24).map(b"".join))
def test_the_same_is_found_as_without(source: bytes, text: bytes) -> None:
    regex = made_ready(Regex(source, "i"), confirms=True)
    assert regex.ready is not None
    assert regex.ready.starts is not None
    confirm = Confirm(regex)
    matcher: Any = confirm.matcher(counts=False)
    if matcher is None:
        pytest.skip("the system has no libpcre2-8.so.0")
    assert matcher.count(text, 1) == confirm.count(text, 1)
    group = kernel.compiled.Finder(None, None, ((0, 0, 1),), (), None, lambda _place: matcher)
    assert group.first(0, text) == confirm.first(text)


_WORDS = [b"".join(b"%c" % (97 + (7 * n + 11 * at + n * at) % 26) for at in range(30)) for n in range(120)]
_TOO_LARGE = b"(?:(?:my\\s)?(?:" + b"|".join(_WORDS) + b")(?:\\s?[:;,]|\\sor\\s)){12}"
"""For PCRE2, unless what repeats is written once."""


@cache
def _too_large(modifiers: str) -> tuple[Confirm, Any]:
    regex = made_ready(Regex(_TOO_LARGE, modifiers), confirms=True)
    assert regex.ready is not None
    assert regex.ready.wider is not None
    confirm = Confirm(regex)
    return confirm, confirm.matcher(counts=False)


@pytest.mark.skipif(not kernel.compiled, reason="the kernel is not compiled")
@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["", "i"]),
    st.lists(st.sampled_from([b"my ", b"MY", *_WORDS[:3]]), min_size=1, max_size=8),
    st.sampled_from([b":", b" or ", b":", b"."]),
    st.integers(1, 3),
)
def test_the_same_is_found_as_by_what_repeats_less_often(
    modifiers: str, words: list[bytes], between: bytes, times: int
) -> None:
    confirm, matcher = _too_large(modifiers)
    if matcher is None:
        pytest.skip("the system has no libpcre2-8.so.0")
    text = between.join(words * times) + between
    assert matcher.count(text, 1) == confirm.count(text, 1)


@pytest.mark.skipif(not kernel.compiled, reason="the kernel is not compiled")
def test_what_is_wider_is_a_matcher() -> None:
    matcher = kernel.compiled.Matcher(b"a", None, None)
    assert 0 == kernel.compiled.Matcher(b"b", None, None, None, matcher).count(b"b", 1)
    with pytest.raises(TypeError, match="wider"):
        kernel.compiled.Matcher(b"b", None, None, None, b"a")


@pytest.mark.skipif(not kernel.compiled, reason="the kernel is not compiled")
@pytest.mark.parametrize("table", [b"", b"x" * 4095, b"x" * 4097])
def test_a_table_has_a_bit_for_all_of_them(table: bytes) -> None:
    with pytest.raises(ValueError, match="starts"):
        kernel.compiled.Matcher(b"\\Gabc", None, None, table)
