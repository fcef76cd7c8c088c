"""Searching on the command line."""

import subprocess

from tests.support.installation import ANN, BOB, CLEAN, COMMAND, QUARANTINE, SENDER

KEYS = (
    *("id", "time", "from", "to", "subject", "score", "category", "action", "state", "size", "client_ip"),
    "symbols",
)


def test_the_json_of_a_message_has_the_promised_keys(house):
    mail_id = house.lazaret.send_found(QUARANTINE, ANN, BOB, subject="find json")
    (found,) = house.lazaret.rows("find", "--json", 'subject:"find json"')

    assert list(KEYS) == list(found)
    assert (mail_id, SENDER, [ANN, BOB], "find json") == tuple(
        found[k] for k in ("id", "from", "to", "subject")
    )
    assert (6.0, "spam") == (found["score"], found["category"])
    assert ("quarantine", "quarantined") == (found["action"], found["state"])
    assert ["TEST_QUAR"] == found["symbols"]
    assert found["time"].endswith("Z")


def test_the_table_names_id_time_score_state_sender_recipients_and_subject(house):
    mail_id = house.lazaret.send_found(QUARANTINE, ANN, BOB, subject="find table")
    head, row = house.lazaret.output("find", "subject:table").splitlines()

    assert ["ID", "TIME", "SCORE", "STATE", "FROM", "TO", "SUBJECT"] == head.split()
    assert [mail_id, "6.0", "quarantined", SENDER, ANN, "+1", "find", "table"] == [
        w for i, w in enumerate(row.split()) if i not in (1, 2)
    ]


def test_delivered_mail_is_found_with_all_only(house):
    house.lazaret.send_found(CLEAN, subject="find delivered")

    assert "" == house.lazaret.output("find", "subject:delivered")
    # A person is told where else to look; what a script reads is only what was found.
    said = "nothing found; --all searches the whole history, delivered mail too"
    assert (0, [said]) == house.lazaret.on_terminal("find", "subject:delivered")
    assert "1\n" == house.lazaret.output("find", "subject:delivered", "--all", "--count")


def test_pages_follow_each_other_by_the_id_of_the_last_row(house):
    ids = [house.lazaret.send_found(QUARANTINE, subject=f"find page {n}") for n in range(3)]
    first = house.lazaret.rows("find", "--json", "subject:page", "--limit", "2")
    rest = house.lazaret.rows("find", "--json", "subject:page", "--after", first[-1]["id"])

    assert sorted(ids) == sorted(row["id"] for row in first + rest)
    assert 2 == len(first)
    assert "3\n" == house.lazaret.output("find", "subject:page", "--count")


def test_a_page_after_a_message_that_is_not_there_is_refused(house):
    done = house.lazaret.run("find", "--after", "nobodyknows1")

    assert (66, b"lazaret: no message nobodyknows1\n") == (done.returncode, done.stderr)


def test_a_negated_term_is_no_option(house):
    house.lazaret.send_found(QUARANTINE, subject="find negated one")
    house.lazaret.send_found(QUARANTINE, subject="find negated two")
    found = house.lazaret.rows("find", "--json", "subject:negated", "-subject:one", "-from:b.example")

    assert ["find negated two"] == [row["subject"] for row in found]


def test_a_misspelt_option_is_no_query(house):
    done = house.lazaret.run("find", "--jsn")

    assert 64 == done.returncode
    assert (
        b"lazaret find: no such option '--jsn'. Did you mean '--json'? Try lazaret find --help\n"
        == done.stderr
    )


def test_a_caret_points_at_what_is_wrong_in_a_query(house):
    done = house.lazaret.run("find", "invoice", "scor:>6")
    lines = done.stderr.decode().splitlines()

    assert 64 == done.returncode
    assert "did you mean score:?" in lines[0]
    assert ["  invoice scor:>6", "          ^"] == lines[1:]


def test_a_hostile_subject_cannot_drive_the_terminal(house):
    house.lazaret.send_found(QUARANTINE, subject="find hostile =?utf-8?q?=1B[2J=07=E2=80=AEbackwards?= end")
    house.lazaret.send(QUARANTINE, subject="find hostile \x1b]0;owned\x07 raw")
    printed = house.lazaret.run("find", "subject:hostile").stdout.decode()

    assert 3 == len(printed.splitlines())
    assert [] == [c for c in printed if not c.isprintable() and c != "\n"]


def test_the_table_is_cut_to_a_terminal_and_nowhere_else(house):
    long = "find wide " + "very " * 40 + "long"
    house.lazaret.send_found(QUARANTINE, subject=long)
    piped = house.lazaret.output("find", "subject:wide").splitlines()[1]

    assert piped.endswith(long)
    assert {80} == {len(line) for line in house.lazaret.on_terminal("find", "subject:wide")[1][1:]}


def test_wide_characters_take_two_columns_of_a_terminal(house):
    house.lazaret.send_found(QUARANTINE, subject="find 発票 " + "発" * 200)
    row = house.lazaret.on_terminal("find", "subject:発票")[1][1]

    assert len(row) + row.count("発") + row.count("票") in (79, 80)


def test_a_reader_that_has_seen_enough_is_no_error(house):
    house.lazaret.send_found(QUARANTINE, subject="find pipe")
    for arguments in (["find", "--json"], ["find"], ["config", "default"]):
        process = subprocess.Popen(
            [*COMMAND, *arguments, "--config", house.lazaret.file],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()

        assert (141, b"") == (process.wait(30), said), arguments
