"""Ports for servers that are about to start.

The system gives none of them to a client meanwhile, as it would those that it chooses for port 0: on a
machine with many connections the server would find its port taken.
"""

import random
import socket
from pathlib import Path

_LEAST = 10_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_chance = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nobody listens, another one at each call."""
    most = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    while True:
        number = _chance.randrange(_LEAST, most)
        if number in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                continue
        _given.add(number)
        return number


def free_ports(count: int) -> list[int]:
    """So many of them."""
    return [free_port() for _ in range(count)]
