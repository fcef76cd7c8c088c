"""Which facts are told about how a message is built."""

import pytest

from lazaret.learn import form
from lazaret.learn.zones import View, Zone, view
from lazaret.mime import message

HEADER = (
    b'From: "Shop" <news7@mail.shop.com>\nReply-To: <desk@shop.com>\nTo: a@b.example, c@b.example\n'
    b"Subject: SAVE 50% TODAY!!\nMessage-ID: <12.ab@other.example>\nDate: Mon, 3 Feb 2025 10:00:00 +0100\n"
)


def told(raw: bytes) -> list[bytes]:
    found: View = view(message.parse(raw))
    assert [Zone.BODY_FORM, Zone.HEADER_FORM, Zone.WAY] == [facts.zone for facts in found.facts]
    return [fact for facts in found.facts for fact in facts.told]


@pytest.mark.parametrize(
    "fact",
    [
        b"reply-to=2",
        b"message-id-domain=3",
        b"recipients=2",
        b"digits-in-address=1",
        b'from="Aa" <a0@a.a.a>',
        b"date=Aa, 0 Aa 0 0:0:0 +0",
        b"subject-capitals=6",
        b"subject-exclamation-marks=2",
        b"subject-per-cent=1",
        b"subject-end=!",
        b"reply=0",
        b"links=1",
        b"links-to-sender=1",
        b"lines=0",
        b"parts=0text/plain",
    ],
)
def test_header_and_body_are_told_of(fact):
    assert fact in told(HEADER + b"\nSee http://www.shop.com/a?b now")


def test_a_page_is_told_of():
    page = b'<html><body bgcolor=white><img src="http://1.2.3.4/x.gif" width=600 height=400>x</body></html>'
    found = told(HEADER + b"Content-Type: text/html\n\n" + page)

    assert {b"html=1", b"images=1", b"links-to-number=1", b"html-image-area=3"} <= set(found)


def test_line_ends_change_no_fact():
    raw = HEADER + b"\nHello\n\nthis is a text\nof some lines\n"

    assert told(raw) == told(raw.replace(b"\n", b"\r\n"))


def test_a_folded_field_tells_what_it_told_on_one_line():
    raw = b"From: a@b.example\nContent-Type: text/plain;%bcharset=utf-8\n\nHello\n"

    assert told(raw % b" ") == told(raw % b"\n\t")


def test_an_empty_message_has_facts_too():
    assert b"length=0" in told(b"")


def test_there_are_never_more_facts_than_are_paired():
    for facts in view(message.parse(HEADER + b"Content-Type: text/html\n\n<a href=x>y</a>")).facts:
        assert len(facts.told) <= form.FACTS_LIMIT


def test_a_shape_knows_kinds_of_characters_and_not_how_many():
    assert b"Aa, 0 Aa" == form.shape(b"Monday, 31 Okt")
    assert len(form.shape(b"a.b-" * 1000)) <= 60
