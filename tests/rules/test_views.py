"""Which texts a rule searches."""

from collections.abc import Callable

import pytest

from lazaret.rules import views

Values = Callable[..., dict[str, float]]

BODY = (
    "--b\nContent-Type: text/plain\nX-One: 1\n\nhello\n--b\nContent-Type: text/html\n\n<p>hello</p>\n--b--\n"
)
FIELDS = {"MIME_Version": "1.0", "Content_Type": "multipart/alternative; boundary=b"}


@pytest.mark.parametrize(
    ("expected", "flags"),
    [
        (True, "multiple"),
        (False, "range=1"),
        (True, "range=2"),
        (True, "range=2-3"),
        (False, "range=3-"),
        (True, "range=-2"),
        (True, "range=nonsense"),
    ],
)
def test_mimeheader_rules_may_look_at_some_parts(values: Values, expected: bool, flags: str) -> None:
    rule = f"mimeheader X Content-Type =~ /plain/\ntflags X {flags}\n"
    assert expected == ("X" in values(rule, BODY, **FIELDS))


@pytest.mark.parametrize(
    ("expected", "flags"), [(False, "multiple"), (True, "concat"), (True, "range=2-3 concat")]
)
def test_mimeheader_rules_may_see_the_parts_as_one(values: Values, expected: bool, flags: str) -> None:
    rule = f"mimeheader X Content-Type =~ /plain\\ntext.html/\ntflags X {flags}\n"
    assert expected == ("X" in values(rule, BODY, **FIELDS))


def test_parts_as_one_have_a_line_for_each_that_lacks_the_field(values: Values) -> None:
    rule = "mimeheader X Content-Id =~ /^\\n\\n/\ntflags X concat\n"
    assert "X" in values(rule, BODY, **FIELDS)


def test_the_domains_of_senders_are_fields_of_their_own(values: Values) -> None:
    rules = "header X X-AuthorDomain =~ /^xn--mnchen-3ya\\.de$/\nheader Y X-SenderDomain =~ /^b\\.org$/\n"
    assert {"X"} == values(rules, From="Ann <a@m\u00fcnchen.de>").keys()
    assert {"Y"} == values(rules, Return_Path="<x@b.org>").keys()


def test_a_field_may_stand_in_an_expression(values: Values) -> None:
    rule = "body X m{www\\.%{HEADER(From:addr:domain)}/}\n"
    assert {"X"} == values(rule, "see www.shop.com/x\n", From="a@mail.shop.com").keys()
    assert set() == values(rule, "see www.shopXcom/x\n", From="a@mail.shop.com").keys()
    assert set() == values(rule, "see www.shop.com/x\n").keys()


def test_rules_of_one_field_are_searched_together_however_they_write_its_name(values: Values) -> None:
    rules = "header X X-One =~ /a/\nheader Y x-ONE =~ /b/\nheader Z exists:X-one\nheader N X-oNe !~ /a/\n"
    assert {"X", "Y", "Z"} == values(rules, X_One="ab").keys()
    assert {"N"} == values(rules).keys()
    assert views.alike("X-One:raw") == views.alike("x-one:raw") != views.alike("x-one:addr")
    assert "ToCc" == views.alike("ToCc")
