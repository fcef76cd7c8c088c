"""Delimiters and modifiers of regular expressions."""

import pytest

from lazaret.rules.book import Regex
from lazaret.rules.regex_token import RegexTokenError, parse


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (Regex(b"foo"), "/foo/"),
        (Regex(rb"a\/b", "i"), r"/a\/b/i"),
        (Regex(b"a/b", "i"), "m{a/b}i"),
        (Regex(b"a{2}b"), "m{a{2}b}"),
        (Regex(b"a/b", "is"), "m,a/b,is"),
        (Regex(b"x", "m"), "m!x!m"),
        (Regex(b"x"), "!x!"),
        (Regex(b"x", "i"), "/x/aai"),
        (Regex(b"\xe4"), "/\xe4/"),
    ],
)
def test_the_delimiters_are_taken_off(expected: Regex, text: str) -> None:
    assert expected == parse(text)


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("between delimiters", "foo"),
        ("is missing", "/foo"),
        ("modifiers", "/foo/e"),
        ("unescaped", "/a/b/"),
        ("not run", "/(?{ die })/"),
        ("empty", "//"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_reason(why: str, text: str) -> None:
    with pytest.raises(RegexTokenError, match=why):
        parse(text)
