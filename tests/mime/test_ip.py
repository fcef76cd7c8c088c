"""Addresses in text."""

import pytest

from lazaret.mime import ip


@pytest.mark.parametrize(
    "text", ["192.0.2.1", "255.255.255.255", "2001:db8::1", "::", "IPv6:::1", "::ffff:192.0.2.1"]
)
def test_addresses_are_known(text: str) -> None:
    assert ip.is_address(text)


@pytest.mark.parametrize(
    "text", ["", "192.0.2", "192.0.2.256", "1.2.3.4.5", "12:34", "2001:db8:::1", "a.b.c.d"]
)
def test_what_only_looks_like_an_address_is_none(text: str) -> None:
    assert not ip.is_address(text)


@pytest.mark.parametrize("address", ["10.0.0.1", "172.31.2.3", "100.64.1.1", "127.0.0.1", "::1", "fe80::1"])
def test_private_addresses_are_private(address: str) -> None:
    assert ip.is_private(address)


@pytest.mark.parametrize("address", ["192.0.2.1", "172.32.0.1", "100.128.0.1", "2001:db8::1", ""])
def test_public_addresses_are_not(address: str) -> None:
    assert not ip.is_private(address)


def test_the_first_address_in_a_text_is_found() -> None:
    assert "192.0.2.7" == ip.find("version 1.2.3, [192.0.2.7], 192.0.2.8")


def test_wrapping_is_taken_off() -> None:
    assert ["192.0.2.1", "2001:db8::1", "fe80::1"] == [
        ip.without_wrapping(a) for a in ("::ffff:192.0.2.1", "IPv6:2001:db8::1", "fe80::1%eth0")
    ]


def test_labels_are_reversed_for_lists_in_the_dns() -> None:
    assert "1.2.0.192" == ip.reversed_labels("192.0.2.1")
    assert "1.0.0.0" == ip.reversed_labels("2001:db8::1")[:7]
