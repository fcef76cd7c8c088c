"""What does a second worker bring? And what of its cost is the machine's?

    .venv/bin/python bench/scaling.py INDEX.tsv [--messages N] [--rounds N] [--state FOLDER]

INDEX.tsv and the service are as for bench/peers.py (SQLite). Client and next hop share the machine with the
service, so that messages a second tell little of it on two cores; CPU time does: a service that spends as
much on a message with two workers as with one takes twice as many where there is a core for each of them.
Four cases take turns: one worker; two workers of one service; two services of one worker each, which have
nothing in common, so that what these cost more is what two busy processes cost each other on this
machine (caches, memory, cores that are halves of one); and two workers with one message at a time.
CPU is user and system time of the whole process tree, without client and next hop, which are stated
beside it.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import peers
from processes import cpu_s, serving
from road import send_all
from steps import kept

from lazaret.cli.demo_sink import Sink

peers.SINK_PORT = 12165
FIRST_PORT = 12160
REST_S = 1.5
"""The rows of history are written within a second."""


class Case(NamedTuple):
    title: str
    services: int
    workers: int
    connections: int
    """To each service."""


CASES = (
    Case("1 worker", 1, 1, 2),
    Case("2 workers", 1, 2, 4),
    Case("2 services of 1 worker", 2, 1, 2),
    Case("2 workers, 1 message at a time", 1, 2, 1),
)


class Figures(NamedTuple):
    cpu_ms: float
    """Of a message, in the service."""
    besides_ms: float
    """In client and next hop."""
    per_s: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("index", type=Path)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--lessons", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--state", type=Path)
    given = parser.parse_args()
    mails = peers.labelled(given.index)
    half = len(mails) // 2
    lessons, measured = mails[:half][: given.lessons], mails[half:][: given.messages]
    warming = mails[half:][given.messages :][: peers.WARMING]
    found: dict[str, list[Figures]] = {}
    with kept(given.state) as folder, Sink("127.0.0.1", peers.SINK_PORT):
        peers.PORT = FIRST_PORT
        if not (folder / "sqlite").exists():
            peers.prepare(folder, "sqlite", lessons)
        for _ in range(given.rounds):
            for case in CASES:
                octets = [mail.octets for mail in measured]
                figures = one_round(case, folder / "sqlite", [mail.octets for mail in warming], octets)
                found.setdefault(case.title, []).append(figures)
    show(found)


def one_round(case: Case, state: Path, warming: list[bytes], measured: list[bytes]) -> Figures:
    with ExitStack() as stack:
        pids = []
        for number in range(case.services):
            own = state.with_name(f"own-{number}")
            shutil.rmtree(own, ignore_errors=True)
            shutil.copytree(state, own, ignore=shutil.ignore_patterns("*.sock", "log"))
            peers.PORT = FIRST_PORT + number
            command = [sys.executable, "-m", "lazaret", "serve"]
            command += peers.set_up(own, "sqlite:///lazaret.db", case.workers)
            pids.append(stack.enter_context(serving(command, peers.PORT, own / "serve.log")))
        # Each worker makes ready for itself what it meets for the first time.
        send(case, warming * case.services * case.workers)
        time.sleep(REST_S)
        before, own_before, began = cpu_s(*pids), own_cpu_s(), time.perf_counter()
        send(case, measured)
        wall, besides = time.perf_counter() - began, own_cpu_s() - own_before
        time.sleep(REST_S)
        spent = cpu_s(*pids) - before
    each = 1000 / len(measured)
    return Figures(spent * each, besides * each, len(measured) / wall)


def send(case: Case, messages: Sequence[bytes]) -> None:
    """To each service its share, at the same time."""
    shares = [messages[number :: case.services] for number in range(case.services)]
    threads = [
        threading.Thread(
            target=lambda share=share, port=FIRST_PORT + number: asyncio.run(
                send_all(share, port, case.connections)
            )
        )
        for number, share in enumerate(shares)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def own_cpu_s() -> float:
    times = os.times()
    return times.user + times.system


def show(found: dict[str, list[Figures]]) -> None:
    """Medians, the range of CPU, and how many times as many messages two such cores would take as one."""
    print("| | CPU ms (range) | messages a second of CPU | 2 cores to 1 | client, next hop ms | messages/s |")
    print("| --- | --- | --- | --- | --- | --- |")
    one = statistics.median(figures.cpu_ms for figures in found[CASES[0].title])
    for title, rounds in found.items():
        cpu = sorted(figures.cpu_ms for figures in rounds)
        middle = statistics.median(cpu)
        times = "" if title == CASES[0].title else f"{2 * one / middle:.2f}"
        besides = statistics.median(figures.besides_ms for figures in rounds)
        per_s = statistics.median(figures.per_s for figures in rounds)
        print(
            f"| {title} | {middle:.2f} ({cpu[0]:.2f} to {cpu[-1]:.2f}) | {1000 / middle:.0f} | {times}"
            f" | {besides:.2f} | {per_s:.0f} |"
        )


if __name__ == "__main__":
    main()
