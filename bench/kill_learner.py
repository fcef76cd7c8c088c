"""Is a lesson lost, or a model torn, when the learner is killed again and again while all others go on?

Usage: kill_learner.py [--seconds N] [--readers N]: one process teaches, one makes the model and is killed,
the others judge. At the end the model must hold each lesson that was acknowledged, and be the one that an
undisturbed learner makes of the journal. Exit status 1 when anything is not as it should be.
"""

import argparse
import asyncio
import math
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import Process, Queue
from pathlib import Path

import numpy as np

from lazaret.flow.learner import Learner, open_writer
from lazaret.learn import packing
from lazaret.learn.features import HASH_BITS, Features
from lazaret.learn.known import Shared
from lazaret.learn.model import ZONES, Counter, Model
from lazaret.learn.model_file import LIVE, SNAPSHOT, ModelBusy, Reader
from lazaret.model.lesson import Lesson
from lazaret.store.opening import Store, open_store

URL = "sqlite:///lazaret.db"
MOST_LOG_ODDS = 40.0
"""No sound model says more: its zones are limited."""
LESSON_S = 0.01


def drawn(seed: int, *, spam: bool) -> Features:
    """Features of a message that was never written: some of its class, some of both."""
    draw = np.random.default_rng(seed)
    own = draw.integers(0, 3000, 150) * (2 if spam else 3) + (0 if spam else 1 << 20)
    both = draw.integers(0, 6000, 150) + (1 << 21)
    zones = draw.integers(0, ZONES, 300) << HASH_BITS
    return np.unique((np.concatenate([own, both]) + zones).astype(np.uint32))


def lesson(number: int) -> Lesson:
    spam = number % 2 == 0
    features = packing.pack(drawn(number, spam=spam))
    return Lesson(b"%032d" % number, spam, f"cli:{number % 7}", features)


def open_place(folder: Path) -> Store:
    return open_store(URL, folder, create=False)


def follow(folder: Path) -> None:
    """The learner, until it is killed."""

    async def work() -> None:
        store = open_place(folder)
        secret = await store.lessons.secret()
        while True:
            try:
                writer = open_writer(folder, secret)
                break
            except ModelBusy:
                await asyncio.sleep(0.01)
        learner = Learner(store.lessons, writer)
        while True:
            if not await learner.step():
                await asyncio.sleep(0.02)

    asyncio.run(work())


def teach(folder: Path, until: float, acknowledged: "Queue[int]") -> None:
    """Lesson after lesson, single ones and some together; now and then a correction."""

    async def work() -> int:
        store, number, draw = open_place(folder), 0, random.Random(1)
        while time.time() < until:
            some = [lesson(n) for n in range(number, number + draw.choice((1, 1, 1, 5, 20)))]
            await store.lessons.teach(some)
            number += len(some)
            if draw.random() < 0.05:
                other = lesson(draw.randrange(number))
                await store.lessons.teach([Lesson(other.digest, not other.spam, other.who, other.features)])
            await asyncio.sleep(LESSON_S)
        store.close()
        return number

    acknowledged.put(asyncio.run(work()))


def judge(folder: Path, until: float, done: "Queue[tuple[int, str]]") -> None:
    """What a worker does: it looks whether there is another model, and judges."""
    known, count, seen_most = Shared(folder), 0, 0.0
    wrong = ""
    while time.time() < until and not wrong:
        known.refresh()
        score = Model(known.memory).judge(drawn(10_000_000 + count, spam=count % 2 == 0)).score
        seen = float(known.memory.counters[Counter.SPAM_SEEN] + known.memory.counters[Counter.HAM_SEEN])
        seen_most = max(seen_most, seen)
        if not math.isfinite(score) or abs(score) > MOST_LOG_ODDS:
            wrong = f"the score is {score}"
        if not np.isfinite(known.memory.table[:: 1 << 12]).all():
            wrong = "the table holds what is no number"
        count += 1
        if count % 50 == 0:
            time.sleep(0.005)
    done.put((count, wrong or ("" if seen_most else "nothing was ever known")))


def kill_again_and_again(folder: Path, until: float) -> int:
    """How often."""
    draw, times = random.Random(2), 0
    while time.time() < until:
        victim = started(follow, folder)
        time.sleep(min(draw.uniform(0.05, 2.0), max(until - time.time(), 0.05)))
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        times += 1
    return times


def started(work: Callable[..., None], *arguments: object) -> Process:
    process = Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


async def faults(folder: Path, acknowledged: int) -> list[str]:
    """What is wrong with the model, once all is learned."""
    store = open_place(folder)
    secret = await store.lessons.secret()
    figures = await store.lessons.figures()
    writer = open_writer(folder, secret)
    await Learner(store.lessons, writer).catch_up()
    writer.close()
    survived = Reader(folder, secret)
    found = []
    if figures.spam + figures.ham != acknowledged:
        found.append(f"{acknowledged} lessons acknowledged, {figures.spam + figures.ham} in the journal")
    if (survived.spam, survived.ham) != (figures.spam, figures.ham):
        found.append(
            f"the model has {survived.spam} + {survived.ham} of {figures.spam} + {figures.ham} lessons"
        )
    fresh = folder / "undisturbed"
    fresh.mkdir()
    tables = []
    for place in (folder, fresh):
        for name in (LIVE, SNAPSHOT):
            (place / name).unlink(missing_ok=True)
        writer = open_writer(place, secret)
        await Learner(store.lessons, writer).catch_up()
        writer.close()
        tables.append(Reader(place, secret).table)
    if not np.array_equal(tables[0], tables[1]):
        found.append("the journal makes another model on another host")
    mean = float(np.abs(survived.table - tables[0]).mean())
    if not np.isfinite(survived.table).all() or mean > 0.01:
        found.append(f"the model is not the one that the journal makes: {mean:g}")
    store.close()
    return found


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=60.0)
    arguments.add_argument("--readers", type=int, default=3)
    options = arguments.parse_args()
    multiprocessing.set_start_method("fork")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        open_store(URL, folder, create=True).close()
        acknowledged: Queue[int] = Queue()
        done: Queue[tuple[int, str]] = Queue()
        until = time.time() + options.seconds
        others = [started(judge, folder, until, done) for _ in range(options.readers)]
        others.append(started(teach, folder, until, acknowledged))
        killed = kill_again_and_again(folder, until)
        lessons = acknowledged.get(timeout=60)
        judged = [done.get(timeout=60) for _ in range(options.readers)]
        wrong = [text for _, text in judged if text] + asyncio.run(faults(folder, lessons))
    print(
        f"{lessons} lessons acknowledged, {sum(n for n, _ in judged)} messages judged by {options.readers} "
        f"readers, the learner killed {killed} times: {'; '.join(wrong) or 'nothing lost, nothing torn'}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
