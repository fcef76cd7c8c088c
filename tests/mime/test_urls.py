"""The URIs of a message."""

import base64
from pathlib import Path

from tests.mime.layers import configuration_of_tests, messages, octets, recorded, sites, stock_sites

from lazaret.mime import message, urls
from lazaret.mime.html import Link


def link(target: bytes, tag: str = "a", attribute: str = "href", text: str = "") -> Link:
    return Link(tag, attribute, target, text)


def test_one_wording_in_text_and_in_links_is_one_uri() -> None:
    found = urls.collect(
        [b"Subject\n", b"see http://www.example.com/a\n"],
        [[link(b"http://www.example.com/a", text="here"), link(b"http://www.example.com/a", "img", "src")]],
    )
    (uri,) = found
    assert {"parsed", "a", "img"} == uri.types
    assert (b"here",) == uri.anchor_text
    assert {"www.example.com": "example.com"} == uri.hosts


def test_a_link_is_read_against_the_base_of_its_page_only() -> None:
    found = urls.collect([], [[link(b"http://a.example.com/b/", "base"), link(b"c")], [link(b"d")]])
    assert [b"http://a.example.com/b/", b"http://a.example.com/b/c", b"d"] == [uri.raw for uri in found]


def test_text_that_leads_nowhere_is_no_uri() -> None:
    assert () == urls.collect([b"http://example.invalid/ and kim@example.invalid\n"], [])


def test_mail_programs_decode_an_address() -> None:
    (uri,) = urls.collect([b"kim@example%2Ecom.example%2Ecom\n"], [])
    assert b"mailto:kim@example.com.example.com" == uri.raw


def test_who_signed_is_known_but_no_uri_for_rules() -> None:
    (uri,) = urls.collect([], [], [b" v=1; a=rsa-sha256; d=mail.\n example.com; s=x\n"])
    assert ((), {"mail.example.com": "example.com"}) == (uri.cleaned, uri.hosts)


def test_spamassassins_own_messages_have_the_uris_that_it_finds(shared: Path) -> None:
    for name in ("uri", "uri_list", "uri_text", "uri_html", "uri_saferedirect", "idn_dots"):
        for case in recorded(shared, name):
            if case["fn"] == "uri_list":
                known = sites(configuration_of_tests(shared), case["config"]["rules"])
                parsed = message.parse(base64.b64decode(case["message_base64"]), sites=known)
                got = {reading for uri in parsed.uris for reading in uri.cleaned}
                assert set(map(octets, case["result"])) == got, name


HREF_WITH_LINE_END = "sa-corpus/hard_ham/00035.a0e0e8cdca0b8352a9e9c2c81e5d5cd7"
"""SpamAssassin files its anchor text under another wording, and that wording becomes a URI."""
LATIN1_IN_HREF = {
    "sa-corpus/hard_ham/00198.9b71c90c298d453025eae7bbcc46018b",
    "sa-corpus/spam_2/00588.44b644374b89ba4885f91f0ed836e622",
}
"""Links as characters; the dump does not tell characters from octets, ours are UTF-8."""


def test_935_messages_have_the_uris_that_spamassassin_finds(shared: Path, corpus: Path) -> None:
    known = stock_sites(shared)
    for raw, layers in messages(shared, corpus):
        name = layers["message"]
        if name == HREF_WITH_LINE_END or name in LATIN1_IN_HREF:
            continue
        uris = {uri.raw: uri for uri in message.parse(raw, sites=known).uris}
        readings = {reading for uri in uris.values() for reading in uri.cleaned}
        assert {octets(u) for u in layers["uris"] if u} == readings, name
        for wording, detail in layers["uri_detail"].items():
            if wording:
                uri = uris[octets(wording)]
                assert set(detail["types"]) - {"nocanon", "noclean"} == uri.types, (name, wording)
                assert (detail["hosts"] or {}) == uri.hosts, (name, wording)
