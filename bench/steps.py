"""Where does the CPU time of a message go? Each step of the road, and each process of the service.

    .venv/bin/python bench/steps.py INDEX.tsv [--messages N] [--rounds N] [--state FOLDER] [--set KEY=VALUE]…

INDEX.tsv lists labelled messages (label, tab, path), as for bench/peers.py, and Lazaret is set up as there:
stock rules, its own, a learner that was taught, SQLite. One worker serves with a clock of its thread's CPU
around each step (bench/traced.py); a step's time is without that of the steps inside it. The clocks cost a
microsecond or two each, so that the sum is a little above what `make bench-peers` says. The first round is of
messages that the worker has not seen, the others are of the same ones again. FOLDER keeps the compiled rules
and the lessons for the next run.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import peers
from processes import serving, tree
from road import send_all

from lazaret.cli.demo_sink import Sink

peers.PORT, peers.SINK_PORT = 12144, 12145
"""So that it may run beside another bench."""
TRACED = Path(__file__).with_name("traced.py")
REST_S = 1.5
"""The rows of history are written within a second."""
Ledger = dict[str, dict[str, tuple[float, int]]]
"""Process -> step -> seconds of CPU, and how often."""


def main() -> None:
    given = arguments()
    mails = peers.labelled(given.index)
    half = len(mails) // 2
    lessons, measured = mails[:half][: given.lessons], mails[half:][: given.messages]
    warming = mails[half:][given.messages :][: given.warming]
    with kept(given.state) as folder, Sink("127.0.0.1", peers.SINK_PORT):
        if not (folder / "sqlite").exists():
            peers.prepare(folder, "sqlite", lessons)
        settings = peers.set_up(folder / "sqlite", "sqlite:///lazaret.db", 1)
        settings += [word for one in given.settings for word in ("--set", one)]
        told = folder / "told"
        told.mkdir(exist_ok=True)
        command = [sys.executable, str(TRACED), str(told), "serve", *settings]
        with serving(command, peers.PORT, folder / "serve.log") as pid:
            send(warming)
            before = ask(pid, told)
            for number in range(given.rounds):
                send(measured)
                after = ask(pid, told)
                show(difference(before, after), len(measured), f"round {number + 1}")
                before = after


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("index", type=Path)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--lessons", type=int, default=600)
    parser.add_argument("--warming", type=int, default=peers.WARMING)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    return parser.parse_args()


@contextmanager
def kept(state: Path | None) -> Iterator[Path]:
    if state is not None:
        state.mkdir(exist_ok=True)
        yield state
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def send(mails: Sequence[peers.Mail]) -> None:
    asyncio.run(send_all([mail.octets for mail in mails], peers.PORT, 2))
    time.sleep(float(os.environ.get("REST", "1.5")))  # the rows of history are written within a second


def ask(root: int, told: Path) -> Ledger:
    """What every process of the service has spent so far; it writes that down when it is signalled."""
    pids = tree(root)
    for pid in pids:
        (told / str(pid)).unlink(missing_ok=True)
        os.kill(pid, signal.SIGUSR2)
    found: Ledger = {}
    for pid in pids:
        path = told / str(pid)
        deadline = time.monotonic() + 5
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        if path.exists():
            name, steps = json.loads(path.read_text())
            found[name] = {step: (spent, times) for step, (spent, times) in steps.items()}
    return found


def difference(before: Ledger, after: Ledger) -> Ledger:
    found: Ledger = {}
    for name, steps in after.items():
        known = before.get(name, {})
        for step, (spent, times) in steps.items():
            spent_before, times_before = known.get(step, (0.0, 0))
            found.setdefault(name, {})[step] = (spent - spent_before, times - times_before)
    return found


def show(spent: Ledger, messages: int, title: str) -> None:
    whole = sum(seconds for steps in spent.values() for seconds, _ in steps.values())
    print(f"\n{title}: {whole / messages * 1000:.3f} ms of CPU a message, all processes\n")
    print("| process | step | ms a message | times a message |")
    print("| --- | --- | --- | --- |")
    for name, steps in spent.items():
        own = sum(seconds for seconds, _ in steps.values())
        print(f"| {name} | | {own / messages * 1000:.3f} | |")
        for step, (seconds, times) in sorted(steps.items(), key=lambda one: -one[1][0]):
            if seconds / messages >= 0.5e-6:
                print(f"| | {step} | {seconds / messages * 1000:.3f} | {times / messages:.2f} |")


if __name__ == "__main__":
    main()
