"""How long a process has given no sign of life, less the time in which the machine did not let it run.

On a machine with far too much to do a process may wait for seconds until it is its turn. That says nothing
of it, nor of the message that it has under way. What it waited the kernel tells (/proc/PID/schedstat, which
is that of the main thread, where the beats come from); where it does not tell, silence is silence.
"""

import time
from pathlib import Path


class Silence:
    """Of several processes, each asked about every now and then."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[float, float]] = {}
        """Process id -> its last sign of life, and what it had waited when that was first seen."""

    def of(self, pid: int, sign: float) -> float:
        """Seconds since `sign`, which is the moment (time.monotonic()) of the last sign of life."""
        waited = _waited(pid)
        last, at = self._last.get(pid, (0.0, 0.0))
        if last != sign:
            self._last[pid] = sign, waited
            at = waited
        return time.monotonic() - sign - (waited - at)

    def forget(self, pid: int) -> None:
        """The process has ended."""
        self._last.pop(pid, None)


def _waited(pid: int) -> float:
    """Seconds in which it could have run and was not let."""
    try:
        _, nanoseconds, _ = Path(f"/proc/{pid}/schedstat").read_bytes().split()
    except (OSError, ValueError):
        return 0.0
    return int(nanoseconds) / 1e9
