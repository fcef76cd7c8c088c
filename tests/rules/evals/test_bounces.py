"""Bounces of mail that really was ours."""

from collections.abc import Callable

Call = Callable[..., float | str]

OURS = {"welcomelist_bounce_relays": ("out*.our.org",)}


def test_relays_are_named_or_not(call: Call) -> None:
    assert call(b"\n\n", "have_any_bounce_relays", settings=OURS)
    assert not call(b"\n\n", "have_any_bounce_relays")


def test_a_relay_of_ours_in_the_quoted_message_is_found(call: Call) -> None:
    folded = b"Subject: s\n\n> Received: from x\n\tby OUT1.our.org (Postfix)\n"
    attached = (
        b"Content-Type: message/rfc822\n\nReceived: from x by out2.our.org with SMTP\nSubject: t\n\nhello\n"
    )
    assert "OUT1.our.org" == call(folded, "check_welcomelist_bounce_relays", settings=OURS)
    assert "out2.our.org" == call(attached, "check_welcomelist_bounce_relays", settings=OURS)
    assert not call(attached, "check_welcomelist_bounce_relays")
    assert not call(b"Subject: s\n\nby out1.our.org .\n", "check_welcomelist_bounce_relays", settings=OURS)


def test_a_large_body_is_searched_quickly(call: Call) -> None:
    raw = b"Subject: s\n\n" + b"Received: a.b " * 80_000 + b"\n"
    assert not call(raw, "check_welcomelist_bounce_relays", settings=OURS)
