"""Whose hands the message went through."""

from collections.abc import Callable

Call = Callable[..., float | str]

HOP = (
    b"Received: from mail.a.com (mail.a.com [%s]) by mx.b.com with ESMTP id x;"
    b" Mon, 1 Jul 2024 12:00:00 +0000\n"
)


def test_messages_without_a_hand_over_are_seen(call: Call) -> None:
    assert call(b"Subject: s\n\n\n", "check_no_relays")
    assert not call(HOP % b"192.0.2.1" + b"\n", "check_no_relays")


def test_hand_overs_among_ourselves_are_trusted(call: Call) -> None:
    assert call(HOP % b"10.0.0.1" + b"\n", "check_all_trusted")
    assert not call(HOP % b"198.51.100.1" + HOP % b"10.0.0.1" + b"\n", "check_all_trusted")
    assert not call(b"Subject: s\n\n\n", "check_all_trusted")


def test_hand_overs_that_cannot_be_read_are_counted(call: Call) -> None:
    assert 1 == call(b"Received: from nonsense that nobody writes\n\n\n", "check_relays_unparseable")
