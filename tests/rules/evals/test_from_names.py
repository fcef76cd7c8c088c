"""An address in the name of the sender."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]

MAIL = b'From: "ann@bank.org" <x@evil.com>\nReply-To: %s\nTo: %s\n\n\n'
PREFIX = "check_fromname_"


@pytest.mark.parametrize(
    ("expected", "function"),
    [
        (True, "contains_email"),
        (True, "different"),
        (True, "domain_differ"),
        (True, "owners_differ"),
        (True, "equals_replyto"),
        (False, "equals_to"),
    ],
)
def test_what_the_name_shows_is_compared(call: Call, expected: bool, function: str) -> None:
    raw = MAIL % (b"Ann@bank.org", b"bob@our.org")
    assert expected == bool(call(raw, PREFIX + function))


def test_the_name_may_be_the_recipients(call: Call) -> None:
    assert "ann@bank.org" == call(MAIL % (b"", b"ann@bank.org"), PREFIX + "equals_to")


def test_houses_may_have_several_domains(call: Call) -> None:
    settings = {"fns_add_addrlist": ("(BANK) *@bank.org *@evil.com",)}
    assert "" == call(MAIL % (b"", b""), PREFIX + "owners_differ", settings=settings)
    assert "ann@bank.org" == call(MAIL % (b"", b""), PREFIX + "domain_differ", settings=settings)


def test_a_long_name_round_the_address_counts_for_little(call: Call) -> None:
    raw = b'From: "%s ann@bank.org" <x@evil.com>\n\n\n' % (b"word " * 20)
    assert "ann@bank.org" == call(raw, PREFIX + "contains_email")
    assert "" == call(raw, PREFIX + "different")


def test_some_fields_excuse_it(call: Call) -> None:
    raw = b"List-Id: a\n" + MAIL % (b"", b"")
    assert "" == call(raw, PREFIX + "different", settings={"fns_ignore_headers": ("List-Id",)})


def test_an_honest_name_is_none_of_this(call: Call) -> None:
    assert "" == call(b'From: "Ann" <x@evil.com>\n\n\n', PREFIX + "contains_email")
    assert "" == call(b'From: "x@evil.com" <x@evil.com>\n\n\n', PREFIX + "different")


@pytest.mark.parametrize(
    ("expected", "level", "from_"),
    [
        (True, "0", b'"ann@bank.org" <bob@bank.org>'),
        (False, "1", b'"ann@bank.org" <bob@bank.org>'),
        (True, "2", b'"ann@bank.org" <bob@bank.com>'),
        (False, "1", b'"ann@bank.org" <bob@bank.com>'),
        (True, "1", b'"ann@bank.org" <bob@evil.com>'),
        (False, "0", b'"ann@bank.org" <ann@bank.org>'),
    ],
)
def test_how_much_must_differ_is_a_matter_of_the_setting(
    call: Call, expected: bool, level: str, from_: bytes
) -> None:
    raw = b"From: " + from_ + b"\n\n\n"
    settings = {"fns_check": (level,)}
    assert expected == bool(call(raw, PREFIX + "spoof", settings=settings))
    assert expected == bool(call(raw, PREFIX + "spoof", level))
