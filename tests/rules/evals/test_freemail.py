"""Mailboxes that anyone can open."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]

SETTINGS = {"freemail_domains": ("box.com mail?.net", "*.free.org")}


@pytest.mark.parametrize(
    ("expected", "address"),
    [
        (True, "a@box.com"),
        (True, "A@BOX.com"),
        (True, "a@mail1.net"),
        (True, "a@x.free.org"),
        (False, "a@x.y.free.org"),
        (False, "a@sub.box.com"),
        (False, "support@box.com"),
        (False, "a@own.com"),
    ],
)
def test_providers_are_named_by_domain_or_pattern(call: Call, expected: bool, address: str) -> None:
    raw = f"From: {address}\n\n\n".encode()
    assert expected == bool(call(raw, "check_freemail_from", settings=SETTINGS))


def test_another_box_for_answers_is_seen(call: Call) -> None:
    raw = b"From: a@box.com\nReply-To: %s\n\nwrite to c@box.com please\n"
    both = call(raw % b"b@box.com", "check_freemail_replyto", "replyto", settings=SETTINGS)
    assert "a@box.com -> b@box.com" == both
    other = call(raw % b"a@box.com", "check_freemail_replyto", "replyto", settings=SETTINGS)
    assert "a@box.com, c@box.com" == other
    assert "" == call(raw % b"b@own.com", "check_freemail_replyto", "replyto", settings=SETTINGS)
    assert "" == call(raw % b"b@own.com", "check_freemail_replyto", "reply", settings=SETTINGS)


def test_an_expression_narrows_a_field(call: Call) -> None:
    raw = b"Reply-To: ann77@box.com\n\n\n"
    assert "ann77@box.com" == call(raw, "check_freemail_header", "Reply-To", r"\d@", settings=SETTINGS)
    assert "" == call(raw, "check_freemail_header", "Reply-To", r"^\d", settings=SETTINGS)


def test_quoted_senders_in_the_text_do_not_count(call: Call) -> None:
    raw = b"From: a@own.com\n\nc@box.com wrote: hello <d@box.com>\n"
    assert "" == call(raw, "check_freemail_body", settings=SETTINGS)
    assert "e@box.com" == call(raw + b"\nmail e@box.com\n", "check_freemail_body", settings=SETTINGS)
