"""What stays in memory is gathered into pages of 2 MiB, so that the processor finds it with fewer look-ups.

A worker walks through tens of megabytes of rules and databases for every message: with pages of 4 KiB,
finding out where they lie costs it about a sixth of its time. (madvise(2), MADV_COLLAPSE, Linux 6.1)
"""

import ctypes
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

log = logging.getLogger("lazaret.worker")

_HUGE = 2 << 20
_MADV_COLLAPSE = 25


def gather() -> int:
    """Gathers the memory of this process as it is now; gives how many octets. 0 where Linux cannot do it.

    What a process shares with the one that it was forked from is its own afterwards.
    """
    try:
        maps = Path("/proc/self/maps").read_text()
        advise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return 0  # Another system than Linux.
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    gathered = 0
    for start, end in _whole_pages(maps.splitlines()):
        if advise(start, end - start, _MADV_COLLAPSE) == 0:
            gathered += end - start
    log.debug("%d MiB of memory in huge pages", gathered >> 20)
    return gathered


def _whole_pages(maps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where huge pages fit into what the program has written: the heap, and what has no name (proc(5)).

    What it has written and runs are the expressions that PCRE2 has compiled to the processor's code.
    """
    for line in maps:
        span, rights, _, _, _, *name = line.split(maxsplit=5)
        if rights in ("rw-p", "rwxp") and (not name or name[0] == "[heap]"):
            first, last = (int(address, 16) for address in span.split("-"))
            start, end = -(-first // _HUGE) * _HUGE, last // _HUGE * _HUGE
            if start < end:
                yield start, end
