"""What policies and lists cost a message: CPU with empty tables, and with many policies and entries.

.venv/bin/python bench/policies.py [--entries 100000]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lazaret.flow.policies import LOOK_S, PolicyBook
from lazaret.mime import message as mime
from lazaret.mime.message import Message
from lazaret.model.verdict import Policy
from lazaret.policy.lookup import Lookup
from lazaret.store.connection import Connection
from lazaret.store.opening import Store, open_store

MESSAGES = 5000


def filled(connection: Connection, entries: int) -> None:
    """One list for everybody, and as many people with a policy as it has entries."""
    numbers = range(1, entries + 1)
    connection.execute("INSERT INTO policy (id, spam_kill_level) VALUES (1, 6)")
    connection.execute("INSERT INTO users (priority, email) VALUES (0, '@.')")
    connection.executemany("INSERT INTO users (email) VALUES (?)", [(f"u{n}@home.example",) for n in numbers])
    connection.executemany(
        "INSERT INTO mailaddr (id, email) VALUES (?, ?)", [(n, f"s{n}@out.example") for n in numbers]
    )
    connection.executemany("INSERT INTO wblist VALUES (1, ?, 'W')", [(n,) for n in numbers])


def message(sender: str) -> Message:
    """Its header is read already, as the rules have read it."""
    octets = b"From: <%b>\r\n\r\nx\r\n" % sender.encode()
    read = mime.parse(octets, envelope_from=sender, networks=None, sites=None)
    assert read.header.fields
    return read


async def cost(book: PolicyBook, recipient: Callable[[int], str], sender: Callable[[int], str]) -> float:
    """µs of CPU a message."""
    messages = [message(sender(n)) for n in range(MESSAGES)]
    began = time.process_time()
    for n, one in enumerate(messages):
        await book.of([recipient(n)], one, sender(n))
    return (time.process_time() - began) / MESSAGES * 1e6


def show(store: Store, title: str, *, people: int, listed: bool) -> None:
    book = PolicyBook(Lookup(Policy(), local_domains=["home.example"]), store.policies)
    sender = (lambda n: f"s{n + 1}@out.example") if listed else (lambda n: f"x{n}@new.example")
    used = asyncio.run(cost(book, lambda n: f"u{n % people + 1}@home.example", sender))
    print(f"{title:50} {used:6.1f} µs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("sqlite:///bench.db", Path(folder), create=True)
        show(store, "empty tables", people=100, listed=False)
        asyncio.run(store.writer.run(lambda connection: filled(connection, wanted.entries)))
        time.sleep(LOOK_S)
        print(f"{wanted.entries} policies, {wanted.entries} entries:")
        show(store, "100 recipients, senders on no list", people=100, listed=False)
        show(store, "100 recipients, senders on the list", people=100, listed=True)
        show(store, "every recipient for the first time, senders listed", people=MESSAGES, listed=True)
        store.close()


if __name__ == "__main__":
    main()
