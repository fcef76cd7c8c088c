"""What counts as a change of the rule files."""

import os
from pathlib import Path

import pytest

from lazaret.rules.watch import Watch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.cf").write_text("score A 1\ninclude more.inc\n")
    (tmp_path / "b.cf").write_text("score B 1\n")
    (tmp_path / "more.inc").write_text("score C 1\n")
    return tmp_path


def looked_twice(watch: Watch) -> list[str]:
    return watch.changes() + watch.changes()


def test_files_that_stay_as_they_are_have_not_changed(folder: Path):
    watch = Watch([folder])

    assert [] == looked_twice(watch)
    assert not watch.unsettled


def test_new_changed_and_missing_files_are_named(folder: Path):
    watch = Watch([folder])
    (folder / "a.cf").write_text("score A 12\n")
    (folder / "b.cf").unlink()
    (folder / "c.pre").touch()
    (folder / "notes.txt").touch()

    assert [f"{folder}/a.cf has changed", f"{folder}/b.cf is gone", f"{folder}/c.pre is new"] == looked_twice(
        watch
    )
    assert [] == looked_twice(watch)


def test_a_change_of_the_time_alone_counts(folder: Path):
    watch = Watch([folder / "b.cf"])
    os.utime(folder / "b.cf", ns=(1, 1))

    assert [f"{folder}/b.cf has changed"] == looked_twice(watch)


def test_an_included_file_is_watched_too(folder: Path):
    watch = Watch([folder])
    (folder / "more.inc").write_text("score C 12\n")

    assert [f"{folder}/more.inc has changed"] == looked_twice(watch)


def test_a_change_counts_only_once_it_has_stayed_the_same(folder: Path):
    watch = Watch([folder])
    for size in range(1, 4):
        (folder / "b.cf").write_text("#" * size)

        assert [] == watch.changes()
        assert watch.unsettled
    assert [f"{folder}/b.cf has changed"] == watch.changes()
    assert not watch.unsettled


def test_a_path_that_is_gone_is_a_change_and_no_error(folder: Path):
    (folder / "deep").mkdir()
    (folder / "deep" / "x.cf").touch()
    watch = Watch([folder / "deep"])
    (folder / "deep").rename(folder / "away")

    assert [f"{folder}/deep/x.cf is gone"] == looked_twice(watch)
