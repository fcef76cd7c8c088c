"""What the start of a command costs: CPU time (user + system) of the whole process, best and median of 10.

    bench/commands.py [RUNS]

The database is empty and the message is small, so that the figures are those of the start.
"""

import os
import statistics
import sys
import tempfile
from pathlib import Path

RUNS = 10
MESSAGE = b"From: <a@out.example>\r\nTo: <b@home.example>\r\nSubject: news\r\n\r\nHello.\r\n"
COMMANDS = (
    ("--help",),
    ("find", "--help"),
    ("find",),
    ("find", "--json", "from:spam.com", "since:7d"),
    ("show", "abcdefghijkl"),
    ("release", "abcdefghijkl"),
    ("scan", "message.eml"),
    ("rules", "explain", "GTUBE"),
    ("config", "check"),
)


def cpu_ms(*words: str) -> float:
    """CPU time of one run of the command; its output goes nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    command = [sys.executable, "-m", "lazaret", *words]
    outputs = [(os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in (0, 1, 2)]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=outputs)
    os.close(null)
    _, _, used = os.wait4(pid, 0)
    return (used.ru_utime + used.ru_stime) * 1000


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with tempfile.TemporaryDirectory(prefix="lazaret-bench-") as directory:
        os.chdir(directory)
        Path("message.eml").write_bytes(MESSAGE)
        Path("lazaret.toml").write_text("[local]\ndomains = ['home.example']\n")
        os.environ["LAZARET_CONFIG"] = "lazaret.toml"
        for words in (("db", "init"), ("scan", "message.eml")):  # the database, and the compiled rules
            cpu_ms(*words)
        print(f"CPU ms of the start, {runs} runs      best  median")
        for words in COMMANDS:
            found = [cpu_ms(*words) for _ in range(runs)]
            print(f"lazaret {' '.join(words):30} {min(found):6.0f}  {statistics.median(found):6.0f}")


if __name__ == "__main__":
    main()
