"""A sentence is known by what stands between its values, whatever these are."""

import time

import pytest

from lazaret.model.sentences import MAX_LENGTH, Sentences

WORDS = {"kill": ("verwerfen",), "friend": ("Freund",)}
GERMAN = Sentences.of(
    [
        ("never", "nie"),
        ("{name}: {clause}", "{name}: {clause}"),
        ("the list of {owner} allows {who}", "die Liste von {owner} erlaubt {who}"),
        (
            "the list of {owner} allows {who}, but not now",
            "die Liste von {owner} erlaubt {who}, aber nicht jetzt",
        ),
        ("score {points} is at the {word_level} level", "{points} Punkte: Schwelle {word_level}"),
        ("({clause})", "({clause})"),
    ],
    WORDS,
    comma=True,
)


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("never", "nie"),
        ("the list of a allows b", "die Liste von a erlaubt b"),
        ("the list of a allows b, but not now", "die Liste von a erlaubt b, aber nicht jetzt"),
        ("the list of friend allows {who}", "die Liste von friend erlaubt {who}"),
        ("score 6.5 is at the kill level", "6,5 Punkte: Schwelle verwerfen"),
        ("score 6.5.1 is at the odd level", "6.5.1 Punkte: Schwelle odd"),
        ("levels: never", "levels: nie"),
        ("a: b: c: d: never", "a: b: c: d: never"),
        ("the list of  allows b", "the list of  allows b"),
        ("the list of a", "the list of a"),
        ("nobody knows this", "nobody knows this"),
        ("", ""),
        ("()", "()"),
    ],
)
def test_it_is_told_with_its_values(english, german):
    assert german == GERMAN.told(english)


def test_braces_in_a_value_are_not_filled_in():
    assert "die Liste von {owner} erlaubt {0.__class__}" == GERMAN.told(
        "the list of {owner} allows {0.__class__}"
    )


@pytest.mark.parametrize("text", [": " * MAX_LENGTH, "(" * MAX_LENGTH, "the list of  allows " * 200])
def test_a_hostile_one_costs_little(text):
    began = time.process_time()
    for _ in range(20):
        GERMAN.told(text[:MAX_LENGTH])
    assert time.process_time() - began < 0.5


def test_a_long_one_stays_as_it_is():
    text = "the list of a allows " + "b" * MAX_LENGTH
    assert text == GERMAN.told(text)
