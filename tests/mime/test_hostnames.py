"""Host names, and who registered what."""

import pytest

from lazaret.mime import hostnames

PUBLIC = hostnames.public()


@pytest.mark.parametrize(
    ("host", "registered"),
    [
        ("www.example.com", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("shop.any.ck", "shop.any.ck"),
        ("www.shop.any.ck", "shop.any.ck"),
        ("a.www.ck", "www.ck"),
        ("amazonaws.com", "amazonaws.com"),
        ("www.example.s3.amazonaws.com", "example.s3.amazonaws.com"),
        ("a.b.any.compute.amazonaws.com", "b.any.compute.amazonaws.com"),
        ("a.b.c.d.e.f.example.com", "example.com"),
        ("a..example..com.", "example.com"),
        ("fire.dept.ci.los-angeles.ca.us", "dept.ci.los-angeles.ca.us"),
        ("com", "com"),
        ("", ""),
    ],
)
def test_the_registered_part_ends_below_the_public_suffix(host: str, registered: str) -> None:
    assert registered == PUBLIC.registered(host)


def test_only_top_level_domains_that_exist_are_known() -> None:
    assert [True, True, False, False] == [
        PUBLIC.knows_tld(host) for host in ("example.com", "example.xn--p1ai", "example.invalid", "com")
    ]


def test_lists_of_a_configuration_take_the_place_of_the_public_ones() -> None:
    own = PUBLIC.with_lists(["com", "uk"], ["example.com"], ["three.example.uk"])
    assert "www.example.com" == own.registered("a.www.example.com")
    assert "a.three.example.uk" == own.registered("b.a.three.example.uk")
    assert "co.uk" == own.registered("example.co.uk")
    assert not own.knows_tld("example.org")


def test_second_levels_alone_add_to_what_is_known() -> None:
    more = PUBLIC.with_lists(second_level=["dyn.example"])
    assert ("a.dyn.example", "b.co.uk") == (more.registered("x.a.dyn.example"), more.registered("a.b.co.uk"))


@pytest.mark.parametrize(
    ("host", "ascii_form"),
    [
        (b"WWW.Example.COM", b"www.example.com"),
        ("bücher.example".encode(), b"xn--bcher-kva.example"),
        ("BÜCHER.example".encode(), b"xn--bcher-kva.example"),
        ("bücher.example".encode("latin-1"), b"xn--bcher-kva.example"),
        ("www。example．com".encode(), b"www.example.com"),
        (("ü" * 64 + ".example").encode(), ("ü" * 64 + ".example").encode()),
        (b"\xff\xfe.example", b"\xff\xfe.example"),
    ],
)
def test_international_names_become_those_of_the_dns(host: bytes, ascii_form: bytes) -> None:
    assert ascii_form == hostnames.to_ascii(host)


@pytest.mark.parametrize("host", ["example.com", "a_b.example.com", "1.example.com", "example.com."])
def test_names_are_names(host: str) -> None:
    assert hostnames.is_name(host)


@pytest.mark.parametrize(
    "host",
    ["", "com", "-a.example", "a..example", "a_b.com", f"{'a' * 64}.com", "a." * 127 + "com", "a b.com"],
)
def test_what_is_no_name_is_none(host: str) -> None:
    assert not hostnames.is_name(host)
