"""`lazaret import`: taking over the file quarantine and the configuration of amavisd."""

import gzip
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.amavis_files import MAIL_ID, MESSAGE, fields, quarantine

RECENT = ("--set", "quarantine.keep_days=36500")


@pytest.fixture
def ours(bare):
    bare.output("db", "init")
    return bare


@pytest.fixture
def virusmails(tmp_path):
    place = tmp_path / "virusmails"
    place.mkdir()
    return place


def test_files_plain_and_packed_and_in_directories_are_found_and_shown(ours, virusmails):
    quarantine(virusmails, ["spam-file00000000.gz", "virus-file00000001", "a/spam-file00000002.gz"])

    assert "3 messages imported, 0 were there already, 0 files skipped\n" == ours.output(
        "import", "amavis-files", virusmails, *RECENT
    )
    assert ["spam", "virus", "spam"] == [
        row["category"] for row in sorted(ours.rows("find", "--json"), key=lambda row: row["id"])
    ]
    assert 3 == len(ours.rows("find", "elephants", "from:spam.example", "rule:BAYES_99", "--json"))
    assert "Amavisd kept it as spam (6.642 points); imported from spam-file00000000.gz." in ours.output(
        "show", "file00000000"
    )


def test_what_is_released_is_the_message_octet_for_octet(house, virusmails):
    (virusmails / "spam-x.gz").write_bytes(gzip.compress(fields("releaseme001") + MESSAGE))
    house.lazaret.output("import", "amavis-files", virusmails, *RECENT)
    raw = house.lazaret.run("show", "--raw", "releaseme001").stdout
    house.lazaret.output("release", "releaseme001")
    (received,) = [m for m in house.hop.received if b"elephants" in m.octets]
    brought_along = b"X-Spam-Status: No, this one the message brought along\r\n"

    assert MESSAGE.replace(b"\n", b"\r\n") == raw
    assert received.octets.endswith(raw.replace(brought_along, b""))
    assert ("ann@home.example",) == received.envelope.addresses


def test_the_second_time_nothing_is_done(ours, virusmails):
    quarantine(virusmails, ["spam-file00000000.gz", "spam-file00000001"])
    ours.output("import", "amavis-files", virusmails, *RECENT)
    before = ours.query("SELECT * FROM msgs ORDER BY mail_id"), ours.query("SELECT count(*) FROM quarantine")

    assert {"imported": 0, "known": 2, "completed": 0, "skipped": 0, "expiring": 0} == json.loads(
        ours.output("import", "amavis-files", virusmails, "--json", *RECENT)
    )
    assert before == (
        ours.query("SELECT * FROM msgs ORDER BY mail_id"),
        ours.query("SELECT count(*) FROM quarantine"),
    )


def test_a_message_that_amavisd_keeps_twice_comes_in_once(ours, virusmails):
    for name in ("archive-x.gz", "spam-x.gz"):
        (virusmails / name).write_bytes(gzip.compress(fields() + MESSAGE))

    assert "1 messages imported, 1 were there already, 0 files skipped\n" == ours.output(
        "import", "amavis-files", virusmails, *RECENT
    )


def test_bad_files_are_named_and_the_rest_comes_in(ours, virusmails):
    quarantine(virusmails, ["spam-file00000000.gz", "zzz-file00000001"])
    (virusmails / "cut.gz").write_bytes(gzip.compress(fields() + MESSAGE)[:-20])
    (virusmails / "flipped.gz").write_bytes(b"\x1f\x8b" + b"\xff" * 50)
    (virusmails / "empty").touch()
    (virusmails / "other").write_text("hello\n")
    (virusmails / "link").symlink_to(virusmails / "zzz-file00000001")
    os.mkfifo(virusmails / "pipe")
    done = ours.run("import", "amavis-files", virusmails, *RECENT)

    assert 65 == done.returncode
    assert b"2 messages imported, 0 were there already, 6 files skipped\n" == done.stdout
    assert {b"cut.gz", b"flipped.gz", b"empty", b"other", b"link", b"pipe"} == {
        line.partition(b":")[0] for line in done.stderr.splitlines()
    }


def test_nobody_is_told_of_what_was_imported(ours, virusmails):
    recent = MESSAGE.replace(b"Mon, 20 Feb 2023 02:02:08", b"nonsense", 1)
    (virusmails / "spam-x").write_bytes(fields() + recent)
    ours.output("import", "amavis-files", virusmails)

    assert [MAIL_ID] == [row["id"] for row in ours.rows("find", "since:1h", "--json")]
    assert "" == ours.output("report", "--since", "1h")
    assert not (ours.home / "log").exists()


def test_it_says_what_retention_is_going_to_remove(ours, virusmails):
    quarantine(virusmails, ["spam-file00000000.gz"])

    assert "1 of them are older than quarantine.keep_days = 30" in ours.output(
        "import", "amavis-files", virusmails
    )


def test_a_message_that_amavisd_has_logged_gets_its_text(ours, virusmails):
    (virusmails / "spam-x.gz").write_bytes(gzip.compress(fields() + MESSAGE))
    with closing(sqlite3.connect(ours.database)) as database:
        database.executescript(
            """
            INSERT INTO maddr (id, email, domain) VALUES (1, 'promo@spam.example', 'example.spam'),
              (2, 'ann@home.example', 'example.home');
            INSERT INTO msgs (mail_id, partition_tag, am_id, time_num, time_iso, sid, size, content,
              quar_type, quar_loc, host) VALUES ('9jc5xEn26f99', 7, '1-1', 1769990000, '20260201T235320Z', 1,
              500, 'S', 'Z', 'spam-x.gz', 'mx');
            INSERT INTO msgrcpt (mail_id, partition_tag, rseqnum, rid, content, ds, rs) VALUES
              ('9jc5xEn26f99', 7, 1, 2, 'S', 'D', ' ');
            """
        )
    printed = ours.output("import", "amavis-files", virusmails, *RECENT)

    assert printed.startswith("0 messages imported, 1 that amavisd had logged have their text now, ")
    assert MESSAGE.replace(b"\n", b"\r\n") == ours.run("show", "--raw", f"{MAIL_ID}[7]").stdout
    assert f"{ours.database}: good\n" == ours.output("db", "check")


def test_a_directory_that_is_not_there_is_an_error(ours):
    done = ours.run("import", "amavis-files", "absent")

    assert (66, b"lazaret: there is no directory absent\n") == (done.returncode, done.stderr)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user can reach, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_reads_what_only_its_owner_may_read_and_leaves_no_file_of_roots(place):
    from tests.support.installation import Installation

    ours = Installation(place)
    ours.output("db", "init")
    for path in (place, *place.rglob("*")):
        os.chown(path, 65534, 65534)
    closed = place / "virusmails"
    quarantine(closed, ["spam-file00000000.gz"])
    for path in (closed, *closed.rglob("*")):
        shutil.chown(path, 2, 2)
        path.chmod(0o700 if path.is_dir() else 0o600)
    ours.output("import", "amavis-files", closed, *RECENT)

    assert 1 == len(ours.rows("find", "--json"))
    assert {65534} == {path.stat().st_uid for path in place.glob("lazaret.db*")}


def test_a_configuration_becomes_ours_and_says_what_it_left_out(bare, tmp_path):
    folder = tmp_path / "conf.d"
    folder.mkdir()
    (folder / "20-defaults").write_text("$sa_tag2_level_deflt = 6.31;\n@av_scanners = ();\n")
    (folder / "50-user").write_text("$sa_tag2_level_deflt = 4;\n")
    (folder / "50-user~").write_text("$sa_tag2_level_deflt = 1;\n")
    done = bare.run("import", "amavis-conf", folder)

    assert (0, f"[levels]\nmark = 4.0  # {folder}/50-user:1\n") == (done.returncode, done.stdout.decode())
    assert f"{folder}/20-defaults:2: @av_scanners: set your virus scanner up anew\n" == done.stderr.decode()
    assert {"levels.mark": 4} == json.loads(bare.run("import", "amavis-conf", folder, "--json").stdout)[
        "settings"
    ]


def test_a_configuration_that_is_broken_or_missing_is_an_error(bare, tmp_path):
    (tmp_path / "amavisd.conf").write_text("$x = 'never closed;")

    assert 65 == bare.run("import", "amavis-conf", tmp_path / "amavisd.conf").returncode
    assert 66 == bare.run("import", "amavis-conf", tmp_path / "absent").returncode
