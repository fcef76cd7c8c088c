"""Features as the journal keeps them: small, exact for a table, and safe to read whatever they are."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.learn.mail import features, mail

from lazaret.learn.features import HASH_BITS
from lazaret.learn.model import ZONES, Model, Private
from lazaret.learn.packing import MOST, BadLesson, pack, reduced, unpack


def test_what_is_unpacked_is_what_a_table_needs_of_it():
    found = features(mail("spam", 1))

    assert np.array_equal(reduced(found), unpack(pack(found)))
    assert len(found) == len(unpack(pack(found)))


def test_a_model_judges_the_unpacked_features_as_the_first_ones():
    model = Model(Private())
    for seed in range(30):
        model.learn(unpack(pack(features(mail("spam", seed)))), spam=True)
        model.learn(unpack(pack(features(mail("ham", seed)))), spam=False)
    found = features(mail("spam", 99))

    assert model.judge(found).score > 1
    assert model.judge(found).score == pytest.approx(model.judge(unpack(pack(found))).score, abs=1e-4)


def test_packed_they_take_less_than_three_octets_each():
    found = features(mail("spam", 1))

    assert len(pack(found)) < 3 * len(found)


def test_no_features_are_packed_too():
    assert 0 == len(unpack(pack(np.zeros(0, np.uint32))))


@given(st.lists(st.integers(0, (ZONES << HASH_BITS) - 1), max_size=50))
def test_any_features_come_back(numbers):
    found = np.array(sorted(set(numbers)), np.uint32)

    assert np.array_equal(reduced(found), unpack(pack(found)))


@given(st.binary(max_size=200))
def test_what_was_never_packed_is_refused(octets):
    with pytest.raises(BadLesson):
        unpack(b"\x00" + octets)


def test_a_lesson_that_is_cut_off_or_endless_is_refused():
    packed = pack(features(mail("spam", 1)))
    with pytest.raises(BadLesson):
        unpack(packed[: len(packed) // 2])
    bomb = pack(np.zeros(0, np.uint32))[:1] + zlib.compress(bytes(8 * MOST))
    with pytest.raises(BadLesson):
        unpack(bomb)


def test_features_of_no_zone_are_refused():
    with pytest.raises(BadLesson, match="no zone"):
        unpack(pack(np.array([1, ZONES << HASH_BITS], np.uint32)))


def test_a_lesson_of_the_time_when_zones_had_three_bits_is_understood():
    """Zone 7, row 5, as it was written: the zone above the 22 bits of the row."""
    step = np.array([7 << 22 | 5], "<u4").tobytes()

    assert [7 << HASH_BITS | 5] == unpack(b"\x01" + zlib.compress(step)).tolist()
