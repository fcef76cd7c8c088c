"""The hits of a message as values of rows."""

from lazaret.model.verdict import ScoredHit
from lazaret.store.rows import hit_rows
from lazaret.store.symbols import packed

NUMBERS = {"ONCE": 3, "TWICE": 5}


def test_a_symbol_that_hit_more_than_once_has_one_row_with_the_sum():
    hits = [ScoredHit("TWICE", 1.5, "?"), ScoredHit("ONCE", -1.0, "?"), ScoredHit("TWICE", 0.25, "?")]
    assert [(5, 7, 1.75), (3, 7, -1.0)] == hit_rows(7, hits, NUMBERS)


def test_each_hit_is_a_line_whatever_its_detail_holds():
    hits = [ScoredHit("ONCE", 0.1, "?", "a\nb\x00\ud800"), ScoredHit("TWICE", 2.0, "?", "\xe9" * 1001)]
    assert "3 0.1 a?b??\n5 2.0 " + "\xe9" * 1000 == packed(hits, NUMBERS)
    assert "" == packed([], NUMBERS)
