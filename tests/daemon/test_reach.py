"""Whether another user can read the program, judged without becoming that user."""

import os

import pytest

from lazaret.config.account import Account
from lazaret.daemon import reach
from lazaret.daemon.reach import can_read, load_what_is_closed
from lazaret.model.errors import UserError

ME = Account(os.geteuid(), os.getegid())
STRANGER = Account(ME.uid + 4711, ME.gid + 4711)
FELLOW = Account(ME.uid + 4711, ME.gid)


@pytest.fixture
def folder(tmp_path):
    """A folder inside another one; both of a mode that the test chooses, all above open to everybody."""
    closed = [p for p in tmp_path.parents if p.stat().st_uid == ME.uid and not p.stat().st_mode & 0o001]
    modes = {p: p.stat().st_mode for p in (*closed, tmp_path)}
    for place in modes:
        place.chmod(0o755)
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    yield tmp_path / "outer" / "inner"
    for place, mode in modes.items():
        place.chmod(mode)


def test_an_open_folder_is_read_by_everybody(folder):
    assert [True] * 3 == [can_read(who, folder) for who in (ME, FELLOW, STRANGER)]


def test_a_folder_inside_a_closed_one_is_closed(folder):
    folder.parent.chmod(0o700)

    assert [True, False, False] == [can_read(who, folder) for who in (ME, FELLOW, STRANGER)]


def test_the_rights_of_the_group_hold_for_its_members_alone(folder):
    folder.chmod(0o750)

    assert [True, True, False] == [can_read(who, folder) for who in (ME, FELLOW, STRANGER)]


def test_lazaret_itself_must_be_readable(folder, monkeypatch):
    folder.chmod(0o700)
    monkeypatch.setattr(reach, "_PROGRAM", folder)

    with pytest.raises(UserError, match="install Lazaret where all users can") as error:
        load_what_is_closed(STRANGER)
    assert 77 == error.value.exit_code
