"""Header edits change what they name and nothing else."""

import re
import time

import pytest

from lazaret.mime import headers
from lazaret.mime.edit import edited, tag_pattern, without_tag

MESSAGE = (
    b"X-Spam-Flag: YES\r\nFrom: a@b.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"X-Spam-Status: No,\r\n\tscore=1\r\nTo: c@d.example\r\n\r\nX-Spam-Flag: in the body\r\n"
)


def edit(raw: bytes, *, without: frozenset[str] = frozenset(), subject_tag: str = "") -> bytes:
    return edited(raw, headers.parse(raw), without=without, subject_tag=subject_tag)


def test_an_edit_of_nothing_gives_the_same_octets():
    assert MESSAGE == edit(MESSAGE)


def test_named_fields_go_with_their_folds_and_the_body_stays():
    expected = (
        b"From: a@b.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nTo: c@d.example\r\n"
        b"\r\nX-Spam-Flag: in the body\r\n"
    )
    assert expected == edit(MESSAGE, without=frozenset({"x-spam-flag", "x-spam-status"}))


def test_the_tag_stands_before_the_subject_as_it_is_written():
    expected = MESSAGE.replace(b"Subject: =", b"Subject: ***SPAM*** =")
    assert expected == edit(MESSAGE, subject_tag="***SPAM*** ")


def test_a_marked_subject_is_not_marked_again():
    once = edit(MESSAGE, subject_tag="***SPAM*** ")
    assert once == edit(once, subject_tag="***SPAM*** ")


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (b"Subject:tight\r\n", b"Subject: ***SPAM*** tight\r\n"),
        (b"Subject:\r\n", b"Subject: ***SPAM***\r\n"),
        (b"Subject:\r\n\tfolded\r\n", b"Subject: ***SPAM***\r\n\tfolded\r\n"),
        (b"", b"Subject: ***SPAM***\r\n"),
    ],
)
def test_any_form_of_subject_can_be_marked(subject: bytes, expected: bytes):
    assert expected + b"\r\nbody" == edit(subject + b"\r\nbody", subject_tag="***SPAM*** ")


def test_every_one_of_several_subjects_is_marked():
    """Readers differ on which one they show."""
    raw = b"Subject: one\r\nSubject: two\r\n\r\n"
    assert 2 == edit(raw, subject_tag="***SPAM*** ").count(b"***SPAM*** ")


def test_a_tag_outside_ascii_becomes_an_encoded_word():
    assert b"Subject: =?utf-8?" in edit(b"Subject: x\r\n\r\n", subject_tag="***MÜLL*** ")


def test_a_mark_is_taken_off_as_it_was_put_on():
    for raw in (b"Subject: news\r\n\r\nx", b"Subject:news\r\n\r\nx", b"Subject:\r\n news\r\n\r\nx"):
        for tag in ("***SPAM*** ", "[MÜLL]"):
            marked = edited(raw, headers.parse(raw), without=frozenset(), subject_tag=tag)

            assert raw.replace(b"Subject:n", b"Subject: n") == without_tag(marked, [tag_pattern(tag)])
    assert raw == without_tag(raw, [tag_pattern("***SPAM*** ")])
    assert raw == without_tag(raw, [])


WORDS = re.compile("_(?:SCORE|DATE)_")


@pytest.mark.parametrize(
    ("tag", "mark"),
    [
        ("[Spam?] ", b"[Spam?]"),
        ("***SPAM _SCORE_*** ", b"***SPAM 7.5***"),
        ("_SCORE_:", b"7.5:"),
        ("(_DATE_ _SCORE_) ", b"(Mon, 2 Feb 2026 7.5)"),
    ],
)
def test_a_mark_with_words_that_were_replaced_is_taken_off(tag, mark):
    pattern = tag_pattern(tag, WORDS)

    assert b"Subject: news\r\n\r\n" == without_tag(b"Subject: %b news\r\n\r\n" % mark, [pattern])
    assert b"Subject: news\r\n\r\n" == without_tag(b"Subject: news\r\n\r\n", [pattern])


def test_a_mark_of_which_nothing_stays_the_same_takes_nothing_off():
    assert b"Subject: 7.5 news\r\n\r\n" == without_tag(
        b"Subject: 7.5 news\r\n\r\n", [tag_pattern("_SCORE_ ", WORDS)]
    )


FORGED = {
    "in another case": b"x-sPAM-flag: NO\r\n",
    "with a blank before the colon": b"X-Spam-Flag \t: NO\r\n",
    "folded": b"X-Spam-Flag:\r\n NO\r\n\t(really)\r\n",
    "without a blank": b"X-Spam-Flag:NO\r\n",
    "twice": b"X-Spam-Flag: NO\r\nX-Spam-Flag: NO\r\n",
    "below a line that is no field": b"no field\r\nX-Spam-Flag: NO\r\n",
    "below ten lines that are no fields": b"no field\r\n" * 10 + b"X-Spam-Flag: NO\r\n more\r\n",
    "below a boundary": b"--b\r\nX-Spam-Flag: NO\r\n",
    "below a line of a mailbox": b"From x@y Mon Jan 1\r\nX-Spam-Flag: NO\r\n",
    "below a name of NUL": b"\0\r\nX-Spam-Flag: NO\r\n",
    "below a line of blanks": b" \r\nX-Spam-Flag: NO\r\n",
    "below ten thousand fields": b"F: x\r\n" * 12_000 + b"X-Spam-Flag: NO\r\n",
    "below a long field": b"F: " + b"x" * 200_000 + b"\r\nX-Spam-Flag: NO\r\n",
    "with a long blank": b"X-Spam-Flag" + b" " * 70_000 + b": NO\r\n",
}


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_field_goes_wherever_a_reader_may_find_it(forged: bytes, end: bytes):
    """A filter of the recipient's, or a reader that is laxer than we are, would believe it."""
    raw = b"From: a@b.example\r\n" + forged + b"Subject: s\r\n\r\nX-Spam-Flag: in the body\r\n"
    found = edit(raw.replace(b"\r\n", end), without=frozenset({"x-spam-flag"}))
    head, _, body = found.partition(end + end)

    assert b"spam-flag" not in head.lower()
    assert b"(really)" not in head
    assert b" more" not in head
    assert head.startswith(b"From: a@b.example")
    assert head.endswith(b"Subject: s")
    assert b"X-Spam-Flag: in the body" + end == body


def test_taking_fields_out_of_a_section_without_end_is_linear():
    raw = b"no field\r\n" * 4 + b"X-Spam-Flag: x\r\n" * 300_000 + b" \r\n" * 300_000
    started = time.process_time()
    assert b"no field\r\n" * 4 == edit(raw, without=frozenset({"x-spam-flag"}))
    assert time.process_time() - started < 2
