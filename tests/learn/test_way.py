"""Which facts are told about the way that a message came."""

import pytest

from lazaret.learn import form, way
from lazaret.mime import message

BY = b"by mx.home.example (Postfix) with ESMTP id 1; Mon, 3 Feb 2025 10:00:00 +0000\n"
SHOP = b"Received: from out7.shop.co.uk (out7.shop.co.uk [198.51.100.7]) " + BY
STRANGER = b"Received: from shop.co.uk (198-51-100-9.pool.carrier.example [198.51.100.9]) " + BY
NAMELESS = b"Received: from [198.51.100.9] (unknown [198.51.100.9]) " + BY
ORIGIN = (
    b"Received: from writer (desk.shop.co.uk [203.0.113.5]) by mail.shop.co.uk with ESMTP id 2;"
    b" Mon, 3 Feb 2025 09:59:00 +0000\n"
)
HEADER = b"From: Shop <news@shop.co.uk>\nReply-To: a@other.example\nMessage-ID: <1@mail.shop.co.uk>\n"
TEXT = b"\nSee http://www.shop.co.uk/ now\n"


def told_of(raw: bytes) -> tuple[bytes, ...]:
    found = message.parse(raw)
    return way.of_way(found, form.written(found))


def told(*header: bytes) -> tuple[bytes, ...]:
    return told_of(b"".join((*header, HEADER, TEXT)))


@pytest.mark.parametrize(
    ("received", "facts"),
    [
        (SHOP, {b"relay-name=1", b"relay-name-sender=2", b"relay-helo-name=1", b"relay-name-links=1"}),
        (SHOP, {b"relay-name-message-id=2", b"relay-name-reply-to=3", b"sender-on-the-way=0"}),
        (STRANGER, {b"relay-name=3", b"relay-name-sender=3", b"relay-helo-sender=1", b"relay-name-links=2"}),
        (NAMELESS, {b"relay-name=0", b"relay-helo=1", b"relay-name-sender=0", b"relay-helo-sender=4"}),
        (STRANGER + ORIGIN, {b"origin-name-sender=2", b"origin-helo=2", b"sender-on-the-way=1"}),
        (STRANGER + ORIGIN, {b"message-id-on-the-way=1", b"relay-name-sender=3"}),
    ],
)
def test_hosts_are_told_by_what_they_are_to_the_sender(received, facts):
    assert facts <= set(told(received))


def test_hosts_below_a_suffix_of_many_are_strangers():
    other = SHOP.replace(b"shop.co.uk", b"bank.co.uk")

    assert b"relay-name-sender=3" in told(other)


def test_without_a_relay_nothing_is_told():
    assert () == told()


def test_line_ends_change_no_fact():
    raw = STRANGER + ORIGIN + HEADER + TEXT
    crlf = raw.replace(b"\n", b"\r\n")

    assert told_of(raw) == told_of(crlf)


@pytest.mark.parametrize(
    "name", [b"." * 300, b"a." * 2000, b"\xff.\xfe", b"[!", b"..", b"1.2", b"xn--a.b"], ids=repr
)
def test_whatever_hosts_call_themselves_there_are_few_facts(name):
    hostile = b"Received: from %b (%b [198.51.100.9]) " % (name, name) + BY
    found = told(hostile * 200)

    assert 0 < len(found) <= form.FACTS_LIMIT
    assert all(len(fact) < 40 for fact in found)


def test_how_many_hosts_it_passed_is_not_told():
    assert told(STRANGER + ORIGIN) == told(STRANGER * 3 + ORIGIN)
