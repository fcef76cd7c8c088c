"""When the learner has a say, and how much at most."""

import pytest

from lazaret.learn.points import Scale

QUARANTINE = 5.0


@pytest.mark.parametrize(("spam", "ham"), [(0, 0), (24, 1000), (1000, 24), (25, 25)])
def test_below_25_of_a_class_it_has_no_say(spam, ham):
    assert 0.0 == Scale().points(10.0, spam=spam, ham=ham)


def test_its_say_grows_to_200_of_each():
    half, full = (Scale().points(2.0, spam=n, ham=n) for n in (112, 200))

    assert 0 < half < full == Scale().points(2.0, spam=5000, ham=5000)


def test_the_learner_alone_never_quarantines():
    assert QUARANTINE > Scale().points(1e9, spam=10_000, ham=10_000)


def test_what_it_takes_for_ham_is_limited_too():
    assert Scale().least == Scale().points(-1e9, spam=10_000, ham=10_000)
