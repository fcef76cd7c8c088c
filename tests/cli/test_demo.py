"""The story in the terminal, from the first line to the last file removed."""

import os
import re
import select
import signal
import socket
import subprocess
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.installation import BYTECODE, COMMAND, FORGOTTEN, copy_rules

from lazaret.checks.rules import RulesCheck
from lazaret.cli.context import run_async
from lazaret.cli.demo_mail import LETTERS
from lazaret.cli.scanner import Scanner
from lazaret.config.load import load
from lazaret.rules import load as load_rules

REPOSITORY = Path(__file__).parents[2]
MARGIN = 0.5
"""How far a letter's score stays away from both levels of its band."""


@pytest.fixture
def place(tmp_path, rules_cache):
    """A folder for the demo's files, with a data directory that has the compiled rules."""
    (tmp_path / "data").mkdir()
    copy_rules(rules_cache, tmp_path / "data")
    (tmp_path / "tmp").mkdir()
    return tmp_path


@contextmanager
def demo(place, *words, **more):
    """The demo as a process that leaves what it leaves in `place`."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(FORGOTTEN)}
    process = subprocess.Popen(
        [*COMMAND, "demo", "--set", f"store.data_dir={place / 'data'}", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment
        | {"TMPDIR": str(place / "tmp"), "HOME": str(place), "PYTHONPYCACHEPREFIX": str(BYTECODE)},
        **more,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def picture():
    """What README.md shows of the story, without ids, times and the ends of lines."""
    shown = (REPOSITORY / "README.md").read_text().partition("$ lazaret find")[2].partition("```")[0]
    kept = [re.sub(r"^\S{12}( +[-0-9]{10} [:0-9]{5})?", "", line) for line in shown.splitlines()]
    return [line[:60] for line in kept if not line.startswith(("$", "..."))]


def left_behind(place):
    """What is in the folder for temporary files."""
    return list((place / "tmp").iterdir())


def test_the_letters_score_in_the_middle_of_their_bands(rules_cache):
    """A rule that moves a letter near to a level fails here, long before the story does."""
    levels = load(settings=["local.domains=harbour.example"], environment={}).levels
    bands = {
        "deliver": (-1000, levels.mark),
        "mark": (levels.mark, levels.quarantine),
        "quarantine": (levels.quarantine, levels.kill),
        "discard": (levels.kill, 2000),
    }
    checks = [RulesCheck(load_rules([], shipped=True, cache_dir=rules_cache))]
    assert list(bands) == [letter.fate for letter in LETTERS]
    for letter in LETTERS:
        config = load(settings=["local.domains=harbour.example"], environment={})
        scanner = Scanner(config, checks, letter.sender, letter.recipient, "", None)
        result = run_async(scanner.scan(letter.octets))
        low, high = bands[letter.fate]

        assert low + MARGIN <= result["score"] <= high - MARGIN, (letter.subject, result)
        assert letter.fate == result["action"]


def test_the_whole_story_is_told_without_a_terminal_and_nothing_is_left(place):
    with demo(place) as process:
        printed, said = process.communicate(timeout=60)
    text = printed.decode()

    assert 0 == process.returncode, said
    for line in (
        "delivered: X-Spam-Score: 0  X-Spam-Flag: NO  Subject: Arrival on Thursday",
        "Subject: ***SPAM*** ",
        "$ lazaret find subject:invoice since:7d",
        "Why it is here",
        "above the quarantine level 5.0.",
        "It arrived, octet by octet as it came in.",
    ):
        assert line in text
    assert 2 == text.count("    not delivered\n")
    assert "\x1b" not in text
    assert [] == left_behind(place)
    assert [] == [line for line in picture() if line not in text]


def test_other_ports_are_taken_when_somebody_listens(place):
    taken = []
    for port in (10024, 10025, 8025):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except OSError:
            pass  # somebody else has it, which serves as well
        taken.append(listener)
    try:
        with demo(place) as process:
            printed, said = process.communicate(timeout=60)
    finally:
        for listener in taken:
            listener.close()

    assert 0 == process.returncode, said
    assert not {b"10024", b"10025", b"8025"} & set(printed.split(b"\n")[0].rstrip(b".").split())


@pytest.mark.parametrize(
    ("ending", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_it_stays_until_it_is_ended_and_leaves_nothing(place, ending, status):
    def in_the_background_of_a_script():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    with demo(place, "--stay", start_new_session=True, preexec_fn=in_the_background_of_a_script) as process:
        lines = read_until(process.stdout, b"Ctrl-C ends it.")
        page = next(line for line in lines if line.startswith(b"The page is at ")).split()[4].decode()
        with urllib.request.urlopen(page, timeout=60) as answer:
            assert b"All is well." in answer.read()
        file = next(line for line in lines if b"--config" in line).split()[-1].decode()
        assert Path(file).exists()

        process.send_signal(ending)
        process.communicate(timeout=30)

    assert status == process.returncode
    assert [] == left_behind(place)


def test_a_service_that_cannot_start_fails_the_demo(place):
    with demo(place, "--set", "listen.smtp=192.0.2.1:25") as process:
        _, said = process.communicate(timeout=60)

    assert process.returncode not in (0, None)
    assert b"the service did not start" in said
    assert [] == left_behind(place)


def read_until(stream, last):
    """Lines up to the one that begins so; AssertionError when it does not come in a minute."""
    read = b""
    while not any(line.startswith(last) for line in read.splitlines()):
        readable, _, _ = select.select([stream], [], [], 60)
        octets = os.read(stream.fileno(), 65_536) if readable else b""
        assert octets, read
        read += octets
    return read.splitlines()
