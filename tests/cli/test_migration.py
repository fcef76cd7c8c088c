"""The commands of docs/migration.md, in the order in which they stand there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.e2e import documented
from tests.support.amavis_files import quarantine
from tests.support.installation import COMMAND

PAGE = Path(__file__).parents[2] / "docs" / "migration.md"
COMMANDS = re.findall(r"^\$ (lazaret .*)$", PAGE.read_text(), re.MULTILINE)
AMAVISD_CONF = """\
use strict;
@local_domains_maps = (['.home.example']);
$sa_tag2_level_deflt = 4; $sa_kill_level_deflt = 6; $final_spam_destiny = D_DISCARD;
$forward_method = 'smtp:[127.0.0.1]:10025';
1;
"""


@pytest.fixture
def machine(tmp_path):
    """What amavisd leaves on a machine, below one directory."""
    (tmp_path / "etc/amavis/conf.d").mkdir(parents=True)
    (tmp_path / "etc/amavis/conf.d/50-user").write_text(AMAVISD_CONF)
    quarantine(tmp_path / "var/lib/amavis/virusmails", ["spam-a.gz", "b/virus-b"])
    (tmp_path / "etc/lazaret").mkdir()
    postfix = tmp_path / "etc/postfix"
    postfix.mkdir()
    (postfix / "main.cf").write_text(
        "compatibility_level = 3.6\n" + documented.blocks("main.cf", "after-queue-lmtp")
    )
    (postfix / "master.cf").write_text(
        "smtp inet n - n - - smtpd\n" + documented.blocks("master.cf", "after-queue-lmtp")
    )
    return tmp_path


def run(machine: Path, command: str) -> str:
    words = command.partition(" > ")[0].split()[1:]
    words = [f"{machine}{word}" if word.startswith("/") else word for word in words]
    if words[0] == "doctor":
        words += ["--postfix", f"{machine}/etc/postfix"]
    if words[:2] != ["import", "amavis-conf"]:
        words += ["--config", f"{machine}/etc/lazaret/lazaret.toml", "--set", "quarantine.keep_days=36500"]
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=120, cwd=machine)
    assert 0 == done.returncode, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.skipif(not shutil.which("postconf"), reason="needs the package postfix")
def test_the_commands_of_the_page_take_amavisd_over_and_look_after_it(machine):
    assert len(COMMANDS) == 11
    printed = {}
    for command in COMMANDS:
        printed[command] = run(machine, command)
        _, redirected, file = command.partition(" > ")
        if redirected:
            Path(f"{machine}{file}").write_text(printed[command])

    assert "quarantine = 6.0" in (machine / "etc/lazaret/lazaret.toml").read_text()
    assert printed["lazaret doctor"].endswith("nothing is wrong\n")
    assert 2 == printed["lazaret find state:quarantined"].count("quarantined")
    assert "" == printed["lazaret report --since 7d"]
