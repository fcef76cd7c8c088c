"""Near-duplicates have a mark in common, other messages have none, and nothing hostile takes long."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazaret.flow.alike import BANDS, marks_of

LETTER = """Dear {name}, we are pleased to tell you that your mail address has won the sum of {sum} dollars in
our yearly promotion. To claim your prize send your full name, your address and the number of your
telephone to our office within {days} days. Your reference is {reference}. We congratulate you once
again and thank you for being part of our programme. Yours sincerely, the office of the director of
the promotion."""
OTHERS = (
    "Hello Ann, the minutes of our meeting on Monday are attached. Please read them and tell me by "
    "Thursday whether something is missing; I would like to send them to the whole group before the "
    "weekend begins. Best wishes, Ben",
    "Your parcel could not be delivered because nobody was at home. Choose a new date on our page, or "
    "fetch it at the post office in the harbour street from tomorrow on; it is kept there for seven "
    "days, then it goes back.",
    "The library reminds you of two books that were due last week. You can keep them for another month "
    "when nobody else has asked for them; after that we must charge a small amount for each day. Thank "
    "you for your help.",
)

PINNED = (8017647440163574583, -4035399947218991100, 907040559185588253, -1051943759198972024)


def marked(
    text, to="ann@home.example", subject="You have won", sender="office@prizes.example", attachments=0
):
    return set(marks_of(text, subject=subject, sender=sender, recipients=[to], attachments=attachments))


def letter(dice):
    name = "".join(dice.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(8))
    text = LETTER.format(
        name=name, sum=dice.randrange(10**7), days=dice.randrange(9), reference=f"X{dice.randrange(10**9)}/B"
    )
    return text, f"{name}@home.example"


def test_copies_that_differ_by_name_number_and_sender_share_a_mark():
    dice = random.Random(1)
    first = marked(*letter(dice))

    for number in range(200):
        text, to = letter(dice)
        assert first & marked(text, to, subject=f"Nr. {number}", sender=f"x{number}@other{number}.example")


def test_most_copies_with_a_sentence_changed_share_a_mark():
    dice = random.Random(2)
    first = marked(*letter(dice))
    changed = []
    for _ in range(100):
        text, to = letter(dice)
        words = text.split()
        words[dice.randrange(len(words))] = "differently"
        changed.append(bool(first & marked(" ".join(words), to)))

    assert sum(changed) > 90


def test_other_messages_have_no_mark_in_common():
    texts = [LETTER, *OTHERS]
    found = [marked(text) for text in texts]

    assert BANDS * len(texts) == len(set().union(*found))


def test_a_thousand_texts_of_the_same_words_in_another_order_are_no_campaign():
    dice = random.Random(3)
    words = LETTER.split()
    seen = set()
    for _ in range(1000):
        some = marked(" ".join(dice.sample(words, len(words))))
        assert not some & seen
        seen |= some


def test_short_texts_are_alike_when_sender_and_subject_are():
    same = marked("See the attached file 17", subject="Invoice 4711")

    assert same == marked("See the attached file 18", subject="Invoice 4712")
    assert not same & marked("See the attached file 17", subject="Invoice 4711", sender="a@else.example")
    assert not same & marked("See the attached file 17", subject="Order 4711")
    assert not same & marked("See the attached file 17", subject="Invoice 4711", attachments=1)


def test_marks_stay_what_they_are():
    """They lie in databases: a version that made others would know no message again."""
    text = LETTER[:114].format(name="name", sum=1)

    assert PINNED == marks_of(text, subject="s", sender="a@b.example", recipients=[], attachments=0)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_message_says_its_marks_fit_a_database(text, subject, to):
    found = marked(text, to, subject)

    assert 1 <= len(found) <= BANDS
    assert all(-(1 << 63) <= mark < 1 << 63 for mark in found)


@pytest.mark.parametrize("text", ["a " * 500_000, "x" * 1_000_000, "\u0308" * 500_000, "1 2 " * 300_000])
def test_a_large_text_costs_no_more_than_its_beginning(text):
    begun = time.process_time()
    marked(text)

    assert time.process_time() - begun < 0.5
