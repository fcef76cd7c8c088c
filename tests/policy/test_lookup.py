"""Which policy holds for whom."""

import pytest

from lazaret.model.verdict import Policy
from lazaret.policy.lookup import AddressSet, Lookup


@pytest.mark.parametrize(
    ("pattern", "address", "named"),
    [
        ("postmaster@", "Postmaster@any.example", True),
        ("postmaster@", "postmaster2@any.example", False),
        ("a@b.example", "A@B.EXAMPLE", True),
        ("a@b.example", "a@sub.b.example", False),
        ("@b.example", "x@b.example", True),
        ("@b.example", "x@sub.b.example", False),
        ("@.b.example", "x@b.example", True),
        ("@.b.example", "x@deep.sub.b.example", True),
        ("@.b.example", "x@notb.example", False),
    ],
)
def test_a_pattern_names_addresses(pattern: str, address: str, named: bool):
    assert named == (address in AddressSet([pattern]))


def test_without_local_domains_every_recipient_is_local():
    assert Lookup(Policy()).policy_for("x@anywhere.example").local


def test_only_local_domains_are_local():
    lookup = Lookup(Policy(), local_domains=["here.example", ".tree.example"])
    local = {a: lookup.policy_for(a).local for a in ("a@here.example", "a@x.tree.example", "a@else.example")}
    assert {"a@here.example": True, "a@x.tree.example": True, "a@else.example": False} == local


def test_the_null_sender_is_nobodys():
    assert not Lookup(Policy()).is_local("")


def test_always_deliver_is_part_of_the_policy():
    lookup = Lookup(Policy(), always_deliver=["postmaster@"])
    assert lookup.policy_for("postmaster@x.example").always_deliver
    assert not lookup.policy_for("a@x.example").always_deliver
