"""The figures of the TREC spam track, by hand."""

import pytest

from lazaret.learn.roc import missed_pct, roca_pct


def test_perfect_order_has_no_area_above_the_curve():
    assert 0.0 == roca_pct([0.1, 0.2], [0.3, 0.4])


def test_one_pair_of_four_in_the_wrong_order_is_a_quarter():
    assert 25.0 == roca_pct([0.1, 0.35], [0.3, 0.4])


def test_a_tie_counts_half():
    assert 50.0 == roca_pct([1.0], [1.0])


def test_missed_spam_is_counted_at_the_ham_that_may_be_lost():
    ham = [float(n) for n in range(1000)]

    assert pytest.approx(100 / 3) == missed_pct(ham, [998.0, 999.0, 2000.0], 0.001)


def test_without_one_class_there_is_nothing_to_tell():
    assert (0.0, 0.0) == (roca_pct([], [1.0]), missed_pct([1.0], [], 0.001))
