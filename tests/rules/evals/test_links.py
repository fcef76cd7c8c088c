"""Links that are not what they look like."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]

HTML = b"From: a@shop.com\nContent-Type: text/html\n\n<p>%s</p>\n"


@pytest.mark.parametrize(
    ("expected", "anchor"),
    [
        ("bank.com leads to evil.org", b'<a href="http://evil.org/x">https://www.bank.com/login</a>'),
        ("bank.com leads to evil.org", b'<a href="http://evil.org/x"> www.bank.com </a>'),
        ("bank.com leads to evil.org", b'<a href="https://u@login.evil.org:80/bank.com">bank.com/login</a>'),
        ("", b'<a href="http://mail.bank.com/x">www.bank.com</a>'),
        ("", b'<a href="http://evil.org/x">our bank</a>'),
        ("", b'<a href="http://evil.org/x">me@bank.com</a>'),
        ("", b'<a href="mailto:x@evil.org">www.bank.com</a>'),
        ("", b'<a href="http://">www.bank.com</a>'),
    ],
)
def test_a_text_that_shows_another_host_is_seen(call: Call, expected: str, anchor: bytes) -> None:
    assert expected == call(HTML % anchor, "lz_link_text_mismatch")


def test_different_domains_of_links_are_counted(call: Call) -> None:
    raw = HTML % b'<a href="http://a.com">x</a> <a href="http://b.com">x</a> <a href="http://w.b.com">y</a>'
    assert call(raw, "lz_link_domains", "2", "2")
    assert not call(raw, "lz_link_domains", "3", "9")
    assert call(HTML % b"no link, but see c.com", "lz_link_domains", "0", "0")


def test_links_may_lead_to_the_sender(call: Call) -> None:
    assert call(HTML % b'<a href="http://www.shop.com">x</a>', "lz_links_share_sender")
    assert not call(HTML % b'<a href="http://www.shop.org">x</a>', "lz_links_share_sender")
