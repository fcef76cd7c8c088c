"""Which words pushed, in groups that a person knows."""

from tests.learn.mail import HASHER, features, mail, taught

from lazaret.learn import explain
from lazaret.learn.model import Model, Private
from lazaret.learn.zones import view
from lazaret.mime import message


def pushes(raw: bytes, model: Model) -> list[explain.Push]:
    return explain.pushes(view(message.parse(raw)), model, HASHER, most=5)


def test_words_of_spam_push_up_and_words_of_ham_push_down():
    found = pushes(mail("spam", 999, extra="kernel patch compiler meeting agenda"), taught(60))
    up = {p.word for p in found if p.amount > 0}
    down = {p.word for p in found if p.amount < 0}

    assert up & {"free", "offer", "best-deal", "shop-4u", "click", "viagra", "deal", "http"}
    assert down & {"kernel", "patch", "compiler", "meeting", "agenda"}


def test_a_word_is_named_with_its_group():
    model = Model(Private(18))
    for seed in range(30):
        model.learn(features(mail("spam", seed, subject="jackpot jackpots")), spam=True)
        model.learn(features(mail("ham", seed, subject="minutes")), spam=False)

    assert ("subject", "jackpot") in {
        (p.group, p.word) for p in pushes(mail("ham", 88, subject="jackpot jackpots"), model)
    }


def test_how_a_message_is_built_is_named_by_the_fact():
    """Spam shouts, and nothing else tells the two apart."""
    model = Model(Private(18))
    for seed in range(30):
        model.learn(features(mail("ham", seed, subject="MINUTES!!!")), spam=True)
        model.learn(features(mail("ham", 100 + seed, subject="minutes")), spam=False)
    found = pushes(mail("ham", 77, subject="AGENDA!!!"), model)

    assert {"subject-capitals", "subject-exclamation-marks"} & {p.word for p in found if p.group == "form"}


def test_the_strongest_come_first():
    found = [p.amount for p in pushes(mail("spam", 999), taught(30)) if p.amount > 0]

    assert sorted(found, reverse=True) == found


def test_an_empty_message_has_no_words_to_show():
    assert [] == pushes(b"", Model(Private(10)))


def test_a_line_for_people_names_both_sides():
    found = [explain.Push("text", "click", 1.0), explain.Push("links", "lists", -0.5)]

    assert "towards spam: text (click); towards ham: links (lists)" == explain.in_words(found)
