"""Hostile clients beside good ones, through a real service; bench/flood.py is the same with 500."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.support.flood import good_mail, hostile_clients
from tests.support.next_hop import HopThread
from tests.support.service import service

BODY = b"Subject: news\r\n\r\nHello."
LIMITS = """
[limits]
memory = "8 MiB"
command_time_s = 2
message_time_s = 2
"""
WAIT_S = 5.0
"""Alone on a machine it is a tenth of a second; the other tests take their share."""


def memory(pid: int) -> int:
    """Resident memory of a process in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 // 1_000_000


def test_hostile_clients_keep_no_mail_waiting(tmp_path: Path, hop: HopThread, free_port: Callable[[], int]):
    port = free_port()
    with service(tmp_path, smtp=port, hop=hop.port, more=LIMITS) as running:
        before = max(memory(pid) for pid in running.children())
        with hostile_clients(port, 70):
            outcome = asyncio.run(good_mail(port, connections=20, seconds=5, pause_s=1, body=BODY))
        after = max(memory(pid) for pid in running.children())
        log = running.log()

    assert {} == outcome.refused
    assert len(outcome.seconds) >= 20
    assert outcome.percentile(0.99) < WAIT_S
    assert after - before < 200
    assert "is cut off: no whole command in " in log
    assert "is cut off: no whole message (" in log
    assert "octets and more dropped: limits.memory" in log
