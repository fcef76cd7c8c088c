"""Searching, releasing, purging, backing up and restoring a large quarantine on each kind of database.

.venv/bin/python bench/store_kinds.py [--messages 1000000] [--kinds sqlite,mariadb,postgresql]
    [--corpus FOLDER] [--keep FOLDER] [--from FILE] [--steps warm,cold,counts,release,mixed,backup,purge]

The servers are private ones, made for the run; they write to the disk as they do in service. With `--keep`
the databases stay in FOLDER/KIND, and are used again by the next run and by bench/web.py. With `--from` the
messages are restored from a backup instead of being written. A round asks each shape of query with values of
its own: 50 messages, as a page shows them. Cold: the service and its server are started anew, what the system
keeps of their files in memory is let go, and the service has read ahead what it does when it starts. Printed:
the median and the 95th percentile, of the time and of the CPU time of all processes.
"""

import argparse
import asyncio
import random
import signal
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from large import Place, Shape, fill, later, vocabulary  # beside this file

from lazaret.flow.expire import BATCH, PAUSE_S
from lazaret.model.delivery import Answer
from lazaret.model.errors import Reply
from lazaret.model.keeping import DAY_S, Keeping
from lazaret.model.quarantine import Item
from lazaret.store.backup import backup
from lazaret.store.check import check_database
from lazaret.store.opening import Store
from lazaret.store.reader import SearchStopped
from lazaret.store.sqlite import SqliteDatabase
from store import START

ROUNDS = 20
COLD_ROUNDS = 3
QUERIES = {
    "newest page": "",
    "deep page": "",
    "from: domain": "from:d{n}.example",
    "rare word": "zyzzyva{n}",
    "word of the body": "body:{hundreds}",
    "common word": "{common}",
    "rare and common word": "zyzzyva{n} {common}",
    "two common words": "{first} {common}",
    "phrase": '"{first} {common}"',
    "rule": "rule:RULE_{n}",
    "score range": "score:>{n}.3 score:<{n}.4",
    "three combined": "from:d{n}.example rule:RULE_2 score:>9",
    "no result": "from:nobody{n}@nowhere.example",
}
AT_ONCE = 50


class Clock:
    """The time, and the CPU time of this process and the server's."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._began = time.perf_counter()
        self._cpu = self._used()

    def read(self) -> tuple[float, float]:
        return time.perf_counter() - self._began, self._used() - self._cpu

    def _used(self) -> float:
        return time.process_time() + self._place.server_cpu()


STEPS = "warm,cold,counts,release,mixed,backup,purge"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--kinds", default="sqlite,mariadb,postgresql")
    parser.add_argument("--corpus", type=Path, help="a folder of messages, whose words are used")
    parser.add_argument("--copies", type=int, default=1, help="how often each text is there, on a server")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the databases stay")
    parser.add_argument("--from", dest="source", type=Path, help="a backup, instead of messages made here")
    parser.add_argument("--backup", type=Path, help="where the backup of the first kind goes, for --from")
    parser.add_argument("--cold", type=int, default=COLD_ROUNDS, help="cold rounds")
    parser.add_argument("--steps", default=STEPS, help=f"of {STEPS}")
    given = parser.parse_args()
    # So that its server is stopped, whoever ends it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    for kind in given.kinds.split(","):
        with nullcontext(given.keep / kind) if given.keep else tempfile.TemporaryDirectory() as folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            place = Place(kind, Path(folder), kept=given.keep is not None)
            try:
                if place.is_filled:
                    place.upgrade()
                else:
                    fill(place, Shape(given.messages, corpus=given.corpus, copies=given.copies), given.source)
                asyncio.run(measure(place, given))
            finally:
                place.close()


async def measure(place: Place, given: argparse.Namespace) -> None:
    steps, known = given.steps.split(","), vocabulary(place)
    store = place.open()
    print(f"{place.kind}: {place.size() / 1e6:.0f} MB on disk; wall and CPU time", flush=True)
    deep = [item async for item in store.quarantine.find("", limit=min(2000, given.messages // 2))][-1].cursor
    if "warm" in steps:
        for name, query in QUERIES.items():
            await measure_query(place, store, known, name, query, deep if name == "deep page" else "")
    if "cold" in steps:
        store.close()
        store = await measure_cold(place, known, deep, given.cold)
    if "counts" in steps:
        await measure_counts(place, store, known)
    if "release" in steps:
        await measure_release(place, store)
    if "mixed" in steps:
        await measure_mixed(place, store, known, given.messages)
    if "backup" in steps:
        await measure_backup(place, store, given.backup or place.folder / "backup")
    if "purge" in steps:
        await measure_purge(place, store, given.messages)
    store.close()


def filled_in(query: str, known: list[str], n: int) -> str:
    """A shape of query with the values of round `n`."""
    n = n % 10 + 1
    return query.format(n=n, first=known[0], common=known[n], hundreds=known[n * 100])


async def ask(store: Store, query: str, after: str) -> list[Item] | None:
    """A page; None when it was stopped."""
    try:
        return [item async for item in store.quarantine.find(query, limit=50, after=after)]
    except SearchStopped:
        return None


async def measure_query(
    place: Place, store: Store, known: list[str], name: str, query: str, after: str
) -> None:
    times: list[tuple[float, float]] = []
    stopped = most = 0
    for n in range(ROUNDS):
        clock = Clock(place)
        answer = await ask(store, filled_in(query, known, n), after)
        times.append(clock.read())
        stopped += answer is None
        most = max(most, len(answer or ()))
        if sum(wall for wall, _ in times) > 20:
            break
    report(name, times, f"{most} messages" + (f", {stopped} of {len(times)} stopped" if stopped else ""))


async def measure_cold(place: Place, known: list[str], deep: str, rounds: int) -> Store:
    """Every shape alone after a cold start; the store that was opened last."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in QUERIES}
    for n in range(rounds):
        for name, query in QUERIES.items():
            place.cool()
            store = place.open()
            await store.rehearse()
            await asyncio.to_thread(store.warm)
            await asyncio.sleep(0.2)  # its connection ends, whose process had CPU time
            clock = Clock(place)
            await ask(store, filled_in(query, known, n + 3), deep if name == "deep page" else "")
            times[name].append(clock.read())
            store.close()
    for name, some in times.items():
        report(f"cold {name}", some, "from the disk")
    return place.open()


async def measure_counts(place: Place, store: Store, known: list[str]) -> None:
    for query in ("", known[0], known[10], "rule:RULE_2", "score:>9"):
        times = []
        for _ in range(10):
            clock = Clock(place)
            try:
                number = await store.quarantine.count(query, most=10_001)
            except SearchStopped:
                print(f"  count {query!r} stopped after 2 s")
                break
            times.append(clock.read())
        if times:
            report(f"count {query or 'all'}", times, f"{number}, to 10,000")


async def measure_release(place: Place, store: Store) -> None:
    """Without the next hop's time."""
    times = []
    items = [item async for item in store.quarantine.find("", limit=60)]
    for number, item in enumerate(items):
        clock = Clock(place)
        await store.quarantine.text(item.mail_id)
        claims = await store.quarantine.claim(
            item.mail_id,
            [copy.address for copy in item.copies],
            who="bench",
            resent_message_id=f"<{time.time_ns()}.{number}@bench>",
            digest=b"d",
            again=True,
        )
        answers = [Answer(one.recipient, Reply(250, "2.0.0", "Ok")) for one in claims]
        await store.quarantine.settle(claims, answers)
        times.append(clock.read())
    report("release", times, "read, claimed, recorded")


async def measure_mixed(place: Place, store: Store, known: list[str], messages: int) -> None:
    """How many messages are stored a second while somebody searches without a pause."""
    over = False

    async def search() -> int:
        asked = 0
        while not over:
            for query in ("", "from:d7.example", "rule:RULE_77", known[900]):
                await ask(store, query, "")
                asked += 1
        return asked

    searching = asyncio.create_task(search())
    dice, number = random.Random(time.time_ns()), messages + 1_000_000
    entries = [later(place, dice, number + n) for n in range(2_000)]
    clock = Clock(place)
    for first in range(0, len(entries), AT_ONCE):
        await asyncio.gather(*(store.journal.keep(entry) for entry in entries[first : first + AT_ONCE]))
    (took, cpu), over = clock.read(), True
    asked = await searching
    print(
        f"  {len(entries) / took:.0f} stored a second while {asked / took:.0f} pages were asked for", end=""
    )
    print(f" ({cpu:.1f} of {took:.1f} s CPU)", flush=True)


async def measure_backup(place: Place, store: Store, file: Path) -> None:
    clock = Clock(place)
    await asyncio.to_thread(backup, store.database, file)
    took, cpu = clock.read()
    print(f"  backup: {took:.0f} s, {cpu:.0f} s CPU, {keep_words(place, file) / 1e6:.0f} MB", flush=True)
    clock = Clock(place)
    faults = await asyncio.to_thread(check_database, SqliteDatabase(file))
    took, cpu = clock.read()
    print(f"  proven: {took:.0f} s, {cpu:.0f} s CPU: {'; '.join(faults) or 'whole'}", flush=True)


def keep_words(place: Place, file: Path) -> int:
    """Puts the words of the messages beside a backup; its size."""
    file.with_name(file.name + ".words").write_bytes((place.folder / "words").read_bytes())
    return file.stat().st_size


async def measure_purge(place: Place, store: Store, messages: int) -> None:
    """The oldest tenth, while mail comes in."""
    now = START + messages // 10 * 20 + 30 * DAY_S
    times: list[tuple[float, float]] = []
    over = False

    async def come_in() -> None:
        dice, number = random.Random(time.time_ns()), messages
        while not over:
            entry = later(place, dice, number)
            clock = Clock(place)
            await store.journal.keep(entry)
            times.append(clock.read())
            number += 1
            await asyncio.sleep(0.02)

    coming = asyncio.create_task(come_in())
    clock, removed = Clock(place), 0
    async for count in store.retention.purge(Keeping(30, 30, 30), now=now, batch=BATCH):
        removed += count
        await asyncio.sleep(PAUSE_S)
    (took, cpu), over = clock.read(), True
    await coming
    print(f"  purge: {removed} steps in {took:.0f} s, {cpu:.0f} s CPU ({messages // 10} messages)")
    most = quantile([wall for wall, _ in times], 0.99) * 1e3
    report("keep meanwhile", times, f"p99 {most:.0f} ms, {len(times)} messages")


def report(name: str, times: list[tuple[float, float]], what: str) -> None:
    """Of the time and of the CPU time."""
    figures = ""
    for some in zip(*times, strict=True):
        half, most = statistics.median(some) * 1e3, quantile(list(some), 0.95) * 1e3
        figures += f"  p50 {half:7.1f}  p95 {most:7.1f} ms"
    print(f"  {name:26}{figures}  {what}", flush=True)


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


if __name__ == "__main__":
    main()
