"""Tags inside words are counted, with the lengths of short halves."""

import pytest

from lazaret.mime.broken_words import BrokenWords


@pytest.mark.parametrize(
    ("last", "text", "count", "lengths"),
    [
        ("buy v", "iagra", 1, {(1, 5)}),
        ("v ", "iagra", 0, set()),
        ("overlong", "x", 1, set()),
        ("a", "verylongword", 1, set()),
        ("", "x", 0, set()),
        ("é", "t", 1, {(1, 1)}),
    ],
)
def test_halves_of_words(last: str, text: str, count: int, lengths: set[tuple[int, int]]) -> None:
    words = BrokenWords(wide=True)
    words.note(last, text)
    assert (count, lengths) == (words.count, words.lengths)


def test_a_hard_blank_breaks_words_in_wide_text_only() -> None:
    assert "\xa0" in BrokenWords(wide=True).breaks
    assert "\xa0" not in BrokenWords(wide=False).breaks
