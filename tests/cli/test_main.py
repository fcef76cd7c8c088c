"""What holds for every command: help, --config and --set in any place, and one line for an error."""

import shutil
from contextlib import suppress

import click
import pytest
from tests.support.installation import COMMAND
from tests.support.small_disk import small_disk

from lazaret.cli.main import main

NEED_A_DATABASE = (
    *(("find",), ("find", "--count"), ("show", "abcdefghijkl"), ("release", "abcdefghijkl")),
    *(("delete", "abcdefghijkl"), ("undelete", "abcdefghijkl"), ("report",), ("stats",)),
    *(("db", "check"), ("db", "backup", "copy.db"), ("db", "purge")),
)


def pages():
    """The words of every command and group."""
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        yield (name,)
        if isinstance(command, click.Group):
            yield from ((name, sub) for sub in command.list_commands(context))


@pytest.mark.parametrize("words", list(pages()), ids=" ".join)
def test_help_says_what_a_command_does_and_names_config_and_set(words, capsys):
    main.main([*words, "--help"], prog_name="lazaret", standalone_mode=False)
    page = capsys.readouterr().out

    assert page.startswith(f"Usage: lazaret {' '.join(words)} [OPTIONS]")
    assert "--config FILE" in page
    assert "--set KEY=VALUE" in page
    assert "..." not in page.partition("\n")[2], "a sentence was cut"


@pytest.mark.parametrize("words", NEED_A_DATABASE, ids=" ".join)
def test_a_missing_database_is_named(bare, words):
    done = bare.run(*words)

    assert (66, b"") == (done.returncode, done.stdout)
    assert done.stderr.decode() == (
        f"lazaret: there is no database {bare.database}; is that the service's store.url, or is --config"
        " missing? `lazaret db init` makes one\n"
    )
    assert not bare.database.exists()


def test_config_and_set_stand_before_and_after_name_and_arguments(bare):
    for before, between, after in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        given = ["--set", "levels.mark=4.25"]
        words = [*given * before, "config", *given * between, "explain", *given * after]
        done = bare.run(*words)

        assert "4.25" in next(
            line for line in done.stdout.decode().splitlines() if line.startswith("levels.mark")
        )


def test_the_last_set_of_a_key_counts(bare):
    printed = bare.output("--set", "levels.mark=1", "config", "explain", "--set", "levels.mark=2")

    assert "2.0" == next(line for line in printed.splitlines() if line.startswith("levels.mark")).split()[1]


def test_a_configuration_that_cannot_be_is_a_line_with_its_place(bare):
    bare.file.write_text("[levels]\nmark = 'x'\nquarantin = 4\n")
    done = bare.run("find")
    lines = done.stderr.decode().splitlines()

    assert 78 == done.returncode
    assert f"lazaret: {bare.file}:2: levels.mark: expected a number" in lines[0]
    assert f"{bare.file}:3: " in lines[1]
    assert "quarantine" in lines[1]


def test_a_wrong_use_is_one_line_that_names_the_help(bare):
    for words, said in (
        (["release"], "lazaret release: missing argument 'ID…'. Try lazaret release --help"),
        (["fnd"], "lazaret: no such command 'fnd'. Try lazaret --help"),
        (["find", "--limit", "0"], "lazaret find: invalid value for '--limit': 0 is less than 1. Try"),
        (["simulate", "--quarantine", "a"], "invalid value for '--quarantine': 'a' is no number. Try"),
        (
            ["stats", "--since", "week"],
            "lazaret stats: invalid value for '--since': 'week' is no span",
        ),
        (["show", "a", "--raw", "--json"], "lazaret show: only one of --raw, --headers and --json"),
    ):
        done = bare.run(*words)
        lines = done.stderr.decode().splitlines()

        assert (64, 1) == (done.returncode, len(lines)), lines
        assert said in lines[0]


def test_a_file_that_may_not_be_read_is_one_line(bare):
    bare.database.mkdir()
    done = bare.run("db", "backup", bare.home / "nowhere" / "copy.db")

    assert 66 == done.returncode
    assert 1 == done.stderr.count(b"\n")


def test_a_database_that_is_none_says_so_and_may_be_tried_again(bare):
    bare.database.write_bytes(b"This is no database at all.\n" * 400)
    done = bare.run("find")

    assert 75 == done.returncode
    assert f"lazaret: database {bare.database}: the file is not an SQLite database\n" == done.stderr.decode()


def test_a_full_disk_is_called_full(bare):
    """Reading needs room too, for the file that SQLite shares between processes."""
    with small_disk(bare.home / "small", "1m") as disk:
        bare.run("db", "init")
        place = disk / "lazaret.db"
        shutil.copy(bare.database, place)
        with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))
        done = bare.run("find", "--set", f"store.url=sqlite:///{place}")

        assert (75, f"lazaret: database {place}: the disk is full\n") == (
            done.returncode,
            done.stderr.decode(),
        )


def test_a_command_must_be_named(bare):
    done = bare.run(command=COMMAND)

    assert (64, b"lazaret: missing command. Try lazaret --help\n") == (done.returncode, done.stderr)


def test_the_version_is_told(capsys):
    from lazaret import __version__

    main.main(["--version"], prog_name="lazaret", standalone_mode=False)

    assert f"lazaret, version {__version__}\n" == capsys.readouterr().out
