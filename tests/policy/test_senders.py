"""What a recipient's lists make of a sender."""

from dataclasses import replace

import pytest

from lazaret.model.policies import ListEntry, PolicyRow
from lazaret.policy.senders import UNKNOWN, Evidence, Senders, Standing, standing

ANN = PolicyRow(1, "ann@home.example", 8)
HOME = PolicyRow(2, "@home.example", 5)
ROWS = (ANN, HOME)
FRIEND = Senders("bounce@list.example", ("friend@out.example",))
NOTHING = Evidence()
SIGNED = Evidence(frozenset({"DKIM_VALID_AU"}))


def entry(key: str, wb: str, *, of: PolicyRow = ANN, priority: int = 5, sender: int = 0) -> ListEntry:
    return ListEntry(of.user, of.key, sender or hash(key), key, priority, wb, ours=True)


def say(*entries: ListEntry, evidence: Evidence = NOTHING, senders: Senders = FRIEND) -> Standing:
    return standing(ROWS, entries, senders, evidence, now=1000.0)


def test_without_entries_a_sender_is_unknown():
    assert UNKNOWN == say()
    assert UNKNOWN == say(entry("@else.example", "W"))


@pytest.mark.parametrize("key", ["friend@out.example", "@out.example", "@.out.example", "@.example", "@."])
def test_an_author_who_signed_is_allowed_by_address_domain_and_all_above(key: str):
    found = say(entry(key, "W"), evidence=SIGNED)
    assert (True, False, 0.0) == (found.allowed, found.blocked, found.points)
    assert "the list of ann@home.example allows" in found.reason


def test_a_domain_does_not_hold_for_what_is_below_it():
    below = Senders("", ("friend@sub.out.example",))
    assert UNKNOWN == say(entry("@out.example", "B"), senders=below)
    assert say(entry("@.out.example", "B"), senders=below).blocked


def test_who_proves_nothing_gets_three_points_off_at_most():
    found = say(entry("friend@out.example", "W"), entry("@list.example", "W"))
    assert (False, -3.0) == (found.allowed, found.points)
    assert "nothing proves" in found.reason
    assert ("AM.WBL", -3.0) == (found.hits[0].symbol, found.hits[0].score)


@pytest.mark.parametrize(
    ("symbol", "address", "allowed"),
    [
        ("DKIM_VALID_AU", "friend@out.example", True),
        ("DMARC_PASS", "friend@out.example", True),
        ("SPF_PASS", "friend@out.example", False),
        ("SPF_PASS", "bounce@list.example", True),
        ("DKIM_VALID_EF", "bounce@list.example", True),
        ("DKIM_VALID_AU", "bounce@list.example", False),
        ("DKIM_VALID", "friend@out.example", False),
    ],
)
def test_a_proof_counts_for_the_address_that_it_proves(symbol: str, address: str, allowed: bool):
    found = say(entry(address, "W"), evidence=Evidence(frozenset({symbol})))
    assert allowed == found.allowed


def test_the_signature_of_one_author_proves_nothing_of_another():
    two = Senders("", ("friend@out.example", "bad@evil.example"))
    assert not say(entry("friend@out.example", "W"), evidence=SIGNED, senders=two).allowed


@pytest.mark.parametrize(("ip", "allowed"), [("192.0.2.7", True), ("198.51.100.7", False), ("", False)])
def test_a_pinned_network_is_a_proof(ip: str, allowed: bool):
    pinned = replace(entry("friend@out.example", "W"), networks=("192.0.2.0/24",))
    found = say(pinned, evidence=Evidence(client_ip=ip))
    assert (allowed, 0.0 if allowed else -3.0) == (found.allowed, found.points)


def test_networks_that_are_none_prove_nothing():
    pinned = replace(entry("friend@out.example", "W"), networks=("everywhere",))
    assert not say(pinned, evidence=Evidence(client_ip="192.0.2.7")).allowed


def test_a_message_that_was_not_examined_to_its_end_proves_nothing():
    assert not say(entry("@.", "W"), evidence=replace(SIGNED, whole=False)).allowed


@pytest.mark.parametrize("letter", ["B", "b", "N", "F"])
def test_a_block_needs_no_proof(letter: str):
    found = say(entry("@out.example", letter))
    assert (True, "the list of ann@home.example blocks friend@out.example (out.example)") == (
        found.blocked,
        found.reason,
    )


def test_who_is_allowed_in_truth_is_not_blocked_by_another_of_his_addresses():
    found = say(entry("friend@out.example", "W"), entry("@list.example", "B"), evidence=SIGNED)
    assert (True, False) == (found.allowed, found.blocked)


def test_an_unproven_allow_does_not_lift_a_block():
    assert say(entry("friend@out.example", "W"), entry("@list.example", "B")).blocked


def test_the_most_specific_entry_of_a_list_counts():
    assert say(entry("friend@out.example", "B", priority=8), entry("@out.example", "W")).blocked


def test_of_equal_priorities_the_more_specific_key_counts():
    assert say(entry("friend@out.example", "B"), entry("@out.example", "W"), evidence=SIGNED).blocked


def test_the_more_specific_recipients_list_counts():
    found = say(entry("@out.example", "W"), entry("@out.example", "B", of=HOME), evidence=SIGNED)
    assert found.allowed


def test_a_blank_entry_ends_the_search():
    assert UNKNOWN == say(entry("@out.example", " "), entry("@out.example", "B", of=HOME))


def test_what_is_no_word_of_a_list_allows_as_in_amavis():
    assert say(entry("friend@out.example", "1x\0\0"), evidence=SIGNED).allowed
    assert -1.5 == say(entry("friend@out.example", "-1.5\0\0")).points


def test_points_add_up_and_the_search_goes_on():
    found = say(entry("@out.example", "+1.5"), entry("@out.example", "2", of=HOME))
    assert 3.5 == found.points


def test_points_go_on_to_a_block():
    assert say(entry("@out.example", "-1"), entry("@out.example", "B", of=HOME)).blocked


def test_an_entry_that_two_addresses_match_counts_once():
    both = Senders("a@out.example", ("b@out.example",))
    assert 2.0 == say(entry("@out.example", "2"), senders=both).points


def test_points_off_are_bounded_without_a_proof():
    assert -3.0 == say(entry("friend@out.example", "-50")).points
    assert -50.0 == say(entry("friend@out.example", "-50"), evidence=SIGNED).points


def test_an_entry_of_another_program_counts_as_in_amavis_where_that_is_wanted():
    theirs = replace(entry("friend@out.example", "W"), ours=False)
    soft = replace(entry("friend@out.example", "-50"), ours=False)
    assert not say(theirs).allowed
    assert standing(ROWS, [theirs], FRIEND, NOTHING, now=0.0, trust_others=True).allowed
    assert -50.0 == standing(ROWS, [soft], FRIEND, NOTHING, now=0.0, trust_others=True).points


def test_our_own_entry_wants_a_proof_even_then():
    ours = entry("friend@out.example", "W")
    assert not standing(ROWS, [ours], FRIEND, NOTHING, now=0.0, trust_others=True).allowed


def test_an_entry_ends_when_it_expires():
    assert say(replace(entry("@out.example", "B"), expires=1001)).blocked
    assert UNKNOWN == say(replace(entry("@out.example", "B"), expires=1000))


def test_a_senders_extension_is_looked_up_without_it():
    senders = Senders("", ("friend+news@out.example",), "+")
    assert say(entry("friend@out.example", "B"), senders=senders).blocked
