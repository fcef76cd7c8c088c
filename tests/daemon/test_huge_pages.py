"""Memory in huge pages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lazaret.daemon import huge_pages

GATHERING = """
import hashlib, mmap, os
from lazaret.daemon import huge_pages

def anonymous():
    lines = open("/proc/self/smaps").read().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages:")) >> 10

kept = mmap.mmap(-1, 16 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
kept.write(os.urandom(16 << 20))
before = hashlib.sha256(kept).digest()
gathered = huge_pages.gather()
print(gathered >> 20, anonymous(), before == hashlib.sha256(kept).digest())
"""


needs_collapse = pytest.mark.skipif(
    tuple(map(int, os.uname().release.split(".")[:2])) < (6, 1)
    or not Path("/sys/kernel/mm/transparent_hugepage").is_dir(),
    reason="this Linux gathers no memory",
)


@needs_collapse
def test_what_is_in_memory_lies_in_huge_pages_and_is_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", GATHERING], capture_output=True, text=True, check=True)
    gathered, huge, same = done.stdout.split()
    assert int(gathered) >= 12
    assert int(huge) >= 12
    assert "True" == same


def test_only_memory_that_is_written_and_has_no_file_is_gathered() -> None:
    maps = [
        "00400000-00c00000 r-xp 00000000 fe:00 1 /usr/bin/python3",
        "01000000-01100000 rw-p 00000000 00:00 0 [heap]",
        "02100000-02900000 rw-p 00000000 00:00 0 ",
        "03000000-03400000 rw-s 00000000 00:00 5 /dev/zero (deleted)",
        "04000000-04800000 rw-p 00000000 fe:00 7 /var/lib/lazaret/model",
        "05000000-05800000 ---p 00000000 00:00 0 ",
        "06000000-06400000 rwxp 00000000 00:00 0 ",
    ]
    assert [(0x02200000, 0x02800000), (0x06000000, 0x06400000)] == list(huge_pages._whole_pages(maps))
