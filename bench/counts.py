"""How much is done for a message? Counted, not timed: a busy machine gives nearly the same as an idle one.

    .venv/bin/python bench/counts.py INDEX.tsv [--machine] [--messages N] [--connections N] [--most N]
        [--state FOLDER]

INDEX.tsv and the service are as for bench/steps.py: one worker, SQLite, stock rules, a taught learner.
Counted are the bytecodes and calls of Python in all threads of the worker, by room and by function. With
--machine the worker runs under valgrind (Debian: valgrind): instructions, and what misses caches of 32 KiB
(I1mr, D1mr, D1mw) and of 512 KiB (ILmr, DLmr, DLmw), by library. FOLDER keeps the compiled rules and the
lessons for the next run. It varies by some percent with how many messages happen to be examined together.
"""

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import peers
import processes
from processes import cpu_s, serving, tree
from road import send_all
from steps import kept

from lazaret.cli.demo_sink import Sink

peers.PORT, peers.SINK_PORT = 12244, 12245
processes.START_S = 600.0
"""Valgrind takes fifty times as long."""
COUNTED = Path(__file__).with_name("counted.py")
REST_S = 2.0
"""The rows of history are written within a second."""
COLUMNS = ("Ir", "I1mr", "D1mr", "D1mw", "ILmr", "DLmr", "DLmw")
"""What of callgrind's events is shown."""


class Service(NamedTuple):
    """How it is started, and what begins and ends the counting in the worker with that pid."""

    command: Sequence[str]
    begin: Callable[[int], object]
    end: Callable[[int], object]


def main() -> None:
    given = arguments()
    mails = peers.labelled(given.index)
    half = len(mails) // 2
    measured = [mail.octets for mail in mails[half:][: given.messages]]
    warming = [mail.octets for mail in mails[half:][given.messages :][: peers.WARMING]]
    with (
        kept(given.state) as folder,
        tempfile.TemporaryDirectory() as out,
        Sink("127.0.0.1", peers.SINK_PORT),
    ):
        if not (folder / "sqlite").exists():
            peers.prepare(folder, "sqlite", mails[:half][: given.lessons])
        settings = peers.set_up(folder / "sqlite", "sqlite:///lazaret.db", 1)
        service = (by_machine if given.machine else by_python)(Path(out), settings)
        with serving(service.command, peers.PORT, folder / "serve.log") as pid:
            asyncio.run(send_all(warming, peers.PORT, given.connections))
            time.sleep(REST_S)
            worker = max(tree(pid)[1:], key=cpu_s)
            service.begin(worker)
            time.sleep(0.5)
            asyncio.run(send_all(measured, peers.PORT, given.connections))
            time.sleep(REST_S)
            service.end(worker)
            time.sleep(1)
        (show_machine if given.machine else show_python)(Path(out), len(measured), given.most)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("index", type=Path)
    parser.add_argument("--machine", action="store_true")
    parser.add_argument("--messages", type=int, default=100)
    parser.add_argument("--lessons", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--most", type=int, default=40)
    parser.add_argument("--state", type=Path)
    return parser.parse_args()


def by_python(out: Path, settings: Sequence[str]) -> Service:
    def toggle(worker: int) -> None:
        os.kill(worker, signal.SIGUSR2)

    return Service([sys.executable, str(COUNTED), str(out / "counts"), "serve", *settings], toggle, toggle)


def by_machine(out: Path, settings: Sequence[str]) -> Service:
    def control(*words: str) -> None:
        subprocess.run(["callgrind_control", *words], check=True, stdout=subprocess.DEVNULL)

    def end(worker: int) -> None:
        control("-i", "off", str(worker))
        control("-d", str(worker))

    callgrind = ["valgrind", "--tool=callgrind", "--trace-children=yes", "--instr-atstart=no"]
    callgrind += ["--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64", "--LL=524288,8,64"]
    command = [
        *callgrind,
        f"--callgrind-out-file={out}/%p",
        sys.executable,
        "-m",
        "lazaret",
        "serve",
        *settings,
    ]
    return Service(command, lambda worker: control("-i", "on", str(worker)), end)


def show_python(out: Path, messages: int, most: int) -> None:
    rows = [line.split("\t") for line in (out / "counts").read_text().splitlines()]
    found = [(int(done) / messages, int(calls) / messages, where, name) for done, calls, where, name in rows]
    print(f"{sum(f[0] for f in found):.0f} bytecodes and {sum(f[1] for f in found):.0f} calls a message\n")
    rooms: defaultdict[str, float] = defaultdict(float)
    for done, _, where, _ in found:
        rooms[room_of(where)] += done
    for room, done in sorted(rooms.items(), key=lambda one: -one[1])[:15]:
        print(f"{done:8.0f} {room}")
    print("\n  bytecodes    calls  where")
    for done, calls, where, name in sorted(found, reverse=True)[:most]:
        print(f"{done:11.1f} {calls:8.1f}  {where} {name}")


def room_of(where: str) -> str:
    """`lazaret/rules` for all that is in that room; files of Python's own stand for themselves."""
    path = where.partition(":")[0]
    return "/".join(path.split("/")[:2]) if path.startswith("lazaret/") else path


def show_machine(out: Path, messages: int, _most: int) -> None:
    found: dict[str, Counter[str]] = {}
    dump = max(out.iterdir(), key=lambda path: path.stat().st_size)
    for library, costs in own_costs(dump):
        found.setdefault(library.rpartition("/")[2], Counter()).update(costs)
    print("".join(f"{name:>12}" for name in COLUMNS) + "  a message")
    whole: Counter[str] = Counter()
    for costs in found.values():
        whole.update(costs)
    for title, costs in [("all", whole), *sorted(found.items(), key=lambda one: -one[1]["Ir"])[:15]]:
        print("".join(f"{costs[name] / messages:12.0f}" for name in COLUMNS) + f"  {title}")


def own_costs(dump: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """Library and events of each line of a profile, without those of what is called from there."""
    names: dict[str, str] = {}
    events: list[str] = []
    library, of_callee = "", False
    for line in dump.read_text().splitlines():
        key, _, value = line.partition("=")
        if line.startswith("events:"):
            events = line.split()[1:]
        elif key in ("ob", "cob"):
            number, name = re.fullmatch(r"(\(\d+\))(?: (.*))?", value).groups()  # type: ignore[union-attr]
            names.setdefault(number, name or "")
            library = names[number] if key == "ob" else library
        elif key == "calls":
            of_callee = True
        elif line[:1] in "+-*0123456789" and line:
            if not of_callee:
                yield library, dict(zip(events, map(int, line.split()[1:]), strict=False))
            of_callee = False


if __name__ == "__main__":
    main()
