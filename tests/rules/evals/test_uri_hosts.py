"""Hosts of links on lists of the configuration."""

from collections.abc import Callable

Call = Callable[..., float | str]
Values = Callable[..., dict[str, float]]

MAIL = b"Subject: s\n\nsee http://www.shop.evil.com/x and mailto:a@mail.org\n"


def test_a_host_and_the_domains_above_it_are_looked_up(call: Call) -> None:
    def listed(*lines: str) -> object:
        return call(MAIL, "check_uri_host_listed", "ONE", settings={"enlist_uri_host": lines})

    assert "www.shop.evil.com" == listed("(ONE) evil.com")
    assert "www.shop.evil.com" == listed("(ONE) other.org WWW.shop.evil.com")
    assert not listed("(TWO) evil.com")
    assert not listed("(ONE) il.com")
    assert not listed("(ONE) evil.com !shop.evil.com")
    assert not listed("(ONE) mail.org")
    assert not listed()


def test_lists_have_short_words_and_hosts_can_be_taken_out(values: Values) -> None:
    rule = "header B eval:check_uri_host_in_blacklist()\nheader W eval:check_uri_host_in_welcomelist()\n"
    body = "see http://www.evil.com/x\n"
    assert {"B"} == values(rule + "blacklist_uri_host evil.com", body).keys()
    assert {"W"} == values(rule + "whitelist_uri_host evil.com", body).keys()
    assert (
        set() == values(rule + "blocklist_uri_host evil.com\ndelist_uri_host (BLOCK) evil.com", body).keys()
    )
    assert set() == values(rule + "blocklist_uri_host evil.com\ndelist_uri_host evil.com", body).keys()
    assert {"B"} == values(
        rule + "blocklist_uri_host evil.com\ndelist_uri_host (WELCOME) evil.com", body
    ).keys()
