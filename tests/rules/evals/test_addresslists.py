"""Welcome and block lists of senders and recipients."""

from collections.abc import Callable

import pytest

Call = Callable[..., float | str]
Values = Callable[..., dict[str, float]]

RELAY = (
    b"Received: from %s (%s [%s]) by mx.our.org (Postfix) with ESMTP id 1; Mon, 1 Jul 2024 12:00:00 +0000\n"
)
MAIL = RELAY % (b"out.list.org", b"out.list.org", b"198.51.100.7") + b"From: Ann <ann@list.org>\n\n\n"


def test_a_sender_is_found_by_star_and_question_mark(call: Call) -> None:
    def blocked(*entries: str) -> object:
        return call(MAIL, "check_from_in_blocklist", settings={"blocklist_from": entries})

    assert "ann@list.org" == blocked("a@b.org *@LIST.org")
    assert "ann@list.org" == blocked("a?n@list.*")
    assert not blocked("*@list.net", "ann@listXorg")
    assert not blocked()


def test_who_sent_a_message_on_counts_as_its_sender(call: Call) -> None:
    raw = b"Resent-From: bob@else.org\n" + MAIL
    assert "bob@else.org" == call(
        raw, "check_from_in_blocklist", settings={"blocklist_from": ("*@else.org",)}
    )
    assert not call(raw, "check_from_in_blocklist", settings={"blocklist_from": ("*@list.org",)})


@pytest.mark.parametrize(
    ("expected", "relay"),
    [
        (True, "list.org"),
        (True, "out.list.org"),
        (False, "ut.list.org"),
        (True, "[198.51.100.7]"),
        (True, "[198.51.100]"),
        (True, "[198.51.100.0/24]"),
        (True, "[198.51.100.0]/24"),
        (False, "[198.51.101.0/24]"),
        (False, "[2001:db8::/32]"),
        (False, "[nonsense]"),
    ],
)
def test_a_sender_may_be_bound_to_a_relay(call: Call, expected: bool, relay: str) -> None:
    settings = {"welcomelist_from_rcvd": (f"*@list.org {relay}",)}
    assert expected == bool(call(MAIL, "check_from_in_welcomelist", settings=settings))
    assert expected != bool(call(MAIL, "check_forged_in_welcomelist", settings=settings))


def test_a_forged_sender_may_be_excused(call: Call) -> None:
    settings = {"welcomelist_from_rcvd": ("*@list.org else.org",), "welcomelist_allows_relays": ("ann@*",)}
    assert not call(MAIL, "check_forged_in_welcomelist", settings=settings)
    assert call(
        MAIL, "check_forged_in_default_welcomelist", settings={"def_welcomelist_from_rcvd": ("*@* a.org",)}
    )


def test_recipients_of_the_envelope_count(call: Call) -> None:
    settings = {"more_spam_to": ("postmaster@*",)}
    assert not call(MAIL, "check_to_in_more_spam", settings=settings)
    found = call(MAIL, "check_to_in_more_spam", settings=settings, recipients=("postmaster@our.org",))
    assert "postmaster@our.org" == found
    assert call(b"Delivered-To: postmaster@our.org\n\n", "check_to_in_more_spam", settings=settings)


def test_lists_have_names(call: Call) -> None:
    settings = {"enlist_addrlist": ("(BANKS) *@bank.org", "(SHOPS) *@shop.org")}
    raw = b"From: a@bank.org\nReply-To: b@shop.org\nTo: c@bank.org\n\n\n"
    assert "a@bank.org" == call(raw, "check_from_in_list", "BANKS", settings=settings)
    assert not call(raw, "check_from_in_list", "SHOPS", settings=settings)
    assert "b@shop.org" == call(raw, "check_replyto_in_list", "SHOPS", settings=settings)
    assert "c@bank.org" == call(raw, "check_to_in_list", "BANKS", settings=settings)
    assert not call(raw, "check_to_in_list", "OTHERS", settings=settings)


def test_the_envelope_sender_may_be_of_the_relay(call: Call) -> None:
    assert call(b"X-Envelope-From: ann@list.org\n" + MAIL, "check_mailfrom_matches_rcvd")
    assert not call(b"X-Envelope-From: ann@else.org\n" + MAIL, "check_mailfrom_matches_rcvd")
    assert not call(MAIL, "check_mailfrom_matches_rcvd")


def test_old_names_and_entries_taken_back_count(values: Values) -> None:
    rule = "header X eval:check_from_in_blacklist()\n"
    assert "X" in values(rule + "blacklist_from a@b.org c@d.org", From="a@b.org")
    assert "X" in values(rule + "enlist_addrlist (blacklist_from) a@b.org", From="a@b.org")
    assert "X" not in values(
        rule + "blocklist_from a@b.org c@d.org\nunblacklist_from A@b.org", From="a@b.org"
    )
    assert "X" in values(rule + "blocklist_from a@b.org c@d.org\nunblocklist_from A@b.org", From="c@d.org")


def test_an_entry_with_a_relay_is_taken_back_whole(values: Values) -> None:
    rules = "header X eval:check_forged_in_whitelist()\nwhitelist_from_rcvd *@b.org c.org\n"
    received = RELAY.decode().partition(": ")[2].strip() % ("a", "a.net", "198.51.100.7")
    assert "X" in values(rules, From="a@b.org", Received=received)
    assert "X" not in values(rules + "unwhitelist_from_rcvd *@B.org", From="a@b.org", Received=received)


def test_a_list_of_many_stars_is_matched_quickly(call: Call) -> None:
    settings = {"blocklist_from": ("*" * 50 + "a" + "*" * 50 + "b@*",)}
    assert not call(b"From: " + b"a" * 4000 + b"@c.org\n\n", "check_from_in_blocklist", settings=settings)
