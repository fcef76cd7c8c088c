"""Widening: nothing that the expression matches is lost."""

import hyperscan
import pcre2
import pytest

from lazaret.rules import required, spelling
from lazaret.rules.perl_regex import Node, dialect, parse
from lazaret.rules.widen import is_regular, size, widen, with_fewer_repeats

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


_LONG_LIST = b"|".join(b"word%s" % (b"abcdefghij"[n % 10 : n % 10 + 1] * (n // 10 + 1)) for n in range(99))
LONG = [
    (
        b"(?:(?:my |your )?(?:" + _LONG_LIST + rb")(?:[ ,.:]{1,9}|and)){3}end",
        b"your wordb, wordaaandwordc end",
    ),
    (b"(?:a?(?:(?:ad+|x)+res|" + _LONG_LIST + b")[ :]+){3}", b"addres: wordaa : wordb  "),
    (b"(?:^|s)(?:" + b"|".join(_LETTERS.encode() + b"%d" % n for n in range(40)) + b")x", b"s@17x"),
    (b"(?:" + b"|".join(_LETTERS.encode() * 8 + b"%d" % n for n in range(20)) + b")", b"@" * 8 + b"19"),
]


def matches(node: Node, text: bytes) -> bool:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY
    database.compile(expressions=[spelling.spell(node)], ids=[1], elements=1, flags=[flags])
    found: list[int] = []
    database.scan(text, lambda number, *_: found.append(number))
    return [1] == found


@pytest.mark.parametrize(("source", "text"), CASES + LONG)
def test_a_widened_expression_matches_all_that_the_original_does(source: bytes, text: bytes) -> None:
    assert pcre2.compile(dialect(source)).search(text)
    assert matches(widen(parse(source)), text)


@pytest.mark.parametrize("positions", [20, 150, 400])
@pytest.mark.parametrize(("source", "text"), CASES + LONG)
def test_what_matches_contains_the_required_part(source: bytes, text: bytes, positions: int) -> None:
    part = required.part(widen(parse(source)), positions)
    assert matches(part.node, text)


def test_the_required_part_of_a_long_expression_is_short_and_rare() -> None:
    part = required.part(widen(parse(LONG[-1][0])), 400)
    assert size(part.node) <= 800
    assert part.bits > 10
    assert not matches(part.node, b"ordinary text without any of it")


def test_of_a_long_item_two_in_a_row_are_required() -> None:
    part = required.part(widen(parse(LONG[1][0])), 400)
    assert not matches(part.node, b"words: one wordaa, but no other after it")


def test_fewer_repeats_are_wider() -> None:
    node = with_fewer_repeats(parse(b"(?:abcd){9}x"), 20)
    assert 21 == size(node)
    assert matches(node, b"abcd" * 9 + b"x")


def test_size_counts_what_a_repeat_unrolls_to() -> None:
    assert 2048 * 3 + 1 == size(parse(rb"(?:ab\d){0,2048}x"))


def test_look_around_and_back_references_are_not_regular() -> None:
    assert [True, False, False, False] == [
        is_regular(parse(s)) for s in (rb"a(?:b|c)+", rb"a(?=b)", rb"(a)\1", rb"a++")
    ]
