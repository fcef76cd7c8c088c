"""No message, however it is made, costs a second of CPU or 200 MB: the whole scan, with the shipped rules."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.bombs import BOMBS
from tests.support.service import REPOSITORY

CPU_S = 1.0
BUSY = 3.0
"""Two logical processors often share one, and other tests work beside us."""
MEMORY_MB = 200


def test_no_bomb_costs_a_second_or_much_memory(tmp_path: Path, rules_cache: Path):
    shutil.copytree(rules_cache, tmp_path / "rules-cache")
    command = [
        sys.executable,
        str(REPOSITORY / "bench" / "torture.py"),
        "--json",
        "--data-dir",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert 0 == done.returncode, done.stderr[-2000:]
    rows = [json.loads(line) for line in done.stdout.splitlines()]

    assert list(BOMBS) == [row["name"] for row in rows]
    assert [] == [(row["name"], row["cpu_s"]) for row in rows if row["cpu_s"] > CPU_S * BUSY]
    assert [] == [(row["name"], row["memory_mb"]) for row in rows if row["memory_mb"] > MEMORY_MB]
    assert [] == [row["name"] for row in rows if row["unavailable"]]
