"""All readings of a URI."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mime.layers import configuration_of_tests, octets, recorded, sites

from lazaret.mime import hostnames, uri_variants
from lazaret.mime.uri_variants import Sites, host_and_domain

PUBLIC = Sites()


def variants(uri: bytes, sites: Sites) -> tuple[bytes, ...]:
    return uri_variants.read(uri, sites)[0]


@pytest.mark.parametrize(
    ("uri", "reading"),
    [
        (b"http://%77%77%77.example.com/", b"http://www.example.com/"),
        (b"http:\\\\www.example.com\\x", b"http://www.example.com/x"),
        (b"http://www.example.com/&#97;&#x62;", b"http://www.example.com/ab"),
        (b"http://www.example.com?a", b"http://www.example.com/?a"),
        (b"http://www.example.com:80/a", b"http://www.example.com/a"),
        (b"http://a@b@www.example.com/", b"http://www.example.com/"),
        (b"http://www.example.com!!!/", b"http://www.example.com/"),
        (b"http://3221226219/", b"http://192.0.2.235/"),
        (b"http://0xc00002eb/", b"http://192.0.2.235/"),
        (b"http://0300.0.02.0xeb/", b"http://192..2.235/"),
        (b"http://example/", b"http://www.example.com/"),
        (b"www.example.com/x", b"http://www.example.com/x"),
        ("http://bücher.example.com/".encode(), b"http://xn--bcher-kva.example.com/"),
        (b"http://a.example.com/?u=http://b.example.com/", b"http://b.example.com/"),
        (b"mailto:kim@example.com?subject=x", b"mailto:kim@example.com"),
        (b"mailto:kim@example.com%20", b"mailto:kim@example.com"),
    ],
)
def test_a_disguise_is_seen_through_and_kept(uri: bytes, reading: bytes) -> None:
    found = variants(uri, PUBLIC)
    assert uri == found[0]
    assert reading in found or (b"mailto:" + reading) in found


def test_a_plain_uri_has_one_reading() -> None:
    assert (b"http://www.example.com/a/b?c=d&e=f#g",) == variants(
        b"http://www.example.com/a/b?c=d&e=f#g", PUBLIC
    )


def test_a_known_redirector_leads_on() -> None:
    known = Sites(hostnames.public(), (re.compile(rb"^http://go\.example\.com/(.*)$", re.IGNORECASE),))
    assert b"b.example.org/x" in variants(b"http://go.example.com/b.example.org/x", known)


def test_a_fragment_is_no_uri() -> None:
    assert (b"#top",) == variants(b"#top", PUBLIC)


@pytest.mark.parametrize(
    ("uri", "pair"),
    [
        (b"http://kim:pw@www.Example.co.uk:81/x", ("www.example.co.uk", "example.co.uk")),
        (b"mailto:kim@mail.example.com?x", ("mail.example.com", "example.com")),
        (b"http://192.0.2.1/", ("192.0.2.1", "192.0.2.1")),
        (b"http://example.invalid/", None),
        (b"javascript:x.com", None),
        (b"mailto:kim@a.com@b.com", None),
        (b"http://ex%41mple.com/", None),
    ],
)
def test_the_host_of_a_uri_and_who_registered_it(uri: bytes, pair: tuple[str, str] | None) -> None:
    assert pair == host_and_domain(uri, PUBLIC.registry)


_PIECES = (
    b"http:// https:// mailto: www. a.com B.example.ORG b.invalid 1.2.3.4 kim / ? # :81 . @ @c.org"
    b" %41 %20 & &#46; < > \\ - : //"
).split()


@given(st.lists(st.sampled_from([*_PIECES, b"a" * 254, b"\xfc"]), max_size=6))
def test_a_uri_that_needs_no_thought_is_read_as_any_other(pieces: list[bytes]) -> None:
    uri = b"".join(pieces)
    readings = uri_variants._readings(uri, PUBLIC)
    hosts = [pair for reading in readings if (pair := host_and_domain(reading, PUBLIC.registry))]
    assert (readings, tuple(hosts)) == uri_variants.read(uri, PUBLIC)
    assert readings == variants(uri, PUBLIC)


@given(st.binary(max_size=200), st.sampled_from([b"", b"http://", b"mailto:", b"http://a.com/?http://"]))
def test_no_octets_raise(rest: bytes, start: bytes) -> None:
    for reading in variants(start + rest, PUBLIC):
        host_and_domain(reading, PUBLIC.registry)


@pytest.mark.parametrize(
    "uri",
    [
        b"http:" * 200_000, b"http://" + b"a." * 500_000, b"http://" + b"!" * 1_000_000, b"%41" * 300_000,
        b"a@" * 500_000, b"mailto:" + b"<" * 1_000_000, b"mailto:" + b"<a@" * 300_000,
        b"http://" + b"0x" * 500_000, b"http://" + b"1" * 1_000_000, b"http://1.1.1." + b"1" * 1_000_000,
        b"&#46;" * 200_000, b"\\" * 1_000_000,
        b"http://" + b"\xc3\xbc" * 500_000,
    ],
)  # fmt: skip
def test_a_hostile_uri_costs_little(uri: bytes) -> None:
    began = time.process_time()
    found = variants(uri, PUBLIC)
    for reading in found:
        host_and_domain(reading, PUBLIC.registry)
    assert time.process_time() - began < 0.5
    assert max(map(len, found)) <= uri_variants.URI_LIMIT


def test_spamassassins_examples_have_the_readings_that_it_gives_them(shared: Path) -> None:
    for case in recorded(shared, "uri"):
        if case["fn"] == "uri_list_canonicalize":
            known = sites(configuration_of_tests(shared), case["config"]["rules"])
            got = {reading for uri in case["args"][1] for reading in variants(octets(uri), known)}
            assert set(map(octets, case["result"])) == got, case["args"][1]


def test_spamassassins_examples_have_the_domains_that_it_sees(shared: Path) -> None:
    cases = [case for case in recorded(shared, "uri") if case["fn"] == "uri_to_domain"]
    differing = []
    for case in cases:
        known = sites(configuration_of_tests(shared), case["config"]["rules"])
        pair = host_and_domain(octets(case["args"][0]), known.registry)
        if case["result"] != [pair and pair[1]]:
            differing.append(octets(case["args"][0]))
    assert [b"Cin\xe9ma.ca"] == differing, "recorded once with and once without an answer"
