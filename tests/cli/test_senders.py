"""Lists of senders on the command line."""

import time

import pytest
from tests.support.installation import ANN, BOB, CLEAN, QUARANTINE, SENDER, Installation


@pytest.fixture
def home(bare: Installation) -> Installation:
    bare.output("db", "init")
    return bare


def entries(lazaret: Installation, which: str, *words: str) -> list[tuple[str, str, str]]:
    return [(r["sender"], r["for"], r["wb"]) for r in lazaret.rows(which, "list", *words, "--json")]


def test_addresses_domains_and_all_below_them_can_be_listed(home):
    home.output("allow", "add", "Friend@Out.example", "out.example", ".out.example")
    home.output("block", "add", "bad.example", "--for", ANN, "--for", "home.example")

    expected = [("friend@out.example", "everybody", "W"), ("out.example", "everybody", "W")]
    assert [*expected, (".out.example", "everybody", "W")] == entries(home, "allow")
    assert {("bad.example", ANN, "B"), ("bad.example", "home.example", "B")} == set(entries(home, "block"))
    assert [("bad.example", ANN, "B")] == entries(home, "block", "--for", ANN)
    assert expected[:1] == entries(home, "allow", "FRIEND")


def test_add_says_what_the_entry_does_and_what_it_does_not(home):
    said = home.output("allow", "add", "out.example")
    assert "out.example for everybody: not judged by the score when the sender is authenticated" in said
    assert "otherwise 3 points off at most; never covers viruses or banned attachments" in said
    pinned = home.output("allow", "add", "out.example", "--network", "192.0.2.77/24")
    assert "or the mail comes from 192.0.2.0/24; otherwise" in pinned
    assert "5 points are taken off by a sender who is authenticated; otherwise 3 at most" in home.output(
        "allow", "add", "out.example", "--points", "5"
    )
    assert "2.5 points are added" in home.output("block", "add", "out.example", "--points", "2.5")


def test_an_entry_has_a_note_and_ends(home):
    home.output("allow", "add", SENDER, "--expires", "30d", "--note", "her brother")
    (row,) = home.rows("allow", "list", "--json")
    (expires,) = home.query("SELECT expires FROM lz_lists")[0]

    assert ("her brother", True) == (row["note"], row["by"].startswith("cli:"))
    assert 29.9 < (expires - time.time()) / 86_400 <= 30
    home.query_and_commit("UPDATE lz_lists SET expires = 1")
    home.output("db", "purge")
    assert [] == entries(home, "allow")
    assert [(0, 0, 0)] == home.query(
        "SELECT (SELECT count(*) FROM wblist), (SELECT count(*) FROM lz_lists), (SELECT count(*) FROM users)"
    )


def test_the_last_word_on_a_sender_counts(home):
    home.output("allow", "add", SENDER)
    home.output("block", "add", SENDER)
    assert ([], [(SENDER, "everybody", "B")]) == (entries(home, "allow"), entries(home, "block"))


def test_remove_takes_off_what_is_there_and_says_what_is_not(home):
    home.output("block", "add", SENDER, "bad.example")
    done = home.run("block", "remove", SENDER, "nobody.example")

    assert 66 == done.returncode
    assert b"lazaret: nobody.example for everybody is not on the list\n" == done.stderr
    assert [("bad.example", "everybody", "B")] == entries(home, "block")
    assert 66 == home.run("allow", "remove", "bad.example").returncode


def test_a_list_does_not_take_a_policy_away(home):
    home.output("policy", "set", ANN, "mark=2")
    home.output("block", "add", "bad.example", "--for", ANN)
    home.output("block", "remove", "bad.example", "--for", ANN)
    assert [ANN] == [r["for"] for r in home.rows("policy", "list", "--json")]


def test_a_policy_that_is_unset_does_not_take_a_list_away(home):
    home.output("block", "add", "bad.example", "--for", ANN)
    home.output("policy", "set", ANN, "mark=2")
    home.output("policy", "unset", ANN)
    assert [("bad.example", ANN, "B")] == entries(home, "block")


def test_explain_says_what_the_lists_say_of_a_sender(home):
    home.output("block", "add", "bad.example", "--for", "home.example")
    found = home.output("policy", "explain", ANN, "--from", "x@bad.example")
    assert "The lists: the list of home.example blocks x@bad.example (bad.example)" in found
    assert "nothing of this sender" in home.output("policy", "explain", ANN, "--from", SENDER)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("allow", "add", "no address"), 'write "ann@example.org"'),
        (("allow", "add", SENDER, "--network", "here"), 'write for example "192.0.2.0/24"'),
        (("allow", "add", SENDER, "--points", "-1"), "points are a number from 0.001 to 1000"),
        (("allow", "add", SENDER, "--for", "x y"), 'write "ann@example.org"'),
        (("allow", "add", SENDER, "--expires", "soon"), "write 90m, 24h or 7d"),
    ],
)
def test_what_cannot_be_listed_is_named_with_what_to_write(home, words, says):
    done = home.run(*words)
    assert 64 == done.returncode
    assert says in done.stderr.decode()


def shown_at_last(lazaret: Installation, address: str, word: str) -> str:
    """What `show` says of a message, as soon as it has this word: the service looks once a second."""
    deadline = time.monotonic() + 10
    while True:
        mail_id = lazaret.send_found(CLEAN, address, subject=f"list {time.monotonic()}")
        shown = lazaret.output("show", mail_id)
        if word in shown or time.monotonic() > deadline:
            return shown


def test_a_block_counts_within_a_second(house):
    lazaret = house.lazaret
    try:
        lazaret.output("block", "add", SENDER, "--for", BOB)
        assert f"The list of {BOB} blocks {SENDER}" in shown_at_last(lazaret, BOB, "blocks")
    finally:
        lazaret.output("block", "remove", SENDER, "--for", BOB)


def test_a_release_may_allow_the_sender_for_whom_it_was_released(house):
    lazaret = house.lazaret
    mail_id = lazaret.send_found(QUARANTINE, ANN, subject="release allows")
    try:
        released, said = lazaret.output("release", mail_id, "--allow-sender").splitlines()
        assert released.startswith(f"{mail_id} {ANN} 250")
        assert said.startswith(f"{SENDER} for {ANN} until ")
        assert "otherwise 3 points off at most" in said
        (row,) = lazaret.rows("allow", "list", "--for", ANN, "--json")
        (expires,) = lazaret.query("SELECT expires FROM lz_lists")[0]
        assert f"release of {mail_id}" == row["note"]
        assert 179.9 < (expires - time.time()) / 86_400 <= 180
    finally:
        lazaret.run("allow", "remove", SENDER, "--for", ANN)
