"""Who a command is, and what it takes for a span of time."""

import os
import pwd
import tempfile
from pathlib import Path

import click
import pytest
from tests.support.installation import QUARANTINE, Installation, message

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
