"""Making, checking, backing up and restoring the database."""

import sqlite3
import time
from contextlib import closing

import pytest
from tests.support.installation import ANN, QUARANTINE, Installation, message


@pytest.fixture
def copy(house, tmp_path):
    """A backup of the database in service."""
    file = tmp_path / "copy.db"
    house.lazaret.output("db", "backup", file)
    return file


@pytest.fixture
def elsewhere(tmp_path):
    """An installation with nothing in it, beside `copy`."""
    (tmp_path / "elsewhere").mkdir()
    return Installation(tmp_path / "elsewhere")


def test_init_makes_a_database_for_its_owner_alone_and_may_be_repeated(bare):
    for _ in range(2):
        assert f"{bare.database}: ready\n" == bare.output("db", "init")

    assert 0o600 == bare.database.stat().st_mode & 0o777
    assert "" == bare.output("find")
    assert f"{bare.database}: good\n" == bare.output("db", "check")


def test_init_makes_the_data_directory_for_its_owner_alone(bare):
    bare.output("db", "init", "--set", "store.data_dir=deep/data")

    assert 0o700 == (bare.home / "deep" / "data").stat().st_mode & 0o777


def test_a_backup_is_made_while_mail_comes_in(house, tmp_path):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="db backup")
    file = tmp_path / "copy.db"
    lines = house.lazaret.output("db", "backup", file).splitlines()

    assert f"{file}: good" == lines[-1]
    assert ["TABLE", "ROWS"] == lines[0].split()
    assert 0o600 == file.stat().st_mode & 0o777
    with closing(sqlite3.connect(file)) as database:
        assert [(1,)] == database.execute(
            "SELECT count(*) FROM quarantine WHERE mail_id = ?", [mail_id]
        ).fetchall()


def test_a_backup_is_never_written_over_a_file(house, copy):
    done = house.lazaret.run("db", "backup", copy)

    assert (73, 1) == (done.returncode, done.stderr.count(b"\n"))


def test_what_is_restored_can_be_released(house, tmp_path, elsewhere):
    mail_id = house.lazaret.send_found(QUARANTINE, subject="db restored")
    house.lazaret.output("db", "backup", tmp_path / "copy.db")
    lines = elsewhere.output("db", "restore", tmp_path / "copy.db").splitlines()

    assert f"{elsewhere.database}: restored" == lines[-1]
    assert f"{elsewhere.database}: good\n" == elsewhere.output("db", "check")
    assert message(QUARANTINE, subject="db restored") == elsewhere.run("show", "--raw", mail_id).stdout
    assert f"{mail_id} {ANN} 250 2.0.0" in elsewhere.output(
        "release", mail_id, "--set", f"relay.release={house.hop.at}"
    )


def test_a_restore_needs_an_empty_place(copy, elsewhere):
    elsewhere.output("db", "init")
    done = elsewhere.run("db", "restore", copy)

    assert (73, 1) == (done.returncode, done.stderr.count(b"\n"))
    assert str(elsewhere.database) in done.stderr.decode()


def test_a_restore_needs_a_backup(elsewhere):
    done = elsewhere.run("db", "restore", "absent.db")

    assert (66, b"lazaret: there is no backup absent.db\n") == (done.returncode, done.stderr)
    assert not elsewhere.database.exists()


def test_a_flipped_octet_of_a_stored_text_is_found(house, copy, elsewhere):
    house.lazaret.send_found(QUARANTINE, subject="db flipped")
    copy.unlink()
    house.lazaret.output("db", "backup", copy)
    octets = bytearray(copy.read_bytes())
    octets[octets.rindex(b"\n\n" + QUARANTINE.encode()) + 2] ^= 1
    copy.write_bytes(octets)

    checked = house.lazaret.run("db", "check", copy)
    restored = elsewhere.run("db", "restore", copy)

    assert 1 == checked.returncode
    assert b"its digest differs" in checked.stdout
    assert 65 == restored.returncode
    assert not elsewhere.database.exists()


def test_a_damaged_page_is_found(copy, bare):
    octets = bytearray(copy.read_bytes())
    octets[4096:8192] = b"\xff" * 4096
    copy.write_bytes(octets)
    done = bare.run("db", "check", copy)

    assert done.returncode in (1, 75)
    assert b"good" not in done.stdout


def test_a_check_of_what_is_no_database_names_it_and_the_way_out(bare):
    bare.database.write_bytes(b"This is no database at all.\n" * 400)
    done = bare.run("db", "check")

    assert (
        1,
        f"{bare.database}: file is not a database; `lazaret db restore` puts a backup in its place\n",
    ) == (done.returncode, done.stdout.decode())


def test_purge_removes_what_is_old_enough(elsewhere, copy):
    elsewhere.output("db", "restore", copy)
    with closing(sqlite3.connect(elsewhere.database)) as database:
        # Whenever others who use this installation have let them come.
        database.execute("UPDATE msgs SET time_num = ?", (int(time.time()) - 400 * 86400,))
        database.commit()
    count = int(elsewhere.output("find", "--all", "--count"))
    told = elsewhere.output("db", "purge", "--dry-run")
    longer = ("--set", 'quarantine.keep=["home.example 500"]')
    assert count == int(elsewhere.output("find", "--all", "--count"))
    assert "home.example" in told
    assert "0 texts" in elsewhere.output("db", "purge", "--dry-run", *longer)
    printed = elsewhere.output("db", "purge")

    assert count > 0
    assert "0\n" == elsewhere.output("find", "--all", "--count")
    assert printed.endswith(" messages removed\n")


def test_tables_that_are_current_need_no_upgrade(bare, tmp_path):
    bare.output("db", "init")

    assert f"{bare.database}: nothing to do\n" == bare.output("db", "upgrade", tmp_path / "before.db")
    assert not (tmp_path / "before.db").exists()
