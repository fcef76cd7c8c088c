"""What pages and API cost on a large database: elapsed and CPU time of a request, without the network.

.venv/bin/python bench/web.py [--messages 100000]
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from lazaret.config.load import load
from lazaret.flow.login import digest
from lazaret.model.person import Person, Role
from lazaret.store.opening import Store, open_store
from lazaret.web.app import create_app
from store import STORED_SHARE, message

ROUNDS = 15
PATHS = {
    "newest": "/mail",
    "rare word": "/mail?q=zyzzyva",
    "common word": "/mail?q=word1",
    "domain": "/mail?q=from:d7.example",
    "rule and score": "/mail?q=rule:RULE_77+score:%3E6",
    "whole history": "/mail?in=history",
    "news": "/mail/fresh?newer=9999999999-0-x",
    "one message": "/mail/{id}",
    "API: a page of 50": "/api/v1/messages",
    "API: one message": "/api/v1/messages/{id}",
}


class Health:
    """All is well."""

    async def ready(self) -> list[str]:
        return []

    def figures(self) -> dict[str, float]:
        return {}

    def metrics(self) -> bytes:
        return b""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000, help="size of the database")
    messages = parser.parse_args().messages
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), messages))


async def measure(folder: Path, messages: int) -> None:
    dice = random.Random(2)
    store = open_store("sqlite:///lazaret.db", folder, create=True)
    kept = ""
    for number in range(messages):
        entry = message(dice, number, stored=number % STORED_SHARE == 0, octets=2_000)
        if entry.text is None:
            store.journal.note(entry)
        else:
            kept = entry.mail_id
            await store.journal.keep(entry)
    store.writer.close()
    store.close()
    store = open_store("sqlite:///lazaret.db", folder, create=False)
    config = load(None, [f"store.data_dir={folder}"], environment={}, euid=os.geteuid())
    application = create_app(config, store, Health())
    print(f"{messages} messages")
    for role in (Role.ADMIN, Role.USER):
        cookie = await session(store, role)
        print(f"{role}:  p50 ms, p95 ms, CPU ms")
        for name, path in PATHS.items():
            if role is Role.USER and "{id}" in path:
                continue
            await measure_path(application, name, path.replace("{id}", kept), cookie)
    await application.close()
    store.close()


async def session(store: Store, role: Role) -> str:
    """The cookie of somebody who is logged in; the user is one recipient of five hundred."""
    person = Person(0, f"{role}@home.example", role, ("user7@home.example",))
    added = await store.people.add(person, who="bench")
    await store.people.begin(
        digest(f"secret-{role}"), added.id, remote="127.0.0.1", now=time.time(), who="bench"
    )
    return f"lazaret_session=secret-{role}"


async def measure_path(application: Any, name: str, path: str, cookie: str) -> None:
    elapsed = []
    cpu = time.process_time()
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        status = await ask(application, path, cookie)
        elapsed.append((time.perf_counter() - begun) * 1e3)
        assert status in (200, 204), (path, status)
    cpu = (time.process_time() - cpu) / ROUNDS * 1e3
    elapsed.sort()
    print(f"  {name:18} {statistics.median(elapsed):8.1f} {elapsed[int(ROUNDS * 0.95)]:8.1f} {cpu:8.1f}")


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


if __name__ == "__main__":
    main()
