"""Scoring files: no database, nothing changed, one line for each message whatever it is."""

import json
import os
import time

import pytest
from tests.support.installation import CLEAN, KILL, MARK, QUARANTINE, message

KEYS = ["file", "score", "action", "category", "hits", "unavailable", "took_ms"]


def put(folder, name, octets):
    """A file in the folder; its path as text."""
    path = folder / name
    path.write_bytes(octets)
    return str(path)


def test_the_json_of_a_message_has_the_promised_keys(bare):
    file = put(bare.home, "one.eml", message(QUARANTINE))
    (found,) = bare.rows("scan", file)

    assert KEYS == list(found)
    assert (file, 6.0, "quarantine", "spam", []) == tuple(
        found[k] for k in ("file", "score", "action", "category", "unavailable")
    )
    assert [
        {
            "symbol": "TEST_QUAR",
            "score": 6.0,
            "description": "A word of the tests that is worth the quarantine",
            "detail": "quarantine-me-please",
        }
    ] == found["hits"]
    assert found["took_ms"] > 0


def test_no_database_is_made_or_needed(bare):
    bare.output("scan", put(bare.home, "one.eml", message()))

    assert not bare.database.exists()
    assert {"lazaret.toml", "rules", "rules-cache", "one.eml"} == {p.name for p in bare.home.iterdir()}


def test_each_level_is_an_action(bare):
    files = [
        put(bare.home, f"{n}.eml", message(text)) for n, text in enumerate((CLEAN, MARK, QUARANTINE, KILL))
    ]

    assert ["deliver", "mark", "quarantine", "discard"] == [
        row["action"] for row in bare.rows("scan", *files)
    ]


def test_a_list_is_read_line_by_line_and_answered_in_its_order(bare):
    put(bare.home, "b.eml", message(QUARANTINE))
    put(bare.home, "a.eml", message(CLEAN))
    (bare.home / "list").write_text("b.eml\n./a.eml\nb.eml\n\na.eml\n")
    rows = bare.rows("scan", "--files-from", "list")

    assert ["b.eml", "./a.eml", "b.eml", "a.eml"] == [row["file"] for row in rows]
    assert [6.0, 0.0, 6.0, 0.0] == [row["score"] for row in rows]
    assert [6.0, 0.0] == [
        row["score"] for row in bare.rows("scan", "--files-from", "-", stdin=b"b.eml\na.eml\n")
    ]


HOSTILE = {
    "empty": b"",
    "a NUL": b"\0",
    "binary": bytes(range(256)) * 64,
    "no header": b"\r\n\r\nbody",
    "only a header": b"Subject: x",
    "a lone surrogate": b"Subject: =?utf-8?b?7aC9?=\r\n\r\n" + b"\xed\xa0\xbd\r\n",
    "line ends of all kinds": b"A: b\rC: d\nE: f\r\n\n\r\r\n" * 50,
    "nested parts": b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 20_000,
    "a line of a megabyte": b"Subject: x\r\n\r\n" + b"<a " * 350_000,
}


def test_every_message_has_one_line_whatever_it_contains(bare):
    files = [put(bare.home, f"{n}.eml", octets) for n, octets in enumerate(HOSTILE.values())]
    (bare.home / "list").write_text("".join(f"{file}\n" for file in files))
    rows = bare.rows("scan", "--files-from", "list")

    assert files == [row["file"] for row in rows]
    assert [KEYS] * len(HOSTILE) == [list(row) for row in rows]


def test_line_ends_and_an_mbox_line_do_not_matter(bare):
    crlf = message(f"{QUARANTINE}\r\nmore")
    lf = crlf.replace(b"\r\n", b"\n")
    mbox = b"From sender@out.example Mon Feb  2 10:00:00 2026\n" + lf
    rows = bare.rows("scan", *(put(bare.home, f"{n}.eml", o) for n, o in enumerate((crlf, lf, mbox))))

    assert 1 == len({json.dumps([row["score"], row["hits"]]) for row in rows})


def test_a_file_name_keeps_its_octets(bare):
    name = b"caf\xe9 \xff.eml"
    (bare.home / os.fsdecode(name)).write_bytes(message(QUARANTINE))
    (bare.home / "list").write_bytes(name + b"\n")

    for done in (bare.run("scan", name), bare.run("scan", "--files-from", "list")):
        assert (0, b"") == (done.returncode, done.stderr)
        assert done.stdout.startswith(b'{"file": "' + name + b'", "score": 6.0')


def test_a_file_that_cannot_be_read_has_a_line_and_the_others_are_scored(bare):
    good = put(bare.home, "one.eml", message(QUARANTINE))
    done = bare.run("scan", "absent.eml", str(bare.home), good)
    rows = [json.loads(line) for line in done.stdout.splitlines()]

    assert 66 == done.returncode
    assert {"file": "absent.eml", "error": "No such file or directory"} == rows[0]
    assert {"file": str(bare.home), "error": "Is a directory"} == rows[1]
    assert (good, 6.0) == (rows[2]["file"], rows[2]["score"])


def test_a_list_that_cannot_be_read_is_an_error(bare):
    done = bare.run("scan", "--files-from", "absent")

    assert (66, b"lazaret: cannot read absent: No such file or directory\n") == (done.returncode, done.stderr)


def test_stdin_is_read_without_a_file_and_for_a_dash(bare):
    for words in ([], ["-"]):
        (row,) = bare.rows("scan", *words, stdin=message(QUARANTINE))

        assert ("-", 6.0) == (row["file"], row["score"])


def test_the_time_of_reception_can_be_given(bare):
    (row,) = bare.rows("scan", "--now", "1770026400", stdin=message(QUARANTINE))
    wrong = bare.run("scan", "--now", "today", stdin=message(QUARANTINE))

    assert 6.0 == row["score"]
    assert (64, 1) == (wrong.returncode, wrong.stderr.count(b"\n"))


def test_whose_policy_decides_can_be_given(bare):
    (row,) = bare.rows("scan", "--rcpt", "zoe@far.example", stdin=message(MARK))
    assert "deliver" == row["action"]

    (row,) = bare.rows("scan", "--rcpt", "postmaster@home.example", stdin=message(KILL))
    assert "mark" == row["action"]


def test_sender_and_client_can_be_given(bare):
    (bare.home / "rules" / "envelope.cf").write_text(
        "header TEST_ENVELOPE EnvelopeFrom =~ /given@far\\.example/\nscore TEST_ENVELOPE 1\n"
    )
    (given,) = bare.rows("scan", "--from", "given@far.example", stdin=message())
    (read,) = bare.rows(
        "scan", stdin=message().replace(b"From:", b"Return-Path: <given@far.example>\r\nFrom:")
    )
    wrong = bare.run("scan", "--client-ip", "192.0.2.300", stdin=message())

    assert [1.0, 1.0] == [given["score"], read["score"]]
    assert (64, 1) == (wrong.returncode, wrong.stderr.count(b"\n"))


def test_scores_do_not_depend_on_time_zone_and_locale(bare):
    file = put(bare.home, "one.eml", message(QUARANTINE))
    seen = set()
    for zone, language in (("UTC", "C"), ("Asia/Tokyo", "C.UTF-8"), ("America/St_Johns", "de_DE.UTF-8")):
        done = bare.run(
            "scan", "--now", "1770026400", file, environment={"TZ": zone, "LC_ALL": language, "LANGUAGE": ""}
        )
        row = json.loads(done.stdout)
        seen.add(json.dumps([row["score"], row["hits"]]))

    assert 1 == len(seen)


@pytest.mark.parametrize("data_dir", ["absent/deep", "/proc/nowhere"])
def test_it_works_where_no_data_directory_can_be_made_or_none_is_yet(bare, data_dir):
    done = bare.run("scan", "--set", f"store.data_dir={data_dir}", stdin=message(QUARANTINE))

    assert (0, 6.0) == (done.returncode, json.loads(done.stdout)["score"])
    made = bare.home / data_dir
    if made.exists():
        assert 0o700 == made.stat().st_mode & 0o777


def test_many_files_are_scored_in_one_go(bare):
    """A thousand small messages: rules and networks are loaded once, or this takes minutes."""
    put(bare.home, "one.eml", message(QUARANTINE))
    (bare.home / "list").write_text("one.eml\n" * 1000)
    bare.output("scan", "one.eml")
    began = time.monotonic()
    rows = bare.rows("scan", "--files-from", "list")

    assert 1000 == len(rows)
    assert time.monotonic() - began < 60
