"""Searching, releasing, purging and backing up a large quarantine on each kind of database.

.venv/bin/python bench/store_kinds.py [--messages 1000000] [--kinds sqlite,mariadb,postgresql]

The servers are private ones, made for the run; they write to the disk as they do in service. A round asks a
query once: 50 messages, as a page shows them. What is printed is the median and the 95th percentile.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support import databases

from lazaret.model.delivery import Answer
from lazaret.model.errors import Reply
from lazaret.model.quarantine import Item
from lazaret.store.backup import backup
from lazaret.store.opening import Store, open_store
from lazaret.store.reader import SearchStopped
from store import START, message  # beside this file

ROUNDS = 40
QUERIES = {
    "newest page": "",
    "deep page": "",
    "from: domain": "from:d7.example",
    "rare word": "zyzzyva",
    "body word": "body:word900",
    "common word": "word1",
    "phrase": '"word1 word2"',
    "rule": "rule:RULE_77",
    "score range": "score:>7 score:<7.2",
    "three combined": "from:d7.example rule:RULE_2 score:>9",
    "no result": "from:nobody@nowhere.example",
}
AT_ONCE = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--kinds", default="sqlite,mariadb,postgresql")
    given = parser.parse_args()
    for kind in given.kinds.split(","):
        with tempfile.TemporaryDirectory() as folder, database(kind, Path(folder)) as url:
            asyncio.run(measure(kind, url, Path(folder), given.messages))


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if kind == "sqlite":
        yield "sqlite:///lazaret.db"
        return
    databases.open_way(folder / "x")
    folder.chmod(0o755)
    server = databases.Server(kind, folder / "server", databases.free_port())
    server.folder.mkdir()
    server.make()
    server.start(careful=True)
    try:
        server.make_user()
        server.admin(f"CREATE DATABASE mail{' OWNER lazaret' if kind == 'postgresql' else ''}")
        running = databases.Running(kind, server.port, 0, "")
        yield running.url("mail")
    finally:
        server.kill()


async def measure(kind: str, url: str, folder: Path, messages: int) -> None:
    store = open_store(url, folder, create=True, password=databases.PASSWORD)
    began = time.perf_counter()
    dice = random.Random(2)
    for first in range(0, messages, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, messages))
        entries = [message(dice, number, stored=True, octets=2_000) for number in numbers]
        await asyncio.gather(*(store.journal.keep(entry) for entry in entries))
    took = time.perf_counter() - began
    print(f"{kind}: {messages} messages, {messages / took:.0f} a second", flush=True)
    if kind == "postgresql":
        await store.writer.run(lambda connection: None)
        analyse(store)
    deep = [item async for item in store.quarantine.find("", limit=min(2000, messages // 2))][-1].cursor
    for name, query in QUERIES.items():
        await measure_query(store, name, query, deep if name == "deep page" else "")
    await measure_counts(store)
    await measure_release(store)
    await measure_backup(store, folder)
    await measure_purge(store, messages)
    store.close()


def analyse(store: Store) -> None:
    """What autovacuum does by itself in service."""
    connection = store.database.connect(writing=True, patient=True)
    connection.execute("ANALYZE")
    connection.close()


async def measure_query(store: Store, name: str, query: str, after: str) -> None:
    times: list[float] = []
    found: list[Item] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        try:
            found = [item async for item in store.quarantine.find(query, limit=50, after=after)]
        except SearchStopped:
            print(f"  {name:16} stopped after 2 s", flush=True)
            return
        times.append(time.perf_counter() - start)
        if sum(times) > 20:
            break
    report(name, times, f"{len(found)} messages")


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
    items = [item async for item in store.quarantine.find("", limit=30)]
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


async def measure_backup(store: Store, folder: Path) -> None:
    start = time.perf_counter()
    await asyncio.to_thread(backup, store.database, folder / "backup")
    size = (folder / "backup").stat().st_size / 1e6
    print(f"  backup: {time.perf_counter() - start:.1f} s, {size:.0f} MB", flush=True)


async def measure_purge(store: Store, messages: int) -> None:
    """The oldest tenth, while mail comes in."""
    before = START + messages // 10 * 20
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
    while count := await store.retention.purge(
        before=before, killed_before=before, history_before=before, batch=100
    ):
        removed += count
    took, over = time.perf_counter() - start, True
    await coming
    print(f"  purge: {removed} steps in {took:.1f} s ({messages // 10} messages)")
    report("keep meanwhile", times, f"p99 {quantile(times, 0.99) * 1e3:.0f} ms")


def report(name: str, times: list[float], what: str) -> None:
    half, most = statistics.median(times) * 1e3, quantile(times, 0.95) * 1e3
    print(f"  {name:16} p50 {half:8.1f} ms  p95 {most:8.1f} ms  {what}", flush=True)


def quantile(times: list[float], share: float) -> float:
    ordered: Callable[[list[float]], list[float]] = sorted
    return ordered(times)[min(len(times) - 1, int(len(times) * share))]


if __name__ == "__main__":
    main()
