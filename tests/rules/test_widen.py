"""Widening: nothing that the expression matches is lost."""

import hyperscan
import pcre2
import pytest

from lazaret.rules.perl_regex import dialect, parse
from lazaret.rules.widen import is_regular, size, widen

_LETTERS = "(?:[aA@]|" + "|".join(f"\\xc3[\\x{n:02x}]" for n in range(0xA0, 0xC0)) + ")"
CASES = [
    (rb"(?!viagra)v[i1]agra", b"buy v1agra now"),
    (rb"(\w)\1{5}", b"aaaaaaa"),
    (rb"^(?:foo|bar).{0,500}(?=end)", b"foo and then end"),
    (rb"(?:a{2}b){3,200}c", b"aabaabaabc"),
    (rb"x++(?>y|z)$", b"xxxy"),
    (rb"\bwo(?:rd|r)\b", b"a word"),
    (rb"(?:abc|" + b"|".join(b"word%d" % n for n in range(40)) + rb")\s{1,40}end", b"word17   end"),
    (_LETTERS.encode() + b"{1,3}b" + _LETTERS.encode(), b"x\xc3\xa1\xc3\xa2b@"),
    (rb"a|b$|^c|", b""),
    (rb"(?i:ab)c", b"ABc"),
]


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize(("source", "text"), CASES)
def test_a_widened_expression_matches_all_that_the_original_does(
    source: bytes, text: bytes, coarse: bool
) -> None:
    assert pcre2.compile(dialect(source)).search(text)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY
    database.compile(expressions=[widen(parse(source), coarse=coarse)], ids=[1], elements=1, flags=[flags])
    found: list[int] = []
    database.scan(text, lambda number, *_: found.append(number))
    assert [1] == found


def test_size_counts_what_a_repeat_unrolls_to() -> None:
    assert 2048 * 3 + 1 == size(parse(rb"(?:ab\d){0,2048}x"))


def test_look_around_and_back_references_are_not_regular() -> None:
    assert [True, False, False, False] == [
        is_regular(parse(s)) for s in (rb"a(?:b|c)+", rb"a(?=b)", rb"(a)\1", rb"a++")
    ]
