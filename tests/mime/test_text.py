"""Body lines are paragraphs, rawbody chunks are 2 to 4 KB."""

import pytest

from lazaret.mime import text
from lazaret.mime.charset import Text
from lazaret.mime.html import HtmlFacts, Rendering
from lazaret.mime.html_page import Texts


def lines(*texts: str, wide: bool = True) -> tuple[bytes, ...]:
    return text.lines(b"S\n", [Text(characters, wide) for characters in texts])


def test_the_subject_is_the_first_line_and_paragraphs_are_the_others() -> None:
    assert (b"S\n", b"one two \n", b" three") == lines("one\n\t two \n \n\n three")


def test_parts_are_parted_by_a_line_end() -> None:
    assert (b"S\n", b"one two") == lines("one", "two")
    assert (b"S\n", b"one\n", b"two") == lines("one\n", "two")
    assert (b"S\n", b"one\n", b"two") == lines("one", "", "two")


def test_every_kind_of_blank_is_one_blank_in_wide_text() -> None:
    assert (b"S\n", b"a b c") == lines("a\xa0\u2003b\x0b\x0cc")
    assert (b"S\n", b"a\xa0b") == lines("a\xa0b", wide=False)


@pytest.mark.parametrize(
    ("characters", "wide", "visible"), [("é ü\n\t\fx\xa0", False, 5), ("é ü\n\t\fx\xa0\u2003\u3000", True, 3)]
)
def test_what_is_no_white_space_is_counted(characters: str, wide: bool, visible: int) -> None:
    texts = Texts(rendered=characters, visible=characters, invisible="", seen=characters)
    rendering = Rendering(texts, HtmlFacts(html=True), (), False, 0)
    text._measure(rendering, 100, wide)
    assert visible == rendering.facts.non_space_len


def test_text_is_utf8_and_a_nul_ends_a_line() -> None:
    assert (b"S\n", "é\n".encode(), b"b") == lines("é\0b")


def test_long_lines_are_cut_at_a_blank() -> None:
    found = lines("ab " * 1000)
    assert [2, 2049, 951] == [len(line) for line in found]
    assert [2, 2048, 952] == [len(line) for line in lines("x" * 3000)]


def test_a_part_is_seen_to_its_fifty_thousandth_character() -> None:
    assert 50_001 == sum(map(len, lines("x" * 50_000 + " yy"))) - 2
    assert 50_000 == sum(map(len, lines("x" * 60_000))) - 2


def test_without_text_there_are_no_lines() -> None:
    assert () == lines()
    assert (b"S\n",) == lines("")


def test_a_small_part_is_one_chunk() -> None:
    assert [b"x" * 2048] == text.chunks(b"x" * 2048)
    assert [b""] == text.chunks(b"")


def test_chunks_end_at_a_line_end_else_a_tag_else_a_blank() -> None:
    octets = (b"x" * 99 + b"\n") * 100
    found = text.chunks(octets)
    assert octets == b"".join(found)
    assert all(chunk.endswith(b"\n") for chunk in found)
    assert 2100 == len(found[0])
    assert 2050 == len(text.chunks(b"x" * 2049 + b">" + b"x" * 5000)[0])
    assert 3001 == len(text.chunks(b"x" * 3000 + b" " + b"x" * 5000)[0])
    assert 2049 == len(text.chunks(b"x" * 9000)[0])


def test_rawbody_sees_half_a_megabyte_of_a_part() -> None:
    assert 500_000 == sum(map(len, text.chunks(b"x" * 600_000)))
