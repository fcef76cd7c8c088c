"""Who a command is, and what it takes for a span of time."""

import os
import pwd
import tempfile
from pathlib import Path

import click
import pytest
from tests.support.installation import QUARANTINE, Installation, copy_rules, message

from lazaret.cli.context import SPAN

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", 5400.0), ("24h", 86_400.0), ("7d", 604_800.0), ("2w", 1_209_600.0)]
)
def test_a_span_of_time_is_a_number_and_a_unit(text, seconds):
    assert seconds == SPAN.convert(text, None, None)


@pytest.mark.parametrize("text", ["", "d", "7", "-1d", "1.5h", "7 d", "7y", "٣d", "9" * 400 + "d"])
def test_anything_else_is_none(text):
    with pytest.raises(click.BadParameter, match="write 90m, 24h or 7d"):
        SPAN.convert(text, None, None)


@pytest.fixture
def of_nobody():
    """An installation that belongs to the user nobody, in a place that he can reach."""
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory(prefix="lazaret-nobody-") as name:
        home = Path(name)
        lazaret = Installation(home)
        lazaret.anew = True  # what is loaded late is to be found by the other user as well
        for path in (home, *home.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        yield lazaret


def owners(lazaret):
    """The users to whom files of the installation belong."""
    return {pwd.getpwuid(path.stat().st_uid).pw_name for path in lazaret.home.rglob("*")}


@AS_ROOT
def test_no_command_of_root_leaves_a_file_of_roots(of_nobody):
    of_nobody.output("db", "init")
    of_nobody.output("scan", stdin=message(QUARANTINE))
    of_nobody.output("find")
    of_nobody.output("stats")
    of_nobody.output("db", "backup", of_nobody.home / "copy.db")
    of_nobody.output("db", "purge")
    of_nobody.output("db", "check")

    assert {"nobody"} == owners(of_nobody)


@AS_ROOT
def test_the_shipped_rules_judge_the_same_whoever_root_becomes(of_nobody, rules_cache, tmp_path):
    """Even where Python itself is closed to him: codecs and public suffixes are read late."""
    text = "=D0=9F =E2=82=AC http://xn--e1afmkfd.xn--p1ai/ http://192.0.2.1/"
    header = "Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    shipped = ("scan", "--now", "1770026400", "--set", "rules.shipped=true")
    (tmp_path / "roots").mkdir()
    seen = []
    for lazaret in (of_nobody, Installation(tmp_path / "roots")):
        copy_rules(rules_cache, lazaret.home)
        (row,) = lazaret.rows(*shipped, stdin=message(text, header=header))
        seen.append((row["score"], row["hits"], row["unavailable"]))

    assert seen[0] == seen[1]
    assert seen[0][1]
    assert [] == seen[0][2]


@AS_ROOT
def test_a_restore_of_root_belongs_to_the_owner_of_the_data_directory(of_nobody):
    of_nobody.output("db", "init")
    copy = of_nobody.home / "copy.db"
    of_nobody.output("db", "backup", copy)
    of_nobody.database.unlink()
    of_nobody.output("db", "restore", copy)

    assert {"nobody"} == owners(of_nobody)


@AS_ROOT
def test_a_backup_where_the_owner_may_not_write_is_refused_in_one_line(of_nobody, tmp_path):
    of_nobody.output("db", "init")
    done = of_nobody.run("db", "backup", tmp_path / "copy.db")

    said = f"lazaret: {tmp_path / 'copy.db'}: Permission denied (as user nobody)\n"
    assert (77, said) == (done.returncode, done.stderr.decode())
