"""docs/postfix.md and examples/: what an admin copies is complete, and Postfix and Dovecot take it."""

import tomllib

import pytest

from . import documented
from .documented import Ports
from .postfix import Postfix


def test_the_page_has_a_block_for_every_way_of_putting_lazaret_beside_postfix() -> None:
    ways = {"after-queue-lmtp", "after-queue-smtp", "before-queue", "amavisd-milter"}
    submission = {"submission-after-queue", "submission-before-queue"}
    assert ways | submission | {"junk", "learn"} == documented.setups()


def test_every_documented_value_that_the_tests_replace_stands_in_the_documents() -> None:
    values = Ports(*range(1, 10)).substitutions()
    text = documented.PAGE.read_text() + documented.CONFIG.read_text()
    assert [] == [value for value in values if value not in text]


def test_the_example_names_the_ports_of_the_page() -> None:
    example = tomllib.loads(documented.CONFIG.read_text())
    assert ["127.0.0.1:10024"] == example["listen"]["smtp"]
    assert ["127.0.0.1:10026"] == example["listen"]["originating"]
    assert ["127.0.0.1:10027"] == example["listen"]["before_queue"]
    assert "smtp:[127.0.0.1]:10025" == example["relay"]["next_hop"]


@pytest.mark.parametrize("fixture", ["lmtp_postfix", "smtp_postfix", "proxy_postfix"])
def test_postfix_has_nothing_against_the_documented_configuration(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    instance: Postfix = request.getfixturevalue(fixture)
    assert "" == instance.complaints()
    start, started, _ = instance.log().partition("daemon started")
    assert started
    assert "warning:" not in start
