"""Policies on the command line."""

import sqlite3
import time
from contextlib import closing

import pytest
from tests.support.installation import ANN, BOB, MARK, Installation

from lazaret.store import migrations
from lazaret.store.sqlite import SQLITE


@pytest.fixture
def home(bare: Installation) -> Installation:
    bare.output("db", "init")
    return bare


def holds(lazaret: Installation, address: str) -> dict[str, tuple[str, str]]:
    return {r["key"]: (r["value"], r["where"]) for r in lazaret.rows("policy", "explain", address, "--json")}


def test_a_policy_of_ones_own_holds_over_that_of_the_domain_and_of_everybody(home):
    home.output("policy", "set", "everybody", "quarantine=7", "kill=12", "subject_tag=[?] ")
    home.output("policy", "set", "home.example", "quarantine=6")
    home.output("policy", "set", ANN, "mark=2", "spam_lover=yes")
    found = holds(home, ANN)

    assert ("2.0", f'policy "{ANN}" for {ANN}') == found["levels.mark"]
    assert ("6.0", 'policy "home.example" for @home.example') == found["levels.quarantine"]
    assert ("12.0", 'policy "everybody" for @.') == found["levels.kill"]
    assert ("'[?] '", 'policy "everybody" for @.') == found["levels.subject_tag"]
    assert ("-999.0", "default") == found["levels.tag"]
    assert "yes" == found["spam_lover"][0]
    assert "spam_lover" not in holds(home, BOB)


def test_config_explain_says_the_same(home):
    home.output("policy", "set", ANN, "mark=2")
    assert home.rows("policy", "explain", ANN, "--json") == (
        home.rows("config", "explain", "--rcpt", ANN, "--json")
    )


def test_without_a_database_config_explain_says_what_the_configuration_says(bare):
    found = {r["key"]: r["value"] for r in bare.rows("config", "explain", "--rcpt", ANN, "--json")}
    assert "5.0" == found["levels.quarantine"]
    assert not bare.database.exists()


def test_explain_shows_where_it_looked(home):
    home.output("policy", "set", ".example", "mark=2")
    text = home.output("policy", "explain", "ann+shop@home.example")
    lines = [line.split() for line in text.splitlines()]

    begin = lines.index(["LOOKED", "UP", "AS", "FOUND"]) + 1
    looked_up = [line[0] for line in lines[begin : lines.index([], begin)]]
    assert ["ann+shop@home.example", "ann@home.example", "ann+shop", "ann"] == looked_up[:4]
    assert ["@home.example", "@.home.example", "@.example", "@."] == looked_up[4:]
    assert ["@.example", "policy", '".example"', "for", "@.example"] in lines


def test_what_only_amavis_does_is_named(home):
    home.output("policy", "set", ANN, "mark=2")
    home.query_and_commit("UPDATE policy SET addr_extension_spam = 'spam'")
    assert "Not done by Lazaret: addr_extension_spam = spam" in home.output("policy", "explain", ANN)


def test_a_lover_that_no_check_can_act_on_is_kept_and_said_to_be_without_effect(home):
    home.run("policy", "set", ANN, "virus_lover=yes", "banned_files_lover=no", "unchecked_lover=yes")
    found = holds(home, ANN)
    assert "yes: nothing acts on it, as no check of Lazaret looks for viruses" == found["virus_lover"][0]
    assert "no" == found["banned_files_lover"][0]
    assert "yes" == found["unchecked_lover"][0]
    assert "" == home.run("policy", "set", ANN, "spam_lover=yes", "virus_lover=no").stderr.decode()


def test_a_policy_that_others_have_is_copied_before_it_is_changed_for_one(home):
    home.output("policy", "set", "--name", "strict", "quarantine=4", "size_limit=20M")
    home.output("policy", "set", ANN, "policy=strict")
    home.output("policy", "set", BOB, "policy=strict")
    home.output("policy", "set", ANN, "quarantine=4.5")

    assert "4.5" == holds(home, ANN)["levels.quarantine"][0]
    assert f"{20 << 20} octets" == holds(home, ANN)["size_limit"][0]
    assert "4.0" == holds(home, BOB)["levels.quarantine"][0]
    home.output("policy", "set", "--name", "strict", "mark=1")
    assert ("3.0", "1.0") == (holds(home, ANN)["levels.mark"][0], holds(home, BOB)["levels.mark"][0])
    named = {r["policy"]: r["users"] for r in home.rows("policy", "list", "--named", "--json")}
    assert (1, 1) == (named["strict"], named[ANN])


def test_unset_takes_back_one_setting_or_all(home):
    home.output("policy", "set", ANN, "mark=2", "quarantine=4", "local=no")
    assert "not local" in holds(home, ANN)["local.domains"][0]
    home.output("policy", "unset", ANN, "mark", "local")
    assert [("3.0", "default"), ("4.0", f'policy "{ANN}" for {ANN}')] == [
        holds(home, ANN)[k] for k in ("levels.mark", "levels.quarantine")
    ]
    home.output("policy", "unset", ANN)
    assert "" == "\n".join(home.output("policy", "list").splitlines()[1:])
    assert 66 == home.run("policy", "unset", ANN).returncode


def test_list_shows_who_has_what(home):
    home.output("policy", "set", ANN, "mark=2", "keep_spam=yes")
    head, line = home.output("policy", "list").splitlines()
    assert ["FOR", "POLICY", "MARK", "QUARANTINE", "KILL", "OTHERS"] == head.split()
    assert [ANN, ANN, "2.0", "-", "-", "keep_spam=yes"] == line.split()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((ANN, "quarantine=9"), "from quarantine 9.0 on everything is killed at once: kill is 8.0"),
        ((ANN, "quarantine=2"), "nothing is marked below quarantine 2.0: mark is 3.0"),
        ((ANN, "keep_spam=no"), "is discarded, and nothing is kept"),
        ((ANN, "virus_lover=yes"), "no check of Lazaret looks for viruses"),
        ((ANN, "bypass_header_checks=yes"), "no check of Lazaret looks for bad headers"),
    ],
)
def test_a_surprising_policy_is_remarked_upon(home, words, says):
    done = home.run("policy", "set", *words)
    assert 0 == done.returncode
    assert says in done.stderr.decode()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((ANN, "quarantine=much"), '"much" is no number of points; write for example 5.0'),
        ((ANN, "quarantine"), "write NAME=VALUE"),
        ((ANN,), "write NAME=VALUE"),
        ((ANN, "colour=red"), "there are tag, mark, quarantine, kill"),
        ((ANN, "size_limit=1k"), "every mailbox must take 64k"),
        (("not an address", "mark=2"), 'write "ann@example.org"'),
        ((ANN, "spam_lover=perhaps"), "neither yes nor no"),
        ((ANN, "policy=nowhere"), 'there is no policy "nowhere"'),
    ],
)
def test_what_cannot_be_set_is_named_with_what_to_write(home, words, says):
    done = home.run("policy", "set", *words)
    assert done.returncode in (64, 66)
    assert says in done.stderr.decode()


def test_a_policy_counts_within_a_second_of_its_being_set(house):
    lazaret = house.lazaret
    try:
        lazaret.output("policy", "set", ANN, "quarantine=3.5", "mark=3")
        deadline = time.monotonic() + 10
        shown = ""
        while "by the policy" not in shown and time.monotonic() < deadline:
            mail_id = lazaret.send_found(MARK, ANN, subject=f"policy {time.monotonic()}")
            shown = lazaret.output("show", mail_id)
        assert f'the quarantine level 3.5, by the policy "{ANN}" for {ANN}' in shown
    finally:
        lazaret.output("policy", "unset", ANN)


def test_whoever_changes_a_policy_is_written_down(home):
    home.output("policy", "set", ANN, "mark=2")
    home.output("policy", "unset", ANN)
    acts = home.query("SELECT who, act, detail FROM lz_audit ORDER BY id")
    assert [("policy set", f"{ANN}: mark=2"), ("policy unset", f"{ANN}: all")] == [a[1:] for a in acts]
    assert all(who.startswith("cli:") for who, _, _ in acts)


@pytest.fixture
def taken_over(bare: Installation) -> Installation:
    """On tables that amavisd's own schema made, with a list of its tools."""
    tables = migrations.statements(migrations.available("sqlite")[migrations.AMAVIS], SQLITE)
    with closing(sqlite3.connect(bare.database)) as database, database:
        for statement in tables:
            database.execute(statement)
        database.executescript(
            "INSERT INTO policy (id, policy_name, spam_kill_level) VALUES (1, 'normal', 6.31);"
            "INSERT INTO users (id, policy_id, email) VALUES (1, 1, '@home.example');"
            "INSERT INTO mailaddr (id, email) VALUES (1, 'friend@out.example');"
            "INSERT INTO wblist VALUES (1, 1, 'W');"
        )
    bare.output("db", "init")
    return bare


def test_in_a_database_of_amavisd_nothing_is_killed_until_it_is_written(taken_over):
    assert ("never", "default") == holds(taken_over, ANN)["levels.kill"]
    assert ("6.31", 'policy "normal" for @home.example') == holds(taken_over, ANN)["levels.quarantine"]
    written = taken_over.rows("policy", "explain", ANN, "--json", "--set", "levels.kill=8")
    assert ("8.0", "--set") in [(line["value"], line["where"]) for line in written]


def test_in_a_database_of_amavisd_its_lists_hold_as_they_are_until_it_is_written(taken_over):
    words = ("policy", "explain", ANN, "--from", "friend@out.example")
    assert "The lists: the list of home.example allows friend@out.example.\n" in taken_over.output(*words)
    strict = taken_over.output(*words, "--set", "lists.require_auth=true")
    assert "nothing proves that the message is from there" in strict
