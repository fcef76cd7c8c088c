"""`kill -9` of the process that writes the model, while others teach and judge: the bench, briefly."""

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "bench" / "kill_learner.py"


def test_no_lesson_is_lost_and_no_model_is_torn() -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM, "--seconds", "4", "--readers", "2"],
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "nothing lost, nothing torn" in done.stdout
