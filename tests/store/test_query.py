"""The query language: terms, and errors that point at the fault."""

import pytest

from lazaret.store.query import MAX_TERMS, QueryError, parse


def test_words_fields_quotes_and_negation_become_terms() -> None:
    terms = parse('hello "two words" From:spam.com -subject:"your invoice" -bye')
    expected = [
        ("", "hello", False),
        ("", "two words", False),
        ("from", "spam.com", False),
        ("subject", "your invoice", True),
        ("", "bye", True),
    ]
    assert expected == [(term.field, term.value, term.negated) for term in terms]


@pytest.mark.parametrize(
    ("query", "position", "words"),
    [
        ('a "never closed', 2, "never closed"),
        ("x form:you", 2, "did you mean from:"),
        ("http://x", 0, "quotes"),
        ("subject:", 8, "needs a value"),
        ("a -", 2, "no word"),
        ('from:""', 5, "needs a value"),
        ("x" * 5000, 4096, "at most"),
        ("a " * (MAX_TERMS + 1), 2 * MAX_TERMS, "at most"),
    ],
)
def test_a_query_that_cannot_be_read_says_what_and_where(query: str, position: int, words: str) -> None:
    with pytest.raises(QueryError, match=words) as caught:
        parse(query)
    assert position == caught.value.position


def test_an_error_draws_a_caret_under_the_fault() -> None:
    with pytest.raises(QueryError) as caught:
        parse("score:7 form:x")
    assert "  score:7 form:x\n          ^" == caught.value.rendered().split("\n", 1)[1]


def test_an_empty_query_asks_for_everything() -> None:
    assert [] == parse("  ")
