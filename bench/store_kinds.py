"""Searching, releasing, purging, backing up and restoring a large quarantine on each kind of database.

.venv/bin/python bench/store_kinds.py [--messages 1000000] [--kinds sqlite,mariadb,postgresql] [--from FILE]

The servers are private ones, made for the run; they write to the disk as they do in service. With `--from`
the messages are restored from a backup instead of being written one by one. A round asks each shape of query
with values of its own: 50 messages, as a page shows them. Cold: the service and its server are started anew,
and what the system keeps of their files in memory is let go. Printed: the median and the 95th percentile.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support import databases
from tests.support.ports import free_port

from lazaret.flow.expire import BATCH, PAUSE_S
from lazaret.model.delivery import Answer
from lazaret.model.errors import Reply
from lazaret.model.keeping import DAY_S, Keeping
from lazaret.model.quarantine import Item
from lazaret.store.backup import backup, restore
from lazaret.store.locating import locate
from lazaret.store.opening import Store, open_store
from lazaret.store.reader import SearchStopped
from store import START, message  # beside this file

ROUNDS = 40
COLD_ROUNDS = 3
QUERIES = {
    "newest page": "",
    "deep page": "",
    "from: domain": "from:d{n}.example",
    "rare word": "zyzzyva{n}",
    "word of the body": "body:word{n}00",
    "common word": "word{n}",
    "phrase": '"word1 word{n}"',
    "rule": "rule:RULE_{n}",
    "score range": "score:>{n}.3 score:<{n}.4",
    "three combined": "from:d{n}.example rule:RULE_2 score:>9",
    "no result": "from:nobody{n}@nowhere.example",
}
AT_ONCE = 50


class Place:
    """Where the database of one kind lies, and how it is started anew."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self._server: databases.Server | None = None
        self.url = "sqlite:///lazaret.db"
        if kind != "sqlite":
            databases.open_way(folder / "x")
            folder.chmod(0o755)
            self._server = databases.Server(kind, folder / "server", free_port())
            self._server.folder.mkdir()
            self._server.make()
            self._server.start(careful=True, memory="1G")
            self._server.make_user()
            self._server.admin(f"CREATE DATABASE mail{' OWNER lazaret' if kind == 'postgresql' else ''}")
            self.url = databases.Running(kind, self._server.port, 0, "").url("mail")

    def open(self, *, create: bool = False) -> Store:
        return open_store(self.url, self.folder, create=create, password=databases.PASSWORD)

    def cool(self) -> None:
        """Stops the server, and lets go of what the system keeps in memory of the files."""
        if self._server is not None:
            self._server.stop()
        for file in self.folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                descriptor = os.open(file, os.O_RDONLY)
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)
        if self._server is not None:
            self._server.start(careful=True, memory="1G")

    def size(self) -> int:
        folder = self.folder / "server" if self._server else self.folder
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    def close(self) -> None:
        if self._server is not None:
            self._server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--kinds", default="sqlite,mariadb,postgresql")
    parser.add_argument("--from", dest="source", type=Path, help="a backup, instead of messages made here")
    parser.add_argument("--keep", type=Path, help="where the backup of the first kind goes, for --from")
    parser.add_argument("--cold", type=int, default=COLD_ROUNDS, help="cold rounds; 0: none")
    given = parser.parse_args()
    for kind in given.kinds.split(","):
        with tempfile.TemporaryDirectory() as folder:
            place = Place(kind, Path(folder))
            try:
                asyncio.run(measure(place, given))
            finally:
                place.close()


async def measure(place: Place, given: argparse.Namespace) -> None:
    messages, source = given.messages, given.source
    if source:
        start = time.perf_counter()
        target = locate(place.url, place.folder, databases.PASSWORD)
        await asyncio.to_thread(restore, source, target)
        print(f"{place.kind}: restored in {time.perf_counter() - start:.0f} s", flush=True)
        store = place.open()
    else:
        store = place.open(create=True)
        await fill(place.kind, store, messages)
    await store.writer.run(lambda connection: None)
    analyse(place, store)
    print(f"  {place.size() / 1e6:.0f} MB on disk", flush=True)
    deep = [item async for item in store.quarantine.find("", limit=min(2000, messages // 2))][-1].cursor
    for name, query in QUERIES.items():
        await measure_query(store, name, query, deep if name == "deep page" else "", ROUNDS)
    store.close()
    store = await measure_cold(place, deep, given.cold)
    await measure_counts(store)
    await measure_release(store)
    await measure_mixed(store, messages)
    await measure_backup(store, given.keep or place.folder / "backup")
    await measure_purge(store, messages)
    store.close()


async def fill(kind: str, store: Store, messages: int) -> None:
    began = time.perf_counter()
    dice = random.Random(2)
    for first in range(0, messages, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, messages))
        entries = [message(dice, number, stored=True, octets=2_000) for number in numbers]
        await asyncio.gather(*(store.journal.keep(entry) for entry in entries))
        if first % 50_000 == 0:
            print(f"  {first} in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    took = time.perf_counter() - began
    print(f"{kind}: {messages} messages, {messages / took:.0f} a second", flush=True)


def analyse(place: Place, store: Store) -> None:
    """What autovacuum does by itself in service."""
    if place.kind != "postgresql":
        return
    connection = store.database.connect(writing=True, patient=True)
    connection.execute("ANALYZE")
    connection.close()


async def ask(store: Store, query: str, after: str) -> tuple[float, list[Item]] | None:
    """How long a page took, and the page; None when it was stopped."""
    start = time.perf_counter()
    try:
        found = [item async for item in store.quarantine.find(query, limit=50, after=after)]
    except SearchStopped:
        return None
    return time.perf_counter() - start, found


async def measure_query(store: Store, name: str, query: str, after: str, rounds: int) -> None:
    times: list[float] = []
    stopped = most = 0
    for n in range(rounds):
        answer = await ask(store, query.format(n=n % 10 + 1), after)
        if answer is None:
            stopped += 1
            times.append(2.0)
        else:
            times.append(answer[0])
            most = max(most, len(answer[1]))
        if sum(times) > 20:
            break
    report(name, times, f"{most} messages" + (f", {stopped} of {len(times)} stopped" if stopped else ""))


async def measure_cold(place: Place, deep: str, rounds: int) -> Store:
    """Every shape alone after a cold start; the store that was opened last."""
    times: dict[str, list[float]] = {name: [] for name in QUERIES}
    for n in range(rounds):
        for name, query in QUERIES.items():
            place.cool()
            store = place.open()
            answer = await ask(store, query.format(n=n + 3), deep if name == "deep page" else "")
            times[name].append(answer[0] if answer else 2.0)
            store.close()
    for name, some in times.items() if rounds else ():
        report(f"cold {name}", some, "from the disk")
    return place.open()


async def measure_counts(store: Store) -> None:
    for query in ("", "word1"):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            try:
                await store.quarantine.count(query, most=10_001)
            except SearchStopped:
                print(f"  count {query!r} stopped after 2 s")
                break
            times.append(time.perf_counter() - start)
        if times:
            report(f"count {query or 'all'}", times, "to 10,000")


async def measure_release(store: Store) -> None:
    """Without the next hop's time."""
    times = []
    items = [item async for item in store.quarantine.find("", limit=60)]
    for number, item in enumerate(items):
        start = time.perf_counter()
        await store.quarantine.text(item.mail_id)
        claims = await store.quarantine.claim(
            item.mail_id,
            [copy.address for copy in item.copies],
            who="bench",
            resent_message_id=f"<{number}@bench>",
            digest=b"d",
            again=False,
        )
        answers = [Answer(one.recipient, Reply(250, "2.0.0", "Ok")) for one in claims]
        await store.quarantine.settle(claims, answers)
        times.append(time.perf_counter() - start)
    report("release", times, "read, claimed, recorded")


async def measure_mixed(store: Store, messages: int) -> None:
    """How many messages are stored a second while somebody searches without a pause."""
    over = False

    async def search() -> int:
        asked = 0
        while not over:
            for query in ("", "from:d7.example", "rule:RULE_77", "word900"):
                await ask(store, query, "")
                asked += 1
        return asked

    searching = asyncio.create_task(search())
    dice, number = random.Random(4), messages + 1_000_000
    entries = [message(dice, number + n, stored=True, octets=2_000) for n in range(2_000)]
    start = time.perf_counter()
    for first in range(0, len(entries), AT_ONCE):
        await asyncio.gather(*(store.journal.keep(entry) for entry in entries[first : first + AT_ONCE]))
    took, over = time.perf_counter() - start, True
    asked = await searching
    print(f"  {len(entries) / took:.0f} stored a second while {asked / took:.0f} pages were asked for")


async def measure_backup(store: Store, file: Path) -> None:
    start = time.perf_counter()
    await asyncio.to_thread(backup, store.database, file)
    took = time.perf_counter() - start
    print(f"  backup: {took:.1f} s, {size_of(file) / 1e6:.0f} MB", flush=True)


def size_of(file: Path) -> int:
    return file.stat().st_size


async def measure_purge(store: Store, messages: int) -> None:
    """The oldest tenth, while mail comes in."""
    now = START + messages // 10 * 20 + 30 * DAY_S
    times: list[float] = []
    over = False

    async def come_in() -> None:
        dice, number = random.Random(3), messages
        while not over:
            entry = message(dice, number, stored=True, octets=2_000)
            start = time.perf_counter()
            await store.journal.keep(entry)
            times.append(time.perf_counter() - start)
            number += 1
            await asyncio.sleep(0.02)

    coming = asyncio.create_task(come_in())
    start, removed = time.perf_counter(), 0
    async for count in store.retention.purge(Keeping(30, 30, 30), now=now, batch=BATCH):
        removed += count
        await asyncio.sleep(PAUSE_S)
    took, over = time.perf_counter() - start, True
    await coming
    print(f"  purge: {removed} steps in {took:.1f} s ({messages // 10} messages)")
    report("keep meanwhile", times, f"p99 {quantile(times, 0.99) * 1e3:.0f} ms")


def report(name: str, times: list[float], what: str) -> None:
    half, most = statistics.median(times) * 1e3, quantile(times, 0.95) * 1e3
    print(f"  {name:22} p50 {half:8.1f} ms  p95 {most:8.1f} ms  {what}", flush=True)


def quantile(times: list[float], share: float) -> float:
    ordered: Callable[[list[float]], list[float]] = sorted
    return ordered(times)[min(len(times) - 1, int(len(times) * share))]


if __name__ == "__main__":
    main()
