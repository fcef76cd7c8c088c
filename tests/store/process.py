"""A process of its own for the tests: `process.py COMMAND URL FOLDER ARGUMENT…` works on the store there."""

import asyncio
import os
import sys
import time
from pathlib import Path

from entries import delivered, quarantined  # the folder of a script is where it imports from

from lazaret.store.opening import Store, open_store


def claim(store: Store, mail_id: str, resent: str, start: str, stay: str) -> None:
    """Claims Ann's copy at the time `start`, says what came of it, and stays for some seconds."""
    time.sleep(max(0.0, float(start) - time.time()))
    ask = store.quarantine.claim(
        mail_id, ["Ann@home.example"], who="x", resent_message_id=resent, digest=b"d", again=False
    )
    (record,) = asyncio.run(ask)
    print(record.state, flush=True)
    time.sleep(float(stay))


def keep(store: Store, name: str, octets: str) -> None:
    """Keeps message after message, several at once, and names each that was acknowledged."""
    message = b"Subject: x\r\n\r\n" + b"0123456789abcd\r\n" * (int(octets) // 16)

    async def one(number: int) -> None:
        entry = quarantined(mail_id=f"{name}{number:08}", message=message)
        await store.journal.keep(entry)
        print(entry.mail_id, flush=True)

    async def work() -> None:
        for first in range(0, 1_000_000, 10):
            await asyncio.gather(*(one(number) for number in range(first, first + 10)))

    asyncio.run(work())


def fill(store: Store, name: str, count: str) -> None:
    """Keeps and notes so many messages of each kind, all of one sender."""

    async def work() -> None:
        for number in range(int(count)):
            await store.journal.keep(
                quarantined(mail_id=f"{name}k{number:06}", sender=f"s{number}@new.example")
            )
            store.journal.note(delivered(mail_id=f"{name}n{number:06}", sender=f"s{number}@new.example"))

    asyncio.run(work())


def main() -> None:
    command, url, folder, *arguments = sys.argv[1:]
    password = os.environ["LAZARET_STORE_PASSWORD"]
    store = open_store(url, Path(folder), create=False, password=password)
    {"claim": claim, "keep": keep, "fill": fill}[command](store, *arguments)
    store.close()


if __name__ == "__main__":
    main()
