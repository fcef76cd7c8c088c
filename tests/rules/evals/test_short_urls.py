"""Links over a service that shortens them."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]
Values = Callable[..., dict[str, float]]

SETTINGS = {"url_shortener": ("tiny.com .page.link",), "url_shortener_get": ("short.ly",)}


@pytest.mark.parametrize(
    ("expected", "link"),
    [
        (True, b"http://tiny.com/abc"),
        (True, b"http://www.tiny.com/abc"),
        (True, b"http://me.page.link/abc"),
        (True, b"http://short.ly/a"),
        (False, b"http://tiny.com/"),
        (False, b"http://a.tiny.com/abc"),
        (False, b"http://nottiny.com/abc"),
    ],
)
def test_only_the_services_named_are_seen(call: Call, expected: bool, link: bytes) -> None:
    assert expected == bool(call(b"Subject: s\n\nsee " + link + b"\n", "short_url", settings=SETTINGS))


def test_the_list_can_be_emptied(values: Values) -> None:
    rules = "body X eval:short_url()\nurl_shortener tiny.com\n"
    assert "X" in values(rules, "http://tiny.com/abc\n")
    assert "X" not in values(rules + "clear_url_shortener\n", "http://tiny.com/abc\n")


def test_single_services_can_be_taken_from_the_list(values: Values) -> None:
    rules = "body X eval:short_url()\nurl_shortener tiny.com short.ly\nclear_url_shortener TINY.com\n"
    assert "X" not in values(rules, "http://tiny.com/abc\n")
    assert "X" in values(rules, "http://short.ly/abc\n")
