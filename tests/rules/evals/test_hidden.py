"""Text that people do not see, and letters that are not what they look like."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]


def test_much_hidden_text_is_seen(call: Call) -> None:
    raw = b'Content-Type: text/html\n\n<div style="display:none">' + b"hidden words " * 100 + b"</div>short"
    assert call(raw, "lz_hidden_text", "1000", "50")
    assert not call(raw, "lz_hidden_text", "5000", "50")
    assert not call(b"Content-Type: text/html\n\nplain", "lz_hidden_text", "0", "0")


def test_words_of_two_scripts_are_counted(call: Call) -> None:
    raw = "Content-Type: text/plain; charset=utf-8\n\n"
    raw += "P\u0430yP\u0430l and b\u0430nk, \u043f\u0440\u0438\u0432\u0435\u0442 hello\n"
    assert 2 == call(raw.encode(), "lz_mixed_script")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "\u0391pple"),  # Greek first
        (1, "Appl\u0435"),  # Cyrillic last
        (0, "\u0430b"),  # too short for a word
        (0, "\u043f\u0440\u0438\u0432\u0435\u0442 hello, \u03b1\u03b2\u03b3-abc"),
        (0, "na\u00efve \u00d0\u00d3s \u4e2d\u6587abc"),
    ],
)
def test_letters_side_by_side_tell_mixed_words(call: Call, count: int, text: str) -> None:
    raw = "Content-Type: text/plain; charset=utf-8\n\n" + text + "\n"
    assert count == call(raw.encode(), "lz_mixed_script")
