"""How text is cut into words."""

import time

import pytest

from lazaret.model.words import MAX_TEXT, MAX_WORD, phrase, split


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("snake_case e-mail", ["snake", "case", "e", "mail"]),
        ("Straße ＦＵＬＬ ﬁne", ["strasse", "full", "fine"]),
        ("a@b.example", ["a", "b", "example"]),
        ("中文字", ["中文", "文字", "字"]),
        ("字", ["字"]),
        ("ab中文12", ["ab", "中文", "文", "12"]),
        ("", []),
        ("!? \udcff", []),
    ],
)
def test_text_becomes_folded_words_and_pairs(text: str, expected: list[str]) -> None:
    assert expected == split(text)


def test_a_long_word_is_cut() -> None:
    assert ["x" * MAX_WORD] == split("X" * 1000)


def test_only_the_first_part_of_a_text_counts() -> None:
    assert "end" not in split("word " * MAX_TEXT + "end")


@pytest.mark.parametrize(
    ("text", "words", "prefix"),
    [
        ("golden ticket", ("golden", "ticket"), False),
        ("中文字", ("中文", "文字"), False),
        ("中", ("中",), True),
        ("see 中", ("see", "中"), True),
        ("中文 b", ("中文", "文", "b"), False),
        ("...", (), False),
    ],
)
def test_a_phrase_finds_what_split_indexes(text: str, words: tuple[str, ...], prefix: bool) -> None:
    assert (words, prefix) == (phrase(text).words, phrase(text).prefix)


@pytest.mark.parametrize(
    "hostile",
    [
        "\u0301\u0323" * 500_000,
        "\ufdfa" * 1_000_000,
        "中" * 1_000_000,
        "a" * 1_000_000,
        "\u1100\u1161" * 500_000,
    ],
    ids=["marks", "expanding", "cjk", "one word", "jamo"],
)
def test_a_megabyte_of_anything_takes_under_a_second(hostile: str) -> None:
    start = time.process_time()
    assert len(split(hostile)) <= 2 * MAX_TEXT
    assert time.process_time() - start < 1
