"""Is a version dearer than another? Services of two checkouts take turns over the same messages.

    .venv/bin/python bench/turns.py INDEX.tsv CHECKOUT CHECKOUT… [--connections N,N] [--rounds N]

Each CHECKOUT is a folder where `make setup` was done. INDEX.tsv and the service are as for bench/peers.py
(SQLite, one worker). Where a machine is never as quick as a minute before, only what runs in turns compares:
each hundred messages go through one service, then through the next, in an order that changes from round to
round. Printed are the best round and the median of each hundred, in ms of CPU a message, and what a
message waited.
"""

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import peers
from processes import cpu_s, serving
from road import send_all

from lazaret.cli.demo_sink import Sink

peers.SINK_PORT = 12185
FIRST_PORT = 12174
CHUNK = 100
REST_S = 0.4
"""Rows of history are written within that, most of the time."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("index", type=Path)
    parser.add_argument("checkouts", type=Path, nargs="+")
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--lessons", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connections", type=lambda text: [int(n) for n in text.split(",")], default=[2, 8])
    given = parser.parse_args()
    mails = peers.labelled(given.index)
    half = len(mails) // 2
    lessons, measured = mails[:half][: given.lessons], mails[half:][: given.messages]
    warming = [mail.octets for mail in mails[half:][given.messages :][: peers.WARMING]]
    octets = [mail.octets for mail in measured]
    chunks = [octets[start : start + CHUNK] for start in range(0, len(octets), CHUNK)]
    with tempfile.TemporaryDirectory() as name, Sink("127.0.0.1", peers.SINK_PORT), ExitStack() as stack:
        peers.PORT = FIRST_PORT
        peers.prepare(Path(name), "sqlite", lessons)
        pids = []
        for number, checkout in enumerate(given.checkouts):
            own = Path(name, f"own-{number}")
            shutil.copytree(
                Path(name, "sqlite"), own, ignore=shutil.ignore_patterns("*.sock", "log", "*.lock")
            )
            peers.PORT = FIRST_PORT + number
            command = [str(checkout.resolve() / ".venv/bin/python"), "-m", "lazaret", "serve"]
            command += peers.set_up(own, "sqlite:///lazaret.db", 1)
            pids.append(stack.enter_context(serving(command, peers.PORT, own / "serve.log")))
            asyncio.run(send_all(warming, peers.PORT, 2))
        print("| connections | checkout | best ms | median ms | p50 ms | p99 ms |")
        print("| --- | --- | --- | --- | --- | --- |")
        for connections in given.connections:
            in_turns(given.checkouts, pids, chunks, connections, given.rounds)


def in_turns(
    checkouts: Sequence[Path],
    pids: Sequence[int],
    chunks: Sequence[Sequence[bytes]],
    connections: int,
    rounds: int,
) -> None:
    """All rounds with so many connections; prints a line for each checkout."""
    spent: dict[tuple[int, int], list[float]] = {}
    waits: dict[int, list[float]] = {number: [] for number in range(len(pids))}
    for round_ in range(rounds):
        order = [(round_ + place) % len(pids) for place in range(len(pids))]
        for place, chunk in enumerate(chunks):
            for number in order:
                before = cpu_s(pids[number])
                waits[number] += asyncio.run(send_all(chunk, FIRST_PORT + number, connections))
                time.sleep(REST_S)
                spent.setdefault((number, place), []).append(cpu_s(pids[number]) - before)
    each = 1000 / sum(map(len, chunks))
    for number, checkout in enumerate(checkouts):
        ways = [spent[number, place] for place in range(len(chunks))]
        best, middle = sum(map(min, ways)) * each, sum(map(statistics.median, ways)) * each
        slow = sorted(waits[number])
        p50, p99 = slow[len(slow) // 2] * 1000, slow[int(len(slow) * 0.99)] * 1000
        print(
            f"| {connections} | {checkout} | {best:.2f} | {middle:.2f} | {p50:.1f} | {p99:.1f} |", flush=True
        )


if __name__ == "__main__":
    sys.exit(main())
