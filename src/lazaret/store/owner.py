"""Which process holds a claim, so that one that a crash left open is told from one at work.

A process is known by its machine's boot and by its id with its start time: ids are used again.
"""

import os
import socket
from pathlib import Path

PATIENCE_S = 900
"""A claim older than this is uncertain whatever its owner does: no transaction with an MTA takes longer."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> str:
    """`host boot pid start`, as `lz_releases.owner` keeps it."""
    pid = os.getpid()
    return f"{socket.gethostname()} {_boot()} {pid} {_start(pid)}"


def is_at_work(owner: str, claimed: float, now: float) -> bool:
    """Whether the owner of a claim made at `claimed` may still be sending; on another machine for a while."""
    if now - claimed > PATIENCE_S:
        return False
    host, boot, pid, start = (*owner.split(" "), "", "", "")[:4]
    if host != socket.gethostname():
        return True
    return boot == _boot() and pid.isdecimal() and start == _start(int(pid)) != ""


def _boot() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return "-"


def _start(pid: int) -> str:
    """Start time of a process in clock ticks since the boot; "" when there is none with this id."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    # A zombie has ended: it sends nothing any more.
    return "" if fields[0] in "ZX" else fields[19]
