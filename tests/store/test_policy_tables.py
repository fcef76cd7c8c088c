"""Policies and lists as people change them, on every kind of database."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from lazaret.model.errors import UserError
from lazaret.model.policies import NewEntry
from lazaret.policy.keys import keys, lies_within
from lazaret.store.opening import Store

from .conftest import Place

T = TypeVar("T")
ANN, BOB, HOME = "ann@home.example", "bob@home.example", "@home.example"


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def number(store: Store) -> int:
    return run(store.policies.state()).number


def test_a_change_is_for_one_alone_and_every_process_hears_of_it(store: Store) -> None:
    before = number(store)
    run(store.policy_tables.change_named("strict", {"spam_kill_level": 4.5, "spam_lover": "Y"}))
    for key in (ANN, BOB):
        run(store.policy_tables.change(key, {}, local=None, policy="strict"))
    row = run(store.policy_tables.change(ANN, {"spam_kill_level": 6.5}, local=False))

    assert before + 4 == number(store)
    assert (8, ANN, False, {"spam_kill_level": 6.5, "spam_lover": "Y"}) == (
        *(row.priority, row.name, row.local, row.values),
    )
    (bob,) = run(store.policies.rows([BOB], [])).rows
    assert ("strict", 4.5) == (bob.name, bob.values["spam_kill_level"])
    assert {("strict", 1), (ANN, 1), ("(lists only)", 0)} == {
        (one.name, one.users) for one in run(store.policy_tables.named())
    }
    again = run(store.policy_tables.change(ANN, {"spam_tag2_level": 1.25}, local=None))
    assert row.policy == again.policy


def test_marks_before_subjects_are_known_each_once(store: Store) -> None:
    run(store.policy_tables.change_named("strict", {"spam_subject_tag2": "[S] ", "spam_subject_tag3": "[T]"}))
    run(store.policy_tables.change_named("mild", {"spam_subject_tag2": "[S] ", "spam_subject_tag": ""}))

    assert ["[S] ", "[T]"] == run(store.policy_tables.subject_tags())


def test_columns_that_mean_nothing_to_us_are_copied_too(store: Store, place: Place) -> None:
    run(store.policy_tables.change_named("strict", {"spam_kill_level": 4.5}))
    place.execute("UPDATE policy SET spam_admin = 'root@home.example'")
    run(store.policy_tables.change(ANN, {"spam_tag2_level": 2.0}, local=None, policy="strict"))
    (row,) = run(store.policy_tables.find([ANN]))
    assert "root@home.example" == row.values["spam_admin"]


def test_settings_are_taken_back_one_by_one_or_all(store: Store) -> None:
    tables = store.policy_tables
    run(tables.change(ANN, {"spam_kill_level": 6.5, "spam_tag2_level": 2.0}, local=True))
    assert run(tables.reset(ANN, ["spam_tag2_level"], local=True))
    (row,) = run(tables.find([ANN]))
    assert (None, {"spam_kill_level": 6.5}) == (row.local, row.values)
    assert run(tables.remove(ANN))
    assert [] == run(tables.find([ANN]))
    assert ["(lists only)"] == [one.name for one in run(tables.named())]
    assert not run(tables.remove(ANN))
    assert not run(tables.reset(ANN, ["spam_tag2_level"], local=False))


def test_pages_are_in_the_order_of_the_keys(store: Store) -> None:
    for key in (BOB, "@.", HOME, ANN):
        run(store.policy_tables.change(key, {"spam_kill_level": 6.0}, local=None))
    first = run(store.policy_tables.page(limit=3))
    assert ["@.", HOME, ANN] == [row.key for row in first]
    assert [BOB] == [row.key for row in run(store.policy_tables.page(limit=3, after=first[-1].key))]


def test_a_policy_that_is_not_there_cannot_be_given(store: Store) -> None:
    with pytest.raises(UserError, match="there is no policy"):
        run(store.policy_tables.change(ANN, {}, local=None, policy="nowhere"))
    assert [] == run(store.policy_tables.find([ANN]))


def test_an_entry_is_found_by_the_filter_with_all_that_was_said(store: Store) -> None:
    entry = NewEntry(HOME, "f@out.example", "W", ("192.0.2.0/24", "2001:db8::/32"), 4_000_000_000, "a note")
    (written,) = run(store.sender_lists.add([entry], who="cli:test"))
    (found,) = run(store.policies.rows(keys(ANN), keys("F@out.example"))).entries

    assert written == found
    assert (HOME, "f@out.example", "W", True) == (found.owner, found.key, found.wb, found.ours)
    assert (entry.networks, entry.expires, entry.note) == (found.networks, found.expires, found.note)
    assert ("cli:test", True) == (found.who, abs(found.since - time.time()) < 60)


def test_pages_of_lists_are_of_one_kind_and_one_owner(store: Store) -> None:
    lists = store.sender_lists
    wbs = {"a@x.example": "W", "b@x.example": "B", "c@x.example": "-2", "d_x@x.example": "+1.5"}
    run(lists.add([NewEntry("@.", key, wb) for key, wb in wbs.items()], who="t"))
    run(lists.add([NewEntry(ANN, "e@x.example", "B")], who="t"))

    def keys_of(**how: Any) -> list[str]:
        return [entry.key for entry in run(lists.page(limit=10, **how))]

    assert ["a@x.example", "c@x.example"] == keys_of(allow=True)
    assert ["b@x.example", "d_x@x.example", "e@x.example"] == keys_of(allow=False)
    assert ["e@x.example"] == keys_of(allow=None, owner=ANN)
    assert ["d_x@x.example"] == keys_of(allow=None, containing="D_X")
    first = run(lists.page(allow=None, limit=3))
    rest = run(lists.page(allow=None, limit=3, after=(first[-1].user, first[-1].sender)))
    assert 5 == len({(entry.user, entry.sender) for entry in [*first, *rest]})


def test_what_has_expired_is_removed_unless_another_program_has_written_there(
    store: Store, place: Place
) -> None:
    lists = store.sender_lists
    entries = [NewEntry("@.", f"{name}@x.example", "W", (), 1000) for name in ("gone", "changed")]
    run(lists.add([*entries, NewEntry(ANN, "stays@x.example", "W", (), 1001)], who="t"))
    place.execute(
        "UPDATE wblist SET wb = 'B' WHERE sid IN (SELECT id FROM mailaddr WHERE email = 'changed@x.example')"
    )
    assert 2 == run(lists.expire(1000.0))
    assert {"changed@x.example": False, "stays@x.example": True} == {
        entry.key: entry.ours for entry in run(lists.page(allow=None, limit=10))
    }


def test_an_entry_is_removed_from_the_list_that_it_is_on(store: Store) -> None:
    lists = store.sender_lists
    run(lists.add([NewEntry(owner, "f@x.example", "B") for owner in ("@.", ANN)], who="t"))
    assert [] == run(lists.remove([(ANN, "f@x.example")], allow=True))
    assert [ANN] == [entry.owner for entry in run(lists.remove([(ANN, "f@x.example")], allow=False))]
    assert ["@."] == [entry.owner for entry in run(lists.page(allow=None, limit=10))]
    assert ["@."] == [row.key for row in run(store.policy_tables.page(limit=10))]


def test_policies_are_listed_for_whoever_has_some_domains(store: Store) -> None:
    """As `lies_within` says, which the pages ask before a change."""
    mine = ("home.example", ".tree_x.example")
    written = [
        *("@home.example", ANN, "@tree_x.example", "@.tree_x.example", "a@b.tree_x.example"),
        *("@.b.tree_x.example", "@.", "@.home.example", "a@sub.home.example", "a@nothome.example"),
        *("@.example", "a@treeyx.example", "ann", "@xtree_x.example", "tree_x.example"),
    ]
    for key in written:
        run(store.policy_tables.change(key, {"spam_kill_level": 5.0}, local=None))
    found = [row.key for row in run(store.policy_tables.page(limit=100, within=mine))]

    assert sorted(key for key in written if lies_within(key, mine)) == sorted(found)
    assert found[1:3] == [r.key for r in run(store.policy_tables.page(limit=2, after=found[0], within=mine))]
    assert [] == run(store.policy_tables.page(limit=100, within=()))


def test_who_changed_a_policy_is_found_among_all_acts(store: Store) -> None:
    for who, act, detail in (
        ("a", "policy set", f"{ANN}: mark=2"),
        ("b", "policy set", f"x{ANN}: mark=3"),
        ("c", "policy unset", f"{ANN}: all"),
        ("d", "allow add", f"{ANN}: W"),
        ("e", "policy set", 'policy "50%": mark=1'),
        ("f", "policy set", 'policy "50x": mark=1'),
    ):
        run(store.audit.write(who, act, "", detail))

    def changes(*about: str, limit: int = 9) -> list[str]:
        return [one.who for one in run(store.policy_tables.changes(about, limit=limit))]

    assert ["c", "a"] == changes(ANN)
    assert ["e", "c"] == changes(ANN, 'policy "50%"', limit=2)
    assert [] == changes()
