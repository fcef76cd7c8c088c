"""Does a service that works for long grow, or grow slow? Steady mail at a share of what it can do.

    .venv/bin/python bench/soak.py CORPUS [--minutes M] [--load SHARE] [--workers N] [--set KEY=VALUE]…

First it is asked for all that it can do, for half a minute; then messages start at that share of the rate,
whether or not earlier ones are answered. Each line is a tenth of the time: what the messages waited, and the
memory of the largest worker and of all processes (pages that they share counted once).
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

from processes import cpu_s, pss_mb, rss_mb, tree
from road import PORT, SINK_PORT, running, send_all, serve, some

from lazaret.cli.demo_sink import Sink
from lazaret.config.endpoint import NextHop
from lazaret.model.delivery import Outgoing
from lazaret.model.envelope import Recipient
from lazaret.net.relay import Relay

CONNECTIONS = 16
PIECES = 10


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--load", type=float, default=0.8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    given = parser.parse_args()
    messages = some(given.corpus, 2000)
    with tempfile.TemporaryDirectory() as folder, Sink("127.0.0.1", SINK_PORT):
        command = serve(folder, PORT, SINK_PORT, given.workers, given.settings)
        with running(command):
            pass  # compiles the rules
        with running(command) as pid:
            rate = given.load * most(messages)
            print(f"{rate:.0f} messages a second, {given.load:.0%} of what was possible")
            asyncio.run(soak(pid, messages, rate, given.minutes * 60))


def most(messages: Sequence[bytes]) -> float:
    """Messages a second, with as many connections as will be used."""
    asyncio.run(send_all(messages[:200], PORT, CONNECTIONS))  # warm
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < 30:
        asyncio.run(send_all(messages, PORT, CONNECTIONS))
        done += len(messages)
    return done / (time.perf_counter() - began)


async def soak(pid: int, messages: Sequence[bytes], rate: float, seconds: float) -> None:
    relay = Relay(
        [NextHop.parse(f"smtp:[127.0.0.1]:{PORT}")], name="bench.example", max_connections=CONNECTIONS
    )
    coming = cycle(messages)
    for piece in range(PIECES):
        spent, waits = cpu_s(pid), await steady(relay, coming, rate, seconds / PIECES)
        waits.sort()
        print(
            f"{(piece + 1) * seconds / PIECES / 60:5.1f} min: {len(waits)} messages,"
            f" p50 {waits[len(waits) // 2] * 1000:.0f} ms, p99 {waits[int(len(waits) * 0.99)] * 1000:.0f} ms,"
            f" {(cpu_s(pid) - spent) / len(waits) * 1000:.2f} ms CPU each;"
            f" RSS {max(rss_mb(child) for child in tree(pid)):.0f} MB, PSS of all {pss_mb(pid):.0f} MB",
            flush=True,
        )
    await relay.close()


async def steady(relay: Relay, coming: "cycle[bytes]", rate: float, seconds: float) -> list[float]:
    """Starts a message whenever it is its time; how long each took, from then on."""
    waits: list[float] = []
    began = time.perf_counter()

    async def one(octets: bytes, due: float) -> None:
        await relay.send(Outgoing("a@example.org", (Recipient("b@example.net"),), octets))
        waits.append(time.perf_counter() - due)

    async with asyncio.TaskGroup() as group:
        for number, octets in enumerate(islice(coming, int(rate * seconds))):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(octets, due))
    return waits


if __name__ == "__main__":
    main()
