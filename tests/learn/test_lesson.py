"""The message that comes back from a mailbox is the one that was examined."""

from lazaret.learn.features import Hasher
from lazaret.learn.lesson import Delivered, Reading, lesson, original
from lazaret.learn.packing import unpack
from lazaret.mime.edit import tag_pattern
from lazaret.mime.trust import Networks

READING = Reading(Hasher(b"secret"), Networks(), None)
HERE = Delivered("filter.example", (tag_pattern("***SPAM*** "),))
CAME = (
    b"Received: from mx.out.example (mx.out.example [192.0.2.7])\r\n\tby mta.example with ESMTP id Q1;\r\n"
    b"\tMon, 02 Feb 2026 10:00:00 +0000\r\n"
    b"From: Shop <shop@out.example>\r\nTo: bob@home.example\r\nSubject: win now\r\n"
    b"Date: Mon, 02 Feb 2026 10:00:00 +0000\r\nMessage-ID: <5@out.example>\r\n\r\nbuy\r\n\r\ncheap pills\r\n"
)
OURS = (
    b"Received: from mta.example ([127.0.0.1])\r\n"
    b"\tby localhost (filter.example [127.0.0.1]) (lazaret, port 10024)\r\n"
    b"\twith ESMTP id kP3v0TzYw8Qd for <bob@home.example>;\r\n\tMon, 02 Feb 2026 10:00:01 +0000\r\n"
)
ABOVE = (
    b"Return-Path: <shop@out.example>\r\nDelivered-To: bob@home.example\r\n"
    b"Received: from localhost by mta.example with LMTP id 99\r\n"
    b"X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=4\r\n\ttests=[A=4]\r\n"
)


def in_mailbox() -> bytes:
    """As a mail server keeps it: marked, with LF, below what was put on top."""
    return (ABOVE + OURS + CAME.replace(b"Subject: win", b"Subject: ***SPAM*** win")).replace(b"\r\n", b"\n")


def test_what_stands_above_our_field_and_the_mark_are_taken_off():
    found = original(in_mailbox(), HERE)

    assert "kP3v0TzYw8Qd" == found.mail_id
    assert CAME.replace(b"\r\n", b"\n") == found.octets


def test_it_is_the_same_lesson_as_what_came_in():
    found = original(in_mailbox(), HERE)
    first, again = lesson(CAME, READING), lesson(found.octets, READING)

    assert first.digest == again.digest
    assert list(unpack(first.features)) == list(unpack(again.features))


def test_another_site_with_lazaret_is_not_us():
    found = original(in_mailbox(), Delivered("other.example"))

    assert ("", in_mailbox()) == (found.mail_id, found.octets)


def test_the_topmost_field_of_ours_counts():
    """What a sender wrote below it says nothing."""
    forged = OURS.replace(b"kP3v0TzYw8Qd", b"forgedforged") + CAME
    found = original(OURS + forged, HERE)

    assert ("kP3v0TzYw8Qd", forged) == (found.mail_id, found.octets)


def test_another_text_is_another_message():
    assert lesson(CAME, READING).digest != lesson(CAME.replace(b"pills", b"books"), READING).digest
    assert lesson(CAME, READING).digest != lesson(CAME.replace(b"<5@", b"<6@"), READING).digest
