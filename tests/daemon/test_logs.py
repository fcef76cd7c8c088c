"""Where log lines go, and what can be in one."""

import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lazaret.config.load import load
from lazaret.config.options import Config
from lazaret.daemon import logs
from lazaret.model.errors import UserError

LOGGER = logging.getLogger("lazaret.test")
HOSTILE = "a\r\nJan  1 forged line\x1b[2J\x85\u2028\udcff"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    logger = logging.getLogger("lazaret")
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    yield
    for handler in set(logger.handlers) - set(handlers):
        handler.close()
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)


def config(folder: Path, to: str, log_format: str = "text") -> Config:
    settings = [f'store.data_dir="{folder}"', f'log.to="{to}"', f'log.format="{log_format}"']
    return load(None, settings, environment={})


def test_lines_look_as_syslog_writes_them(tmp_path: Path):
    logs.set_up(config(tmp_path, str(tmp_path / "log")))
    LOGGER.info("(1-1) Passed %s", "CLEAN")
    pattern = rf"[A-Z][a-z]{{2}} [ \d]\d [\d:]{{8}} \S+ lazaret\[{os.getpid()}\]: \(1-1\) Passed CLEAN\n"
    assert re.fullmatch(pattern, (tmp_path / "log").read_text())


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_a_peer_says_stays_on_one_line(tmp_path: Path, log_format: str):
    logs.set_up(config(tmp_path, str(tmp_path / "log"), log_format))
    LOGGER.warning("it said %s", HOSTILE)
    [line] = (tmp_path / "log").read_text().splitlines()
    assert line.isprintable()
    assert "it said a" in line


def test_a_traceback_keeps_its_lines(tmp_path: Path):
    logs.set_up(config(tmp_path, str(tmp_path / "log")))
    try:
        raise ValueError("x")
    except ValueError:
        LOGGER.exception("it failed")
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0].endswith(": it failed")
    assert "ValueError: x" == lines[-1]


def test_json_is_an_object_a_line_and_a_message_is_one_already(tmp_path: Path):
    logs.set_up(config(tmp_path, str(tmp_path / "log"), "json"))
    LOGGER.error("trouble")
    logging.getLogger("lazaret.mail").info("%s", '{"event":"message"}')
    first, second = (tmp_path / "log").read_text().splitlines()
    facts = json.loads(first)
    assert ("log", "error", "lazaret.test", "trouble") == (
        facts["event"],
        facts["level"],
        facts["room"],
        facts["text"],
    )
    assert '{"event":"message"}' == second


def test_a_file_that_is_rotated_away_is_made_anew(tmp_path: Path):
    logs.set_up(config(tmp_path, str(tmp_path / "log")))
    LOGGER.info("one")
    (tmp_path / "log").rename(tmp_path / "log.1")
    LOGGER.info("two")
    assert (tmp_path / "log").read_text().endswith(": two\n")


def test_a_place_that_cannot_be_written_leaves_the_old_one(tmp_path: Path):
    logs.set_up(config(tmp_path, str(tmp_path / "log")))
    with pytest.raises(UserError, match="No such file or directory") as failed:
        logs.set_up(config(tmp_path, str(tmp_path / "missing" / "log")))
    LOGGER.info("still here")
    assert 73 == failed.value.exit_code
    assert (tmp_path / "log").read_text().endswith(": still here\n")


def test_setting_up_again_writes_each_line_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    logs.set_up(config(tmp_path, "stderr"))
    logs.set_up(config(tmp_path, str(tmp_path / "log")))
    LOGGER.info("once")
    assert 1 == (tmp_path / "log").read_text().count("once")
    assert "" == capsys.readouterr().err
    assert sys.stderr.writable()


def test_the_file_is_known_by_its_path(tmp_path: Path):
    assert ["", "", str(tmp_path / "log")] == [
        logs.file_of(config(tmp_path, to)) for to in ("stderr", "syslog:mail", str(tmp_path / "log"))
    ]
