"""Rules over all that is known of one link at a time."""

from collections.abc import Callable

import pytest

from lazaret.rules import RuleSet

Values = Callable[..., dict[str, float]]
Rules = Callable[[str], RuleSet]

BODY = '<html><a href="http://shop.evil.com/Login">Your Bank</a> <img src="http://pics.org/1.png"></html>'


@pytest.mark.parametrize(
    ("expected", "conditions"),
    [
        (True, "text =~ /your bank/i domain !~ /bank/"),
        (False, "text =~ /your bank/"),
        (True, "raw =~ m!/Login$!"),
        (True, "type =~ /^img$/ host =~ /^pics/"),
        (False, "type =~ /^img$/ host =~ /^shop/"),
        (True, "cleaned =~ /evil/"),
    ],
)
def test_all_conditions_hold_for_one_link(values: Values, expected: bool, conditions: str) -> None:
    fields = {"MIME_Version": "1.0", "Content_Type": "text/html"}
    assert expected == ("X" in values(f"uri_detail X {conditions}\n", BODY, **fields))


@pytest.mark.parametrize("conditions", ["colour =~ /x/", "nothing", "text =~ x"])
def test_what_is_no_condition_is_a_problem(rules: Rules, conditions: str) -> None:
    assert any("uri_detail" in problem.text for problem in rules(f"uri_detail X {conditions}\n").problems)
