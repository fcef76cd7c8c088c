"""Single expressions: limits, large expressions, captures."""

import time

import pytest

from lazaret.rules.book import Regex
from lazaret.rules.confirm import Confirm, MatchLimit, UnusableRegex


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
