"""Policies and lists as the filter reads them, out of tables that another program may have made."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from lazaret.model.policies import PoliciesFound, PoliciesState
from lazaret.policy.keys import keys
from lazaret.store.migrations import migrate
from lazaret.store.opening import Store, open_store
from lazaret.store.sqlite import SqliteDatabase

from .conftest import URL

ANN = keys("ann@home.example")


def fill(store: Store, *statements: str) -> None:
    def work(connection: sqlite3.Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    asyncio.run(store.writer.run(work))


def rows(store: Store, recipient: Sequence[str], sender: Sequence[str] = ()) -> PoliciesFound:
    return asyncio.run(store.policies.rows(recipient, sender))


def test_a_new_database_says_that_there_is_nothing(store: Store) -> None:
    assert PoliciesState(0, False, False) == asyncio.run(store.policies.state())


def test_rows_are_found_with_their_policy_and_without_one(store: Store) -> None:
    fill(
        store,
        "INSERT INTO policy (id, policy_name, spam_kill_level, spam_lover) VALUES (7, 'strict', 4.5, 'N')",
        "INSERT INTO users (id, priority, policy_id, email) VALUES (1, 5, 7, '@home.example')",
        "INSERT INTO users (id, priority, policy_id, email, local)"
        " VALUES (2, 8, 99, 'ann@home.example', 'Y')",
        "INSERT INTO users (id, priority, policy_id, email) VALUES (3, 8, 7, 'bob@home.example')",
    )
    domain, person = sorted(rows(store, ANN).rows, key=lambda row: row.user)

    assert ("@home.example", 7, "strict", None) == (domain.key, domain.policy, domain.name, domain.local)
    assert {"spam_kill_level": 4.5, "spam_lover": "N"} == domain.values
    assert (0, "", True, {}) == (person.policy, person.name, person.local, person.values)
    assert PoliciesState(0, True, False) == asyncio.run(store.policies.state())


def test_entries_are_found_for_these_recipients_and_these_senders_alone(store: Store) -> None:
    fill(
        store,
        "INSERT INTO users (id, email) VALUES (1, '@home.example'), (2, 'bob@home.example')",
        "INSERT INTO mailaddr (id, priority, email) VALUES (5, 8, 'f@out.example'), (6, 5, '@else.example')",
        "INSERT INTO wblist (rid, sid, wb) VALUES (1, 5, 'W'), (1, 6, 'B'), (2, 5, 'B')",
        "INSERT INTO lz_lists (rid, sid, wb, networks, expires, note, who, time_num)"
        " VALUES (1, 5, 'W', '192.0.2.0/24 2001:db8::/32', 77, 'a note', 'cli:root', 33)",
    )
    (entry,) = rows(store, ANN, keys("f@out.example")).entries

    assert (1, "@home.example", 5, "f@out.example", 8, "W", True) == (
        *(entry.user, entry.owner, entry.sender, entry.key, entry.priority, entry.wb, entry.ours),
    )
    assert (("192.0.2.0/24", "2001:db8::/32"), 77, "a note", "cli:root", 33) == (
        *(entry.networks, entry.expires, entry.note, entry.who, entry.since),
    )
    assert () == rows(store, ANN, ()).entries


def test_an_entry_that_another_program_has_changed_is_no_longer_ours(store: Store) -> None:
    fill(
        store,
        "INSERT INTO users (id, email) VALUES (1, '@home.example')",
        "INSERT INTO mailaddr (id, email) VALUES (5, 'f@out.example')",
        "INSERT INTO wblist (rid, sid, wb) VALUES (1, 5, 'B')",
        "INSERT INTO lz_lists (rid, sid, wb, networks, expires, note, who, time_num)"
        " VALUES (1, 5, 'W', '', 77, 'a note', 'cli:root', 33)",
    )
    (entry,) = rows(store, ANN, keys("f@out.example")).entries
    assert (False, 0, "") == (entry.ours, entry.expires, entry.note)


def test_tables_of_an_older_amavisd_are_read_as_they_are(tmp_path: Path) -> None:
    """Its `policy` has fewer columns and one that is gone; without users.local a row says: ours."""
    database = SqliteDatabase(tmp_path / "lazaret.db")
    database.create()
    connection = database.connect(writing=True)
    for statement in (
        "CREATE TABLE msgs (mail_id text)",
        "CREATE TABLE policy (id integer, spam_kill_level real, spam_modifies_subj char(1))",
        "CREATE TABLE users (id integer, priority integer, policy_id integer, email text)",
        "CREATE TABLE mailaddr (id integer, priority integer, email text)",
        "CREATE TABLE wblist (rid integer, sid integer, wb text)",
        "INSERT INTO policy VALUES (1, 6.31, 'Y')",
        "INSERT INTO users VALUES (1, 7, 1, 'ann@home.example'), (2, 0, 1, '@.')",
    ):
        connection.execute(statement)
    for table in ("maddr", "msgrcpt", "quarantine"):
        connection.execute("CREATE TABLE " + table + " (mail_id text)")
    migrate(connection)
    connection.close()
    store = open_store(URL, tmp_path, create=False)

    person, everybody = sorted(rows(store, ANN).rows, key=lambda row: row.user)
    assert store.foreign
    assert (True, {"spam_kill_level": 6.31}) == (person.local, person.values)
    assert None is everybody.local
    store.close()


def test_the_cost_does_not_grow_with_the_number_of_policies_and_entries(store: Store) -> None:
    def cost() -> float:
        wanted = keys("user77@home.example"), keys("sender77@out.example")
        best = 1.0
        for _ in range(5):
            began = time.process_time()
            for _ in range(40):
                found = rows(store, *wanted)
            best = min(best, time.process_time() - began)
        assert (2, 2) == (len(found.rows), len(found.entries))
        return best

    many(store, 76, 78)
    few = cost()
    many(store, 78, 10_000)
    assert cost() < 2 * few


def many(store: Store, start: int, end: int) -> None:
    """So many policies, users, senders and entries of a list that is for everybody."""

    def work(connection: sqlite3.Connection) -> None:
        numbers = range(start, end)
        if start < 78:
            connection.execute("INSERT INTO users (id, priority, email) VALUES (1, 0, '@.')")
        connection.executemany(
            "INSERT INTO policy (id, spam_kill_level) VALUES (?, 5)", [(n,) for n in numbers]
        )
        connection.executemany(
            "INSERT INTO users (id, policy_id, email) VALUES (?, ?, ?)",
            [(n, n, f"user{n}@home.example") for n in numbers],
        )
        connection.executemany(
            "INSERT INTO mailaddr (id, email) VALUES (?, ?)", [(n, f"sender{n}@out.example") for n in numbers]
        )
        connection.executemany("INSERT INTO wblist VALUES (1, ?, 'W')", [(n,) for n in numbers])
        connection.executemany("INSERT INTO wblist VALUES (?, ?, 'B')", [(n, n) for n in numbers])

    asyncio.run(store.writer.run(work))
