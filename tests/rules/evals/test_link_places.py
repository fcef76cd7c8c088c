"""Where the hosts of links stand."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.geo import database

from lazaret.mime import message
from lazaret.rules import RuleSet, lint

RECORDS = {
    "192.0.3.0/24": {"country": {"iso_code": "NL"}, "continent": {"code": "EU"}},
    "198.51.100.0/24": {"country": {"iso_code": "BR"}, "continent": {"code": "SA"}},
}
PROVIDERS = {"192.0.3.0/24": {"isp": "Big Example"}}


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        (True, "uri_block_cc X nl de"),
        (False, "uri_block_cc X de"),
        (True, "uri_block_cc X !de !fr"),
        (False, "uri_block_cc X !nl"),
        (True, "uri_block_cont X EU"),
        (False, "uri_block_cont X !EU"),
        (True, 'uri_block_isp X "big example"'),
        (True, "uri_block_isp X other BigExample"),
        (False, "uri_block_isp X Example"),
        (True, "uri_block_cidr X 10.0.0.0/8 192.0.3.0/25"),
        (False, "uri_block_cidr X 192.0.3.128/25"),
        (False, "uri_block_cc X nl\nuri_block_exclude X 192.0.3.9"),
    ],
)
def test_a_rule_looks_for_places(
    rules: Callable[[str], RuleSet], tmp_path: Path, expected: bool, line: str
) -> None:
    (tmp_path / "GeoLite2-Country.mmdb").write_bytes(database(RECORDS))
    (tmp_path / "GeoIP2-ISP.mmdb").write_bytes(database(PROVIDERS))
    ruleset = rules(f"geodb_search_path {tmp_path}\n{line}\n")
    mail = message.parse(b"Subject: s\n\nSee http://192.0.3.9/x and http://name.example.com/\n")
    assert expected == ("X" in ruleset.evaluate(mail, 0).values)


def test_nothing_is_found_without_a_database(rules: Callable[[str], RuleSet]) -> None:
    ruleset = rules("geodb_search_path /nowhere\nuri_block_cidr X 192.0.3.0/25\n")
    mail = message.parse(b"Subject: s\n\nSee http://192.0.3.9/x\n")
    assert {} == dict(ruleset.evaluate(mail, 0).values)


def test_a_line_without_places_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.cf").write_text("uri_block_cc X\nuri_block_cc 1 de\n")
    assert [1, 2] == [problem.line for problem in lint([tmp_path / "a.cf"])]
