"""What the filter decided, in the reader's words: all of its sentences, with their numbers, in German too."""

import itertools
import re

import pytest

from lazaret.model.envelope import Role
from lazaret.model.language import ENGLISH, language
from lazaret.model.verdict import Category, Levels, Policy, Report, ScoredHit
from lazaret.policy.decide import Situation, decide
from lazaret.policy.senders import SYMBOL, Standing
from lazaret.web.reasons import evidence, sentence

GERMAN = language("de")
LEFT = re.compile(r"\b(the|is|of|by|mail to|level|score|recipient|allows|blocks|points|which|than|this)\b")
SET = ("mark", "quarantine", "kill", "spam_lover", "bypass_spam_checks", "size_limit", "keep_spam")
SOURCES = dict.fromkeys(SET, 'policy "strict" for ann@example.org')
STANDINGS = (
    Standing(),
    Standing(allowed=True, reason="the list of everybody allows a@b.example (b.example)"),
    Standing(blocked=True, reason="the list of ann@example.org blocks a@b.example"),
    Standing(points=-2, reason="the list of example.org gives a@b.example -2 points"),
    Standing(
        points=-3,
        reason="the list of example.org allows a@b.example, but nothing proves that the message is from "
        "there: 3 points off at most; the list of everybody gives a@b.example -9 points, 3 off at most "
        "without a proof of the sender",
    ),
)


def reasons():
    """Of every kind of recipient, mail and score."""
    policies = [
        Policy(sources=SOURCES),
        Policy(),
        Policy(local=False),
        Policy(always_deliver=True),
        Policy(lovers=frozenset({Category.SPAM}), sources=SOURCES),
        Policy(bypasses=frozenset({Category.SPAM}), sources=SOURCES),
        Policy(size_limit=10, sources=SOURCES),
        Policy(keep=False, sources=SOURCES),
        Policy(levels=Levels(kill=None)),
        Policy(quarantine_reply="reject"),
    ]
    situations = [
        Situation(
            role=role, size=100, originating=own, sender_local=own, mailing_list=is_list, observe=observe
        )
        for role in (Role.AFTER_QUEUE, Role.BEFORE_QUEUE)
        for own in (False, True)
        for is_list in (False, True)
        for observe in (False, True)
    ]
    for score, policy, situation, standing in itertools.product(
        (1.0, 3.0, 4.25, 5.0, 6.5, 12.0), policies, situations, STANDINGS
    ):
        yield decide(
            Report((ScoredHit("X", score, ""),)), "ann@example.org", policy, situation, standing
        ).reason


def test_nothing_of_a_reason_is_left_in_english():
    told = {sentence(reason, GERMAN) for reason in set(reasons())}

    assert 60 < len(told)
    assert [] == [text for text in sorted(told) if LEFT.search(text) or re.search(r"\d\.\d", text)]


@pytest.mark.parametrize(
    ("reason", "english", "german"),
    [
        (
            'score 6.5 is 1.5 above the quarantine level 5.0, by the policy "strict" for @.',
            '6.5 points: 1.5 above the quarantine level, which begins at 5.0, by the policy "strict" for @..',
            "6,5 Punkte: 1,5 über der Schwelle „Quarantäne“, die bei 5,0 beginnt, "
            "nach der Regelung „strict“ für @..",
        ),
        ("a word nobody knows", "A word nobody knows.", "A word nobody knows."),
        (
            "the next hop answered: 550 5.1.1 no; really; its sender was told",
            "The next hop answered: 550 5.1.1 no; really; its sender was told.",
            "Der nächste Server antwortete: 550 5.1.1 no; really; der Absender hat es erfahren.",
        ),
        (
            "our own digest, which is not filtered",
            "Our own digest, which is not filtered.",
            "Unsere eigene Übersicht, die nicht gefiltert wird.",
        ),
    ],
)
def test_a_sentence_is_said_as_its_reader_says_it(reason, english, german):
    assert english == sentence(reason, ENGLISH)
    assert german == sentence(reason, GERMAN)


def test_words_of_the_mail_are_not_translated():
    learned = "towards spam: text (text, sender), sender (shop); towards ham: links (form)"
    assert "für Spam: Text (text, sender), Absender (shop); für erwünscht: Links (form)" == evidence(
        ScoredHit("BAYES_SPAM", 2.0, "", learned), GERMAN
    )
    assert learned == evidence(ScoredHit("BAYES_SPAM", 2.0, "", learned), ENGLISH)
    assert "never" == evidence(ScoredHit("URI_X", 2.0, "", "never"), GERMAN)
    assert "die Liste für alle sperrt x" == evidence(
        ScoredHit(SYMBOL, 2.0, "", "the list of everybody blocks x"), GERMAN
    )
