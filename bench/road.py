"""What does a message cost on the whole road: SMTP in, examined, decided, recorded, SMTP out?

    .venv/bin/python bench/road.py CORPUS [--messages N] [--workers N] [--connections N] [--set KEY=VALUE]…

CORPUS is a folder of messages. `lazaret serve` runs as anybody would start it, on SQLite, with a sink in this
process as its next hop. CPU is user and system time of all its processes; RSS is the largest worker's.
"""

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from processes import cpu_s, rss_mb, tree

from lazaret.cli.demo_sink import Sink
from lazaret.config.endpoint import NextHop
from lazaret.model.delivery import Outgoing
from lazaret.model.envelope import Recipient
from lazaret.net.relay import Relay

PORT, SINK_PORT = 12124, 12125


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    given = parser.parse_args()
    messages = some(given.corpus, given.messages)
    with tempfile.TemporaryDirectory() as folder, Sink("127.0.0.1", SINK_PORT):
        command = serve(folder, PORT, SINK_PORT, given.workers, given.settings)
        for start in ("first start ever", "start with compiled rules"):
            began = time.perf_counter()
            with running(command) as pid:
                print(f"{start}: ready after {time.perf_counter() - began:.2f} s")
                if start != "first start ever":
                    measure(pid, messages, given.connections)


def serve(folder: str, port: int, sink_port: int, workers: int, settings: Sequence[str]) -> list[str]:
    """The command that serves out of a folder of its own, without the page."""
    chosen = [
        f"store.data_dir={folder}",
        "store.min_free=0",
        f'listen.smtp=["127.0.0.1:{port}"]',
        "listen.http=",
        f"relay.next_hop=smtp:[127.0.0.1]:{sink_port}",
        f"workers.count={workers}",
        f"log.to={folder}/log",
        *settings,
    ]
    return [sys.executable, "-m", "lazaret", "serve", *(w for one in chosen for w in ("--set", one))]


def some(corpus: Path, number: int) -> list[bytes]:
    """So many messages of a folder, always the same ones."""
    paths = sorted(p for p in corpus.rglob("*") if p.is_file() and p.suffix not in (".tsv", ".md"))
    random.Random(1).shuffle(paths)
    return [as_on_the_wire(path.read_bytes()) for path in paths[:number]]


def as_on_the_wire(raw: bytes) -> bytes:
    """CRLF line ends, no mbox line."""
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"\r\n".join(lines[lines[0].startswith(b"From ") :]) + b"\r\n"


@contextmanager
def running(command: Sequence[str]) -> Iterator[int]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as service:
        assert service.stdout is not None
        if not service.stdout.readline().startswith(b"ready"):
            sys.exit("the service did not start")
        try:
            yield service.pid
        finally:
            service.terminate()


def measure(pid: int, messages: Sequence[bytes], connections: int) -> None:
    asyncio.run(send_all(messages[:100], PORT, connections))  # warm
    before, began = cpu_s(pid), time.perf_counter()
    waits = sorted(asyncio.run(send_all(messages, PORT, connections)))
    wall, spent = time.perf_counter() - began, cpu_s(pid) - before
    octets = sum(map(len, messages)) / len(messages)
    print(
        f"{len(messages)} messages of {octets / 1000:.1f} KB: {spent / len(messages) * 1000:.2f} ms CPU each,"
        f" {len(messages) / wall:.0f} a second over {connections} connections,"
        f" p50 {waits[len(waits) // 2] * 1000:.1f} ms, p99 {waits[int(len(waits) * 0.99)] * 1000:.1f} ms,"
        f" RSS {max(rss_mb(child) for child in tree(pid)):.0f} MB"
    )


async def send_all(messages: Sequence[bytes], port: int, connections: int) -> list[float]:
    """How many seconds each took until it was answered."""
    relay = Relay(
        [NextHop.parse(f"smtp:[127.0.0.1]:{port}")], name="bench.example", max_connections=connections
    )
    waiting, waits = iter(messages), []

    async def send() -> None:
        for octets in waiting:
            began = time.perf_counter()
            await relay.send(Outgoing("a@example.org", (Recipient("b@example.net"),), octets))
            waits.append(time.perf_counter() - began)

    await asyncio.gather(*(send() for _ in range(connections)))
    await relay.close()
    return waits


if __name__ == "__main__":
    main()
