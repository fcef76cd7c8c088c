"""The service as examples/lazaret.service confines it: what it may do, and that it needs no more."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.next_hop import HopThread
from tests.support.service import REPOSITORY, send, service, until

UNIT = REPOSITORY / "examples" / "lazaret.service"
EXPOSURE = 1.5
"""Out of 10, where 10 is a service that may do everything."""

_READ_ONLY = """
set -e
mount --make-rprivate /
mkdir -p "$0/data"
mount --bind "$0/data" "$0/data"
for place in / /tmp /run /var /dev/shm; do
    mountpoint -q "$place" && mount -o remount,bind,ro "$place"
done
if touch "$0/elsewhere" 2>/dev/null; then exit 99; fi
exec "$@"
"""
"""Everything is read-only but the data directory; $0 is the folder of the test."""


def test_the_unit_gives_away_next_to_nothing():
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze (package systemd)")
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
    )
    found = re.search(r"Overall exposure level for lazaret\.service: ([0-9.]+)", told.stdout)
    if found is None:
        pytest.skip(f"this systemd-analyze reads no unit files: {told.stderr.strip()[:200]}")
    assert float(found[1]) <= EXPOSURE


@pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace of its own needs root")
def test_nothing_is_written_outside_the_data_directory(
    tmp_path: Path, hop: HopThread, free_port: Callable[[], int]
):
    probe = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"no mount namespace here: {probe.stderr.strip()}")
    port = free_port()
    wrap = ["unshare", "--mount", "sh", "-c", _READ_ONLY, str(tmp_path)]
    with service(tmp_path, smtp=port, hop=hop.port, wrap=wrap) as running:
        assert send(port).startswith("250 ")
        assert send(port, "These wonder pills.").startswith("250 ")
        until(lambda: "Blocked SPAM" in running.log())
        old = running.children()
        running.reload()
        running.wait_for_log("reload: done")
        until(lambda: not set(old) & set(running.children()))
        assert send(port).startswith("250 ")
        log = running.log()

    assert "Read-only" not in log
    assert "Traceback" not in log
