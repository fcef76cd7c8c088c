"""Header edits change what they name and nothing else."""

import pytest

from lazaret.mime import headers
from lazaret.mime.edit import edited, without_tag

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
        marked = edited(raw, headers.parse(raw), without=(), subject_tag="***SPAM*** ")

        assert raw.replace(b"Subject:n", b"Subject: n") == without_tag(marked, "***SPAM*** ")
    assert raw == without_tag(raw, "***SPAM*** ")
    assert raw == without_tag(raw, "")
