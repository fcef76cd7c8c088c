"""Which file is read, and where relative paths begin."""

import os
from pathlib import Path

import pytest

from lazaret.config.locate import base_directory, config_file

NOWHERE = Path("/dev/null/nowhere")
"""A path at which nothing can be."""


def test_without_any_word_the_system_file_is_read_when_it_is_there(tmp_path):
    file = tmp_path / "lazaret.toml"
    assert (None, "") == config_file(None, {}, system_file=file)
    file.touch()

    assert (file, "") == config_file(None, {}, system_file=file)


def test_an_empty_variable_names_no_file(tmp_path):
    assert (None, "") == config_file(None, {"LAZARET_CONFIG": ""}, system_file=tmp_path / "none.toml")


def base(environment, euid=1000, system_state=NOWHERE):
    return base_directory(None, environment, euid=euid, system_state=system_state)


def test_systemd_names_the_directory_of_the_state():
    assert Path("/var/lib/a") == base({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "HOME": "/h"})


def test_the_state_of_the_system_is_used_by_its_owner(tmp_path):
    owner = os.stat(tmp_path).st_uid

    assert tmp_path == base({"HOME": "/h"}, euid=owner, system_state=tmp_path)


def test_the_state_of_the_system_is_used_by_root(tmp_path):
    assert tmp_path == base({"HOME": "/h"}, euid=0, system_state=tmp_path)


def test_the_state_of_another_is_left_alone(tmp_path):
    stranger = os.stat(tmp_path).st_uid + 1

    assert Path("/h/.local/state/lazaret") == base({"HOME": "/h"}, euid=stranger, system_state=tmp_path)


@pytest.mark.parametrize(
    ("state_home", "expected"),
    [("/s", "/s/lazaret"), ("relative", "/h/.local/state/lazaret"), ("", "/h/.local/state/lazaret")],
)
def test_else_the_state_lies_in_the_home(state_home, expected):
    assert Path(expected) == base({"HOME": "/h", "XDG_STATE_HOME": state_home})


def test_a_file_is_the_beginning_of_its_paths(tmp_path):
    environment = {"STATE_DIRECTORY": "/elsewhere"}

    assert tmp_path == base_directory(tmp_path / "lazaret.toml", environment, euid=1000)
