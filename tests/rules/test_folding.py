"""Folded expressions find in folded texts whatever the expressions match, and hardly anything else."""

import hyperscan
import pcre2  # type: ignore[import-untyped]
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lazaret.rules import database, folding, spelling
from lazaret.rules.book import Regex
from lazaret.rules.perl_regex import EMPTY, Node, parse
from lazaret.rules.texts import Texts

_PIECES: list[tuple[bytes, list[bytes]]] = [
    (b"v", [b"v", b"V"]),
    (b"[1il|!]", [b"1", b"I", b"|", b"!", b"l"]),
    (b"[a4@]", [b"a", b"4", b"@"]),
    (b"gr", [b"gr", b"Gr"]),
    (b"\\W{0,3}", [b"", b"-", b". /"]),
    (b"\\s+", [b" ", b"\t "]),
    (b"(?:m|rn)", [b"m", b"RN"]),
    (b"\\b", [b""]),
    (b"[^a-z]?", [b"", b"5", b"_"]),
    (b"x*", [b"", b"xX"]),
    (b"(?:o|0|&#111;|\xc3\xb3)", [b"o", b"0"]),
    (b".", [b"T", b"-"]),
    (b"(?!z)", [b""]),
    (b"[\\d_]", [b"7", b"_"]),
    (b"(?:ab|\\-){1,3}", [b"ab-", b"-", b"abab"]),
    (b"(?>e|3)", [b"e", b"3"]),
    (b"\\/", [b"/"]),
]
"""Pieces of expressions, and what matches them."""

_MATCHING = st.sampled_from(_PIECES).flatmap(lambda p: st.tuples(st.just(p[0]), st.sampled_from(p[1])))


def matches(node: Node, text: bytes) -> bool:
    found: list[int] = []
    compiled = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY
    compiled.compile(expressions=[spelling.spell(node)], ids=[1], elements=1, flags=[flags])
    compiled.scan(text, lambda number, *_: found.append(number))
    return found == [1]


@settings(max_examples=300, deadline=None)
@given(st.lists(_MATCHING, min_size=1, max_size=8), st.sampled_from([b"", b"V1", b" - "]))
def test_a_folded_expression_matches_all_that_the_original_does(
    pieces: list[tuple[bytes, bytes]], around: bytes
) -> None:
    source = b"".join(piece for piece, _ in pieces)
    text = around + b"".join(text for _, text in pieces) + around
    assume(pcre2.compile(b"(?i)" + source).search(text))
    node = folding.folded(parse(source, "i"))
    assert node is not None
    assert node == EMPTY or matches(node, folding.fold(text))


def test_hardly_more_than_the_word_is_left() -> None:
    node = folding.folded(parse(rb"\bv[\W_]{0,3}[1il|][\W_]{0,3}[a4\xe0][\W_]{0,3}gr[\W_]{0,3}a\b", "i"))
    assert node is not None
    assert b"vi?agra" == spelling.spell(node)


@pytest.mark.parametrize(("source", "left"), [(rb"caf\xe9", None), (rb"&#97;", None), (rb"-{5}", EMPTY)])
def test_what_no_plain_text_has_and_what_is_no_word(source: bytes, left: Node | None) -> None:
    assert left == folding.folded(parse(source))


def test_texts_are_told_apart() -> None:
    texts = Texts([b"V-1-A", b"a&b", b"caf\xe9", b"G R A"])
    assert [(0, b"via"), (3, b"gra")] == texts.plain
    assert [(1, b"a&b"), (2, b"caf\xe9")] == texts.strange
    assert [(2, b"caf\xe9")] == texts.other
    assert [0, 1, 3] == [number for number, _ in texts.ascii]


def _disguised(word: bytes) -> bytes:
    """Each letter as itself, or as one of many entities."""
    return b"".join(b"(?:%c|&#(?:100|101|102|103|104|105|106);)" % letter for letter in word)


_WORDS = b"malware spyware ransomware keylogger trojans exploits backdoors viruses hackers botnets intruders"
_LONG_LIST = b"|".join(_disguised(word) for word in (_WORDS + b" " + _WORDS.upper()).split())


@pytest.mark.parametrize(
    ("source", "reaches"),
    [
        (rb"p\W{0,3}h\W{0,3}[3e]\W{0,3}n\W{0,3}t\W{0,3}e", ["plain", "strange"]),
        (rb"(?:[1-9]\s){6,9}", ["ascii", "other"]),
        (rb"phentermine", ["each"]),
        (_LONG_LIST, ["plain", "strange"]),
    ],
)
def test_what_has_a_disguised_word_is_searched_folded(source: bytes, reaches: list[str]) -> None:
    placed = database.forms_of(Regex(source, "i"), lines=True).placed
    assert reaches == [reach for reach, _ in placed]
