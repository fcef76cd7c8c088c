"""Countries and autonomous systems of the relays, by local databases."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.geo import database

from lazaret.mime import message
from lazaret.rules import RuleSet
from lazaret.rules.evals import Settings, Subject, tag_of
from lazaret.rules.views import HeaderValues

LOAD = "".join(f"loadplugin Mail::SpamAssassin::Plugin::{name}\n" for name in ("RelayCountry", "ASN"))
RULES = """
header FR X-Relay-Countries =~ /\\bFR\\b/
header TWO X-Relay-Countries =~ /^NL FR$/
header EXTERNAL X-Relay-Countries-External =~ /^NL FR$/
header ALL_OF_THEM X-Relay-Countries-All =~ /^\\*\\* NL FR$/
header SYSTEM X-ASN =~ /^64500$/
header EXAMPLE eval:check_asn('/^AS64500 Example/')
header OTHER eval:check_asn('/^AS64501/')
"""


def received(address: str, by: str) -> str:
    return f"Received: from a.example (a.example [{address}]) by {by} (Postfix) with ESMTP id 1\n"


RAW = (
    received("10.0.0.1", "in.example.org")
    + received("192.0.3.9", "mx.example.org")
    + received("2a01:e00::1", "far.example.net")
    + "Subject: s\n\nhello\n"
)
NETWORKS = {
    "192.0.3.0/24": {"country": {"iso_code": "NL"}, "continent": {"code": "EU"}},
    "2a01:e00::/32": {"country": {"iso_code": "FR"}, "continent": {"code": "EU"}},
}
SYSTEMS = {
    "192.0.3.0/24": {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Süd"},
}


@pytest.fixture
def files(tmp_path: Path) -> str:
    (tmp_path / "land.mmdb").write_bytes(database(NETWORKS))
    (tmp_path / "GeoLite2-ASN.mmdb").write_bytes(database(SYSTEMS))
    return f"geodb_options country:{tmp_path}/land.mmdb\ngeodb_search_path {tmp_path}\n"


def hits(ruleset: RuleSet, raw: str = RAW) -> set[str]:
    mail = message.parse(raw.encode(), networks=ruleset.networks)
    return set(ruleset.evaluate(mail, 0, seconds=10).values)


def test_rules_see_countries_and_systems(rules: Callable[[str], RuleSet], files: str) -> None:
    everything = {"FR", "TWO", "EXTERNAL", "ALL_OF_THEM", "SYSTEM", "EXAMPLE"}
    assert everything == hits(rules(LOAD + files + RULES))
    assert set() == hits(rules(files + RULES))
    assert set() == hits(rules(LOAD + "geodb_search_path /nowhere\n" + RULES))


def test_the_system_may_be_left_to_dns(rules: Callable[[str], RuleSet], files: str) -> None:
    assert {"FR"} == hits(rules(LOAD + files + RULES + "asn_use_geodb 0\n")) & {"FR", "SYSTEM", "EXAMPLE"}


@pytest.mark.parametrize("module", ["geodb_module Geo::IP", "country_db_type Fast"])
def test_older_databases_are_not_read(rules: Callable[[str], RuleSet], files: str, module: str) -> None:
    assert set() == hits(rules(LOAD + files + module + RULES))


def test_settings_of_old_name_the_database_too(rules: Callable[[str], RuleSet], tmp_path: Path) -> None:
    (tmp_path / "x.mmdb").write_bytes(database(NETWORKS))
    text = "country_db_type GeoIP2\ncountry_db_path x.mmdb\ngeodb_search_path /nowhere\n"
    assert "FR" in hits(rules(LOAD + text + RULES))


def test_an_address_without_a_country_is_shown_so(rules: Callable[[str], RuleSet], files: str) -> None:
    ruleset = rules(LOAD + files + "header UNKNOWN X-Relay-Countries =~ /^XX$/\n")
    assert {"UNKNOWN"} == hits(ruleset, received("198.51.100.1", "mx.example.org") + "\nx\n")


def test_countries_of_users_who_logged_in(rules: Callable[[str], RuleSet], files: str) -> None:
    ruleset = rules(LOAD + files + "header LOGIN X-Relay-Countries-Auth =~ /^NL$/\n")
    assert {"LOGIN"} == hits(
        ruleset, received("192.0.3.9", "mx.example.org").replace("ESMTP", "ESMTPA") + "\n"
    )


def test_tags_tell_of_it(rules: Callable[[str], RuleSet], files: str) -> None:
    def tags(text: str) -> list[str | None]:
        ruleset = rules(text)
        mail = message.parse(RAW.encode(), networks=ruleset.networks)
        subject = Subject(mail, Settings(ruleset.book.settings), HeaderValues(mail), 0.0)
        names = ("RELAYCOUNTRY", "RELAYCOUNTRYEXT", "RELAYCOUNTRYALL", "RELAYCOUNTRYAUTH", "ASN", "ASNCIDR")
        return [tag_of(subject, name, "") for name in names]

    system = "AS64500 Example Süd".encode().decode("latin-1")
    assert ["NL FR", "NL FR", "** NL FR", "", system, ""] == tags(LOAD + files)
    assert system[2:] == tags(LOAD + files + "asn_prefix ''\n")[4]
    assert [None] * 6 == tags(files)


def test_a_renewed_or_damaged_database_costs_nothing(
    rules: Callable[[str], RuleSet], files: str, tmp_path: Path
) -> None:
    ruleset = rules(LOAD + files + RULES)
    assert "FR" in hits(ruleset)

    def renew(octets: bytes) -> None:
        (tmp_path / "new").write_bytes(octets)
        os.replace(tmp_path / "new", tmp_path / "land.mmdb")

    renew(b"\xff" * 1000)
    assert "FR" not in hits(ruleset)
    renew(database({network: {"country": {"iso_code": "ES"}} for network in NETWORKS}))
    assert "FR" not in hits(ruleset)
    renew(database(NETWORKS))
    assert "FR" in hits(ruleset)
    whole = database(NETWORKS)
    begin = whole.index(b"\xab\xcd\xefMaxMind.com")
    renew(whole[: begin - 60] + b"\xff" * 60 + whole[begin:])
    assert "FR" not in hits(ruleset)
