"""Waits for what other processes do, looking every 20 ms."""

import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(what: str, look: Callable[[], T], *, within_s: float = 60.0) -> T:
    """The first true value of `look`; AssertionError that names `what` when none comes in time."""
    end = time.monotonic() + within_s
    while True:
        if seen := look():
            return seen
        assert time.monotonic() < end, f"waited {within_s:g} s for {what}"
        time.sleep(0.02)


def accepts(port: int) -> bool:
    """Whether somebody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
