"""Whose hands the message went through."""

from collections.abc import Callable

import pytest

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


def hop(helo: str, name: str, address: str, by: str = "mx.our.org") -> bytes:
    known = f"{name} [{address}]" if name else f"unknown [{address}]"
    return f"Received: from {helo} ({known}) by {by} (Postfix) with ESMTP id 1;\n\tx\n".encode()


@pytest.mark.parametrize(
    ("expected", "helo"),
    [(True, "198.51.100.7"), (False, "203.0.113.9"), (False, "10.0.0.1"), (False, "mail.a.org")],
)
def test_a_greeting_with_an_address_of_elsewhere_is_seen(call: Call, expected: bool, helo: str) -> None:
    assert expected == bool(call(hop(helo, "a.org", "203.0.113.7") + b"\n", "helo_ip_mismatch"))


def test_a_greeting_with_a_public_address_is_seen(call: Call) -> None:
    assert call(hop("198.51.100.7", "a.org", "198.51.100.7") + b"\n", "check_for_numeric_helo")
    assert not call(hop("10.0.0.1", "a.org", "198.51.100.7") + b"\n", "check_for_numeric_helo")


def test_big_providers_have_names(call: Call) -> None:
    assert call(hop("mail.yahoo.com", "", "198.51.100.7") + b"\n", "check_for_no_rdns_dotcom_helo")
    assert not call(hop("mail.yahoo.com", "a.org", "198.51.100.7") + b"\n", "check_for_no_rdns_dotcom_helo")
    assert not call(hop("mail.yahoo.org", "", "198.51.100.7") + b"\n", "check_for_no_rdns_dotcom_helo")


def test_a_trail_must_fit_together(call: Call) -> None:
    newest = hop("ccc.com", "ccc.com", "198.51.100.3")
    whole = (
        newest
        + hop("bbb.com", "bbb.com", "198.51.100.2", "ccc.com")
        + hop("a", "aaa.com", "198.51.100.1", "bbb.com")
    )
    torn = (
        newest
        + hop("bbb.com", "bbb.com", "198.51.100.2", "xxx.com")
        + hop("a", "aaa.com", "198.51.100.1", "yyy.com")
    )
    assert not call(whole + b"\n", "check_for_forged_received_trail")
    assert call(torn + b"\n", "check_for_forged_received_trail")


def test_a_greeting_far_from_its_address_is_seen(call: Call) -> None:
    assert call(hop("203.0.113.7", "a.org", "198.51.100.7") + b"\n", "check_for_forged_received_ip_helo")
    assert not call(hop("198.51.200.7", "a.org", "198.51.100.7") + b"\n", "check_for_forged_received_ip_helo")


def test_the_first_client_may_have_a_name(call: Call) -> None:
    assert call(hop("a", "a.org", "198.51.100.7") + b"\n", "check_for_sender_no_reverse")
    assert not call(hop("a", "", "198.51.100.7") + b"\n", "check_for_sender_no_reverse")


def test_a_domain_may_hand_over_within_itself(call: Call) -> None:
    own = hop("a.shop.com", "a.shop.com", "198.51.100.7", "b.shop.com") + b"From: x@shop.com\n\n"
    function = "check_for_from_domain_in_received_headers"
    assert call(own, function, "shop.com", "true")
    assert not call(own, function, "shop.com", "false")
    other = hop("a.org", "a.org", "198.51.100.7") + b"From: x@shop.com\n\n"
    assert call(other, function, "shop.com", "false")
