"""What pages and API cost on a large database, and what mail waits while people search.

.venv/bin/python bench/web.py [--messages 1000000] [--kind postgresql] [--keep FOLDER]

One message in five lies in the quarantine, or all of them where bench/store_kinds.py has made the database.
Printed for each path, of the application without the network: the median and the 95th percentile of a
request, its CPU time (a server's included), and how many a core can answer in a second. Then ten people
search without a pause, each in a process of its own, while messages are written as the filter writes them:
the time that each waits for its commit. With `--keep` the database stays in FOLDER/KIND, and is used again by
the next run.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from large import Place, Shape, fill, later, vocabulary  # beside this file
from store_kinds import quantile

from lazaret.config.load import load
from lazaret.daemon import supervisor
from lazaret.flow.indexing import keep_tended
from lazaret.flow.login import digest
from lazaret.model.person import Person, Role
from lazaret.store.opening import Store
from lazaret.web.app import create_app
from store import STORED_SHARE

ROUNDS = 40
PEOPLE = 10
WRITTEN = 300
PAUSE_S = 0.05
"""Between two messages: twenty a second."""
PATHS = {
    "newest": "/mail",
    "each by itself": "/mail?each=1",
    "a deep page": "/mail?after={deep}",
    "rare word": "/mail?q=zyzzyva",
    "common word": "/mail?q={common}",
    "domain": "/mail?q=from:d7.example",
    "rule and score": "/mail?q=rule:RULE_77+score:%3E6",
    "a campaign": "/mail?each=1&q=campaign:{campaign}",
    "whole history": "/mail?in=history",
    "news": "/mail/fresh?newer={moment}-",
    "news, all mail": "/mail/fresh?in=history&newer={moment}-",
    "news of a word": "/mail/fresh?q=word1&newer={moment}-",
    "one message": "/mail/{id}",
    "API: a page of 50": "/api/v1/messages",
    "API: one message": "/api/v1/messages/{id}",
}
SEARCHED = ("newest", "rare word", "common word", "domain", "rule and score", "whole history")


class Health:
    """All is well."""

    async def ready(self) -> list[str]:
        return []

    def figures(self) -> dict[str, float]:
        return {}

    def metrics(self) -> bytes:
        return b""

    def throttled(self) -> None:
        raise AssertionError("web.requests_per_minute is 0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000, help="size of the database")
    parser.add_argument("--kind", choices=("sqlite", "mariadb", "postgresql"), default="sqlite")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the database stays")
    parser.add_argument("--corpus", type=Path, help="a folder of messages, whose words are used")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with nullcontext(given.keep / given.kind) if given.keep else tempfile.TemporaryDirectory() as folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        place = Place(given.kind, Path(folder), kept=given.keep is not None)
        try:
            if place.is_filled:
                place.upgrade()
            else:
                fill(place, Shape(given.messages, STORED_SHARE, given.corpus))
            settle()
            asyncio.run(measure(place))
            asyncio.run(measure_writing(place))
        finally:
            place.close()


def settle() -> None:
    """Makes Python look for circles as seldom as in a process of the service, and not among what stays."""
    gc.freeze()
    gc.set_threshold(supervisor.COLLECT_AFTER)


async def measure(place: Place) -> None:
    store = place.open()
    application = create_app(settings(place.folder), store, Health())
    await store.rehearse()
    await asyncio.to_thread(store.warm)  # as the desk does when it starts
    found = [item async for item in store.quarantine.find("", limit=2000)]
    places: dict[str, str | int] = {"id": found[0].mail_id, "deep": found[-1].cursor}
    places |= {"campaign": largest(store), "moment": int(found[0].time)}
    places["common"] = vocabulary(place)[0]
    messages = one(store, "SELECT count(*) FROM msgs")
    print(f"{place.kind}: {messages} messages, {place.size() / 1e6:.0f} MB")
    for role in (Role.ADMIN, Role.USER):
        cookie = await session(store, role)
        print(f"{role}:  p50 ms, p95 ms, CPU ms, a second and core")
        for name, path in PATHS.items():
            if role is Role.ADMIN or "{id}" not in path:
                await measure_path(place, application, name, path.format(**places), cookie)
    await application.close()
    store.close()


def largest(store: Store) -> str:
    """The campaign with most members."""
    number = one(
        store,
        "SELECT campaign, count(*) AS members FROM lz_msgs WHERE campaign IS NOT NULL"
        " GROUP BY campaign ORDER BY members DESC LIMIT 1",
    )
    return f"{number % (1 << 64):016x}"


def one(store: Store, statement: str) -> int:
    """The first value of the first row, however long that takes."""
    connection = store.database.connect(patient=True)
    (number, *_) = connection.execute(statement).fetchone()
    connection.close()
    return int(number)


def settings(folder: Path) -> Any:
    given = [f"store.data_dir={folder}", "web.requests_per_minute=0"]
    return load(None, given, environment={}, euid=os.geteuid())


async def session(store: Store, role: Role) -> str:
    """The cookie of somebody who is logged in; the user is one recipient of five hundred."""
    name = f"{role}@home.example"
    person = await store.people.named(name)
    if person is None:
        person = await store.people.add(Person(0, name, role, ("user5@home.example",)), who="bench")
    secret = f"secret-{role}-{time.time_ns()}"
    await store.people.begin(digest(secret), person.id, remote="127.0.0.1", now=time.time(), who="bench")
    return f"lazaret_session={secret}"


async def measure_path(place: Place, application: Any, name: str, path: str, cookie: str) -> None:
    elapsed, stopped = [], 0
    cpu = time.process_time() + place.server_cpu()
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        status = await ask(application, path, cookie)
        elapsed.append((time.perf_counter() - begun) * 1e3)
        assert status in (200, 204, 422), (path, status)
        stopped += status == 422
    cpu = (time.process_time() + place.server_cpu() - cpu) / ROUNDS * 1e3
    middle, high = statistics.median(elapsed), quantile(elapsed, 0.95)
    print(f"  {name:18} {middle:8.1f} {high:8.1f} {cpu:8.1f} {1e3 / cpu:8.0f}", end="")
    print(f"   {stopped} of {ROUNDS} were stopped after 2 s" if stopped else "", flush=True)


async def ask(application: Any, path: str, cookie: str) -> int:
    """One request, as uvicorn would hand it over; the status."""
    bare, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": bare,
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), (b"cookie", cookie.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8025),
    }
    status = 0

    async def send(sent: Any) -> None:
        nonlocal status
        status = sent.get("status", status)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    await application(scope, receive, send)
    return status


async def measure_writing(place: Place) -> None:
    """The commit of each message, with nobody at the pages and with ten."""
    store, desk = place.open(), place.open()
    tending = asyncio.create_task(keep_tended(desk))  # as the desk does
    cookie = await session(store, Role.ADMIN)
    spawn = multiprocessing.get_context("spawn")
    print("written while people search:  p50 ms, p95 ms, longest")
    for people in (0, PEOPLE):
        done = spawn.Value("i", 0)
        searching = [
            spawn.Process(
                target=search, args=(place.folder, place.url, vocabulary(place)[0], cookie, n, done)
            )
            for n in range(people)
        ]
        for one in searching:
            one.start()
        while done.value < people:
            time.sleep(0.1)  # noqa: ASYNC251  -- nothing else is to run here
        begun, waited = done.value, await write(place, store)
        middle, high = statistics.median(waited), quantile(waited, 0.95)
        print(
            f"  {people:2} people {middle:8.1f} {high:8.1f} {max(waited):8.1f}"
            f"   {done.value - begun} pages meanwhile",
            flush=True,
        )
        for one in searching:
            one.terminate()
            one.join()
    tending.cancel()
    desk.close()
    store.close()


async def write(place: Place, store: Store) -> list[float]:
    """Milliseconds from the message to its commit, one after the other."""
    dice, waited = random.Random(time.time_ns()), []
    for number in range(WRITTEN):
        entry = later(place, dice, 10**7 + number)
        begun = time.perf_counter()
        await store.journal.keep(entry)
        waited.append((time.perf_counter() - begun) * 1e3)
        await asyncio.sleep(PAUSE_S)
    return waited


def search(folder: Path, url: str, common: str, cookie: str, number: int, done: Any) -> None:
    """One person who opens one page after the other; a process of the desk answers each."""
    settle()
    asyncio.run(_search(folder, url, common, cookie, number, done))


async def _search(folder: Path, url: str, common: str, cookie: str, number: int, done: Any) -> None:
    from tests.support import databases

    from lazaret.store.opening import open_store

    store = open_store(url, folder, create=False, password=databases.PASSWORD)
    application = create_app(settings(folder), store, Health())
    dice = random.Random(number)
    while True:
        await ask(application, PATHS[dice.choice(SEARCHED)].format(common=common), cookie)
        with done.get_lock():
            done.value += 1


if __name__ == "__main__":
    main()
