"""Links that show another address than the one they lead to, or hide it."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]

PAGE = b"Content-Type: text/html\n\n<html><body>%s</body></html>\n"
LINK = b'<a href="%s">%s</a>'


@pytest.mark.parametrize(
    ("expected", "target", "text"),
    [
        (True, b"http://evil.com/", b"https://bank.org/"),
        (False, b"http://www.bank.org/", b"https://bank.org/"),
        (False, b"http://evil.com/", b"http://bank.org/"),
        (False, b"http://192.0.2.1/", b"https://bank.org/"),
    ],
)
def test_https_in_the_text_should_be_where_it_leads(
    call: Call, expected: bool, target: bytes, text: bytes
) -> None:
    raw = PAGE % (LINK % (target, text))
    assert expected == bool(call(raw, "check_https_http_mismatch", "1", "10"))
    assert not call(raw, "check_https_http_mismatch", "2", "10")


def test_a_bare_address_under_an_https_text_is_seen(call: Call) -> None:
    assert call(PAGE % (LINK % (b"http://192.0.2.1/", b"https://bank.org/")), "check_https_ip_mismatch")
    assert not call(PAGE % (LINK % (b"http://192.0.2.1/", b"bank.org")), "check_https_ip_mismatch")


def test_a_redirection_to_another_site_is_seen(call: Call) -> None:
    raw = PAGE % (LINK % (b"http://go.one.com/?u=http://two.org/x", b"x"))
    assert "one.com to two.org" == call(raw, "check_for_http_redirector")
    raw = PAGE % (LINK % (b"http://go.one.com/?u=http://www.one.com/x", b"x"))
    assert "" == call(raw, "check_for_http_redirector")


def test_an_endless_address_is_seen(call: Call) -> None:
    assert call(PAGE % (LINK % (b"http://a.com/" + b"x" * 9000, b"x")), "check_uri_truncated")
    assert not call(PAGE % (LINK % (b"http://a.com/", b"x")), "check_uri_truncated")
