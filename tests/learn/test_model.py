"""Does it learn, does it say how sure it is, and can it be led astray?"""

import random

import numpy as np
import pytest
from tests.learn.mail import HAM_WORDS, features, mail, taught, unseen

from lazaret.learn import model as model_of
from lazaret.learn.features import HASH_BITS
from lazaret.learn.model import Counter, Model, Private
from lazaret.learn.zones import Zone


def scores(model: Model, kind: str) -> list[float]:
    return [model.judge(features(raw)).score for raw in unseen(kind)]


def test_a_model_that_has_seen_nothing_says_nothing():
    assert 0.0 == Model(Private(10)).judge(features(mail("spam", 1))).score


def test_a_message_without_any_feature_is_judged_too():
    assert 0.0 == taught(3).judge(np.zeros(0, np.uint32)).score


def test_fifty_of_each_are_enough_to_tell_them_apart():
    model = taught(50)

    assert min(scores(model, "spam")) > 1
    assert max(scores(model, "ham")) < -1


def test_what_it_knows_it_counts():
    model = taught(7)

    assert (7, 7) == (model.spam, model.ham)


def test_judging_changes_nothing():
    memory = Private(12)
    model = Model(memory)
    model.learn(features(mail("spam", 1)), spam=True)
    before = memory.table.copy()
    model.judge(features(mail("spam", 2)))

    assert np.array_equal(before, memory.table)


def test_learning_returns_what_it_thought_before():
    model = taught(5)
    found = features(mail("spam", 99))

    assert model.judge(found).score == model.learn(found, spam=True).score


def test_a_correction_turns_the_judgement():
    model = taught(50)
    odd = features(mail("ham", 1, sender="winner@best-deal.example.com"))
    for _ in range(3):
        model.learn(odd, spam=True)

    assert model.judge(odd).score > 0


def test_the_shares_of_the_features_sum_up_to_the_score():
    model = taught(20)
    found = features(mail("spam", 77))
    shares = model.shares(found)

    assert pytest.approx(shares.score, abs=1e-3) == float(shares.of_feature.sum())


def test_of_zones_that_say_the_same_that_of_links_counts_half():
    model, numbers = Model(Private(10)), np.arange(50, dtype=np.uint32)
    links, header = ((zone << HASH_BITS) | numbers for zone in (Zone.LINKS, Zone.HEADER))
    model.learn(header, spam=True)  # both share the rows of the table

    assert 0 < model.judge(header).score
    assert pytest.approx(model.judge(header).score / 2) == model.judge(links).score


def test_two_models_that_learn_the_same_are_the_same():
    first, second = taught(5), taught(5)
    found = features(mail("spam", 77))

    assert first.judge(found).score == second.judge(found).score


def test_while_one_class_is_hardly_known_it_speaks_softly():
    """The same lessons of spam say less beside two ham than beside fifty."""
    unbalanced = Model(Private(18))
    for seed in range(50):
        unbalanced.learn(features(mail("spam", seed)), spam=True)
    for seed in range(2):
        unbalanced.learn(features(mail("ham", seed)), spam=False)

    assert np.mean(scores(unbalanced, "spam")) < np.mean(scores(taught(50), "spam"))


@pytest.mark.parametrize("before", [True, False])
def test_three_hundred_harmless_words_hide_no_spam(before):
    model = taught(100)
    draw = random.Random(1)
    padding = " ".join(draw.choice(HAM_WORDS) for _ in range(300))
    for seed in range(20):
        raw = mail("spam", 20_000 + seed, extra=padding)
        if before:
            head, _, body = raw.partition(b"\n\n")
            raw = head + b"\n\n" + padding.encode() + b"\n" + body

        assert model.judge(features(raw)).score > 0


def test_poisoned_lessons_cost_no_ham():
    """A hundred spams full of harmless words, taught as the spam that they are."""
    model = taught(200)
    draw = random.Random(2)
    for seed in range(100):
        padding = " ".join(draw.choice(HAM_WORDS) for _ in range(300))
        model.learn(features(mail("spam", 30_000 + seed, extra=padding)), spam=True)

    assert max(scores(model, "ham")) < 0


def test_one_wrong_lesson_in_twenty_does_no_harm():
    model = Model(Private(18))
    for seed in range(150):
        model.learn(features(mail("spam", seed)), spam=seed % 20 != 0)
        model.learn(features(mail("ham", seed)), spam=seed % 20 == 0)

    assert min(scores(model, "spam")) > max(scores(model, "ham"))


def test_words_that_stand_in_both_kinds_alike_say_less_than_words_of_one():
    """Of the same weight, the one that is as frequent in ham as in spam is the softer."""
    memory = Private(10)
    memory.counters[Counter.SPAM_COUNTED : Counter.HAM_COUNTED + 1] = 100
    memory.table[1:5] = [(1, 1, 50, 50), (1, 1, 50, 0), (1, 1, 0, 50), (1, 1, 0, 0)]
    both, of_spam, of_ham, fresh = (
        Model(memory).judge(np.array([number], np.uint32)).zones[0] for number in range(1, 5)
    )

    assert both < fresh < of_spam == pytest.approx(of_ham, abs=0.05)


def test_a_lesson_against_all_that_is_known_is_half_believed(monkeypatch):
    found = features(mail("spam", 99_999))
    moved = []
    for doubt in (model_of.DOUBT, 1e9):
        monkeypatch.setattr(model_of, "DOUBT", doubt)
        model = taught(100)
        before = model.learn(found, spam=False).score
        assert before > 4
        moved.append(before - model.judge(found).score)

    assert 0 < moved[0] < 0.8 * moved[1]


def test_a_lesson_of_little_weight_moves_little():
    full, less = Model(Private(16)), Model(Private(16))
    found = features(mail("spam", 1))
    full.learn(found, spam=True)
    less.learn(found, spam=True, weight=0.3)

    assert 0 < less.judge(found).zones[Zone.TEXT] < 0.5 * full.judge(found).zones[Zone.TEXT]
    assert (1, 0) == (full.spam, less.spam)
