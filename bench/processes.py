"""What a process and all its children have cost: CPU time and memory, read from /proc."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
START_S = 120.0


def tree(root: int) -> list[int]:
    """The process and all that descend from it and live."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(int(entry))):
            children.setdefault(int(fields[1]), []).append(int(entry))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_s(*roots: int) -> float:
    """User and system time of the trees, of children that have ended too: servers replace theirs."""
    spent = 0
    for pid in chain.from_iterable(map(tree, roots)):
        fields = _stat(pid)
        spent += sum(int(field) for field in fields[11:15])
    return spent / TICKS


def waited_s(*roots: int) -> float:
    """So long the main threads of the trees were ready to run, and had no processor: other work had it."""
    waited = 0
    for pid in chain.from_iterable(map(tree, roots)):
        try:
            waited += int(Path(f"/proc/{pid}/schedstat").read_text().split()[1])
        except OSError:
            continue
    return waited / 1e9


def pss_mb(*roots: int) -> float:
    """Memory of the trees: pages that several processes share are counted once."""
    total = 0
    for pid in chain.from_iterable(map(tree, roots)):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(rollup.partition("\nPss:")[2].split()[0])
    return total / 1024


def rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def serving(command: Sequence[str], port: int, log: Path, env: dict[str, str] | None = None) -> Iterator[int]:
    """Runs a server in the foreground until the block ends; gives its pid once the port answers."""
    with (
        log.open("ab") as output,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **(env or {})}
        ) as process,
    ):
        try:
            await_port(port, str(command[0]), log, lambda: process.poll() is not None)
            yield process.pid
        finally:
            process.terminate()


def await_port(port: int, name: str, log: Path, ended: Callable[[], bool] = lambda: False) -> None:
    deadline = time.monotonic() + START_S
    while not answers(port):
        if ended() or time.monotonic() > deadline:
            sys.exit(f"{name} did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.02)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


def _stat(pid: int) -> list[str]:
    """The fields behind the name of the program; none when the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
