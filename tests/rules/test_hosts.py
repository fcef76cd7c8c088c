"""What rule files say of hosts."""

from collections.abc import Callable

import pytest

from lazaret.mime import message
from lazaret.mime.trust import ORIGINATING_IP_HEADERS
from lazaret.mime.uri_variants import Sites
from lazaret.rules import RuleSet

Rules = Callable[[str], RuleSet]

RELAYED = b"Received: from a.org (a.org [%s]) by b.org (Postfix) with ESMTP id 1; x\n"


def test_networks_of_the_files_are_believed(rules: Rules) -> None:
    ruleset = rules("trusted_networks 198.51.100.0/24 nonsense\nheader X X-Spam-Relays-Trusted =~ /ip=/\n")
    raw = RELAYED % b"198.51.100.7" + b"\n"
    assert {"X"} == ruleset.evaluate(message.parse(raw, networks=ruleset.networks), 0).values.keys()
    assert not ruleset.evaluate(message.parse(raw), 0).values


def test_networks_can_be_taken_back(rules: Rules) -> None:
    ruleset = rules("trusted_networks 198.51.100.0/24\nclear_trusted_networks\n")
    assert not ruleset.networks.trusted.configured


def test_fields_of_webmailers_are_the_usual_ones_and_those_that_the_files_name(rules: Rules) -> None:
    clear, mine = "clear_originating_ip_headers\n", "originating_ip_headers X-Mine x-originating-ip\n"

    def names(text: str) -> set[str]:
        return {name.lower() for name in rules(text).networks.originating_ip_headers}

    usual = {name.lower() for name in ORIGINATING_IP_HEADERS}
    assert usual == names("")
    assert usual | {"x-mine"} == names(mine)
    assert {"x-mine", "x-originating-ip"} == names(clear + mine)
    assert set() == names(clear)


def test_the_field_of_the_envelope_sender_is_known(rules: Rules) -> None:
    ruleset = rules("envelope_sender_header X-From-Line\nheader X EnvelopeFrom =~ /ann/\n")
    raw = b"X-From-Line: ann@example.com\nReturn-Path: <bob@example.com>\n\nx\n"
    assert {"X"} == set(ruleset.evaluate(message.parse(raw, networks=ruleset.networks), 0).values)


def test_sites_of_the_files_are_known(rules: Rules) -> None:
    assert rules("").sites is None
    ruleset = rules(
        "redirector_pattern m'^https?://go\\.com/\\?to=(.*)$'i\n"
        "redirector_pattern /(/\nuri X m!^http://evil!\n"
    )
    mail = message.parse(b"Subject: s\n\nhttp://GO.com/?to=http%3A//evil.com/\n", sites=ruleset.sites)
    assert {"X"} == ruleset.evaluate(mail, 0).values.keys()


@pytest.mark.parametrize(
    ("patterns", "marks"),
    [
        ((), None),
        ((r"m'^https?://Go\.com/\?to=(.*)$'i",), rb"go\.com/\?to="),
        ((r"m'^https?://Go\.com/\?to=(.*)$'i", r"/\?.*u(?:rl|ri)=(.*)/"), rb"go\.com/\?to=|uri=|url="),
        ((r"m'^https?://Go\.com/\?to=(.*)$'i", r"/[^a-z](.*)/"), None),
    ],
)
def test_what_no_redirector_can_match_is_told_by_its_words(
    rules: Rules, patterns: tuple[str, ...], marks: bytes | None
) -> None:
    sites = rules("util_rb_tld com\n" + "".join(f"redirector_pattern {p}\n" for p in patterns)).sites
    assert sites is not None
    assert marks == (sites.marks.pattern if sites.marks else None)
    for uri in (
        b"HTTP://GO.com/?to=http://a.com",
        b"http://b.com/?uri=http://a.com",
        b"http://b.com/?urn=a.com",
    ):
        assert sites.target(uri) == Sites(sites.registry, sites.redirectors).target(uri)


def test_domains_of_the_files_are_known(rules: Rules) -> None:
    ruleset = rules("util_rb_tld com\nutil_rb_2tld host.com\n")
    assert ruleset.sites is not None
    assert "me.host.com" == ruleset.sites.registry.registered("www.me.host.com")
    assert not ruleset.sites.registry.knows_tld("a.org")
