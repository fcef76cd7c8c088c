"""Single expressions: limits, large expressions, captures."""

import time

import pytest

from lazaret.rules.book import Regex
from lazaret.rules.confirm import Confirm, MatchLimit, UnusableRegex, made_ready


def test_a_catastrophic_expression_ends_at_once() -> None:
    started = time.process_time()
    with pytest.raises(MatchLimit):
        Confirm(Regex(rb"^(?:a+)+[bc]$")).search(b"a" * 5000)
    assert time.process_time() - started < 1


def test_a_text_too_long_for_compiled_code_is_interpreted() -> None:
    # The first alternative needs a stack that grows with the text.
    assert Confirm(Regex(rb"^(?:a|b(?=.))*?(?:ab)*$", "")).search(b"ab" * 100) is not None


def test_matches_are_counted_as_by_perl() -> None:
    assert 3 == len(list(Confirm(Regex(b"a", "i")).matches(b"aAba")))


def test_an_expression_too_large_for_pcre2_still_runs() -> None:
    word = b"|".join(b"%x" % (n * 7919) for n in range(900))
    large = Confirm(Regex(b"(?i)(?<n>" + b"(?:" + word + b"){1,12})\\z"))
    assert large.search(b"xx1EEF") is not None
    assert large.search(b"qq") is None


def test_what_no_engine_takes_is_refused() -> None:
    with pytest.raises(UnusableRegex):
        Confirm(Regex(b"(?<!a+)b")).compile()


@pytest.mark.parametrize(
    ("regex", "text"),
    [
        (Regex(rb"\bfo+\b", "i"), b"a Foo foo"),
        (Regex(rb"[\x80-\xff]"), b"gr\xc3\xbc\xc3\x9fe"),
        (Regex(rb"(?:(?:abcdefgh|ijklmnop|qrstuvwx){1,60}y){1,60}z"), b"abcdefghijklmnopyz abcdefghyz"),
    ],
)
def test_what_was_made_ready_finds_the_same_and_is_not_read_again(
    regex: Regex, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one is too large for PCRE2 as it stands."""
    plain, ready = Confirm(regex), made_ready(regex)
    expected = plain.count(text, None), plain.count_in([text, text], 3)

    def read(*_: object) -> None:
        raise AssertionError("it was read again")

    for name in ("perl_regex.parse", "with_shared_groups", "dialect"):
        monkeypatch.setattr(f"lazaret.rules.confirm.{name}", read)
    confirm = Confirm(ready)
    assert expected == (confirm.count(text, None), confirm.count_in([text, text], 3))
    assert expected[0] > 0
