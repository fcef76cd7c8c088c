"""Texts that must have a form: domains, recipients, host names, database URLs, log targets."""

import pytest

from lazaret.config import words
from lazaret.config.problems import Unfit
from lazaret.config.words import claimed_role, keep_rule, write_claimed_role, write_keep_rule
from lazaret.model.identity import ClaimedRole
from lazaret.model.keeping import KeepRule
from lazaret.model.person import Role
from lazaret.model.verdict import Category


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Example.ORG", "example.org"),
        (".example.org", ".example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_domain_is_kept_in_lower_case_ascii(text, kept):
    assert kept == words.domain(text)


@pytest.mark.parametrize("text", ["", ".", "a@example.org", "exa mple.org", "a..b"])
def test_what_is_no_domain_is_refused(text):
    with pytest.raises(Unfit):
        words.domain(text)


@pytest.mark.parametrize("text", ["postmaster@", "a@example.org", "@example.org", "@.example.org"])
def test_recipients_may_be_a_name_an_address_or_a_domain(text):
    assert text == words.recipient_pattern(text)


@pytest.mark.parametrize("text", ["", "@", "postmaster", "example.org", "a b@"])
def test_what_names_no_recipient_is_refused(text):
    with pytest.raises(Unfit):
        words.recipient_pattern(text)


@pytest.mark.parametrize("text", ["mail.example.org", "mx1", ""])
def test_a_host_name_is_taken(text):
    assert text == words.host_name(text)


@pytest.mark.parametrize("text", ["mail example", "mail.example.org.-", "a\u00e9"])
def test_what_is_no_host_name_is_refused(text):
    with pytest.raises(Unfit):
        words.host_name(text)


@pytest.mark.parametrize(
    "text", ["sqlite:///lazaret.db", "sqlite:////srv/a.db", "mysql://u@h/db", "postgresql://u@h:5432/db"]
)
def test_a_database_url_is_taken(text):
    assert text == words.database_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lazaret.db",
        "sqlite://",
        "sqlite:///",
        "sqlite://a/b",
        "sqlite:///:memory:",
        "mysql://h",
        "ftp://h/db",
        "mysql://h:0x/db",
    ],
)
def test_what_is_no_database_url_is_refused(text):
    with pytest.raises(Unfit):
        words.database_url(text)


@pytest.mark.parametrize("text", ["stderr", "syslog:mail", "syslog:local7", "./a", "/var/log/lazaret.log"])
def test_a_log_target_is_taken(text):
    assert text == words.log_target(text)


@pytest.mark.parametrize("text", ["", "sterr", "stdout", "syslog", "syslog:mial", "lazaret.log"])
def test_a_typing_mistake_does_not_become_a_log_file(text):
    with pytest.raises(Unfit):
        words.log_target(text)


@pytest.mark.parametrize("url", ["https://q.example.org", "http://[::1]:8025", "https://a.example:8443/x/y"])
def test_the_address_of_the_page_is_taken(url):
    assert url == words.web_url(url)


@pytest.mark.parametrize(
    "url", ["q.example.org", "https://q.example.org/", "ftp://q", "https://a b", "https://q/?x", "https://"]
)
def test_what_is_no_address_of_a_page_is_refused(url):
    with pytest.raises(Unfit, match="no address of a page"):
        words.web_url(url)


def test_a_time_zone_is_one_that_the_machine_knows():
    assert ["", "Europe/Berlin"] == [words.time_zone(zone) for zone in ("", "Europe/Berlin")]
    for zone in ("Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe"):
        with pytest.raises(Unfit, match="knows no time zone"):
            words.time_zone(zone)


def test_a_language_is_one_that_there_are_texts_in():
    assert ["de", "en"] == [words.language(code) for code in ("de", "en")]
    with pytest.raises(Unfit, match='write "de" or "en"'):
        words.language("fr")


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("virus 7", KeepRule(7, category=Category.VIRUS)),
        ("killed  3", KeepRule(3, killed=True)),
        (".Example.ORG bad-header 60", KeepRule(60, domain=".example.org", category=Category.BAD_HEADER)),
    ],
)
def test_a_rule_says_what_is_kept_for_how_many_days(written: str, rule: KeepRule):
    assert rule == keep_rule(written) == keep_rule(write_keep_rule(rule))


@pytest.mark.parametrize(
    "written", ["", "7", "virus", "virus 0", "virus 7 days", "viruses 7", "virus spam 7"]
)
def test_what_is_no_such_rule_is_refused(written: str):
    with pytest.raises(Unfit):
        keep_rule(written)


@pytest.mark.parametrize(
    ("written", "role"),
    [
        ("mail-admins: admin", ClaimedRole("mail-admins", Role.ADMIN)),
        ("urn:x:audit:auditor", ClaimedRole("urn:x:audit", Role.AUDITOR)),
        (
            "Mail hosting: domain-admin Example.org .example.net",
            ClaimedRole("Mail hosting", Role.DOMAIN_ADMIN, ("example.org", ".example.net")),
        ),
    ],
)
def test_a_value_of_a_claim_makes_somebody_more(written: str, role: ClaimedRole):
    assert role == claimed_role(written) == claimed_role(write_claimed_role(role))


@pytest.mark.parametrize(
    "written",
    [
        "",
        "admin",
        ": admin",
        "x:",
        "x: user",
        "x: root",
        "x: admin example.org",
        "x: domain-admin",
        "x: ADMIN",
    ],
)
def test_what_makes_nobody_anything_is_refused(written: str):
    with pytest.raises(Unfit):
        claimed_role(written)
