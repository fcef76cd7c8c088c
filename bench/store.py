"""What the store costs: CPU per row, size per message, and how long searches take on a large database.

.venv/bin/python bench/store.py [--messages 100000]
"""

import argparse
import asyncio
import hashlib
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lazaret.model import mail_id
from lazaret.model.entry import Entry, EntryRecipient
from lazaret.model.envelope import Session
from lazaret.model.verdict import Category, ScoredHit
from lazaret.store.opening import Store, open_store

START = 1_770_000_000.0
SPACING = 20
"""Seconds from one message to the next."""
VOCABULARY = 200_000
CAMPAIGNS = 20_000
STORED_SHARE = 5
"""One message in so many is quarantined in the large database."""
QUERIES = {
    "newest": "",
    "rare word": "zyzzyva",
    "common word": "word1",
    "domain": "from:d7.example",
    "part of a name": "from:sender77",
    "rule and score": "rule:RULE_77 score:>6",
    "phrase": '"word1 word2"',
    "nothing": "from:nobody@nowhere.example",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000, help="size of the large database")
    messages = parser.parse_args().messages
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure_writing(Path(folder) / "writing"))
        asyncio.run(measure_searching(Path(folder) / "searching", messages))


async def measure_writing(folder: Path) -> None:
    dice = random.Random(1)
    store = open_store("sqlite:///lazaret.db", folder, create=True)
    history = [message(dice, number, stored=False) for number in range(5_000)]
    start = time.process_time()
    for entry in history:
        store.journal.note(entry)
    store.writer.close()
    print(f"history row: {(time.process_time() - start) / len(history) * 1e6:.0f} us CPU")
    store.close()

    store = open_store("sqlite:///lazaret.db", folder, create=True)
    kept = [message(dice, number, stored=True) for number in range(1_000)]
    before, start, wall = size(store), time.process_time(), time.perf_counter()
    for first in range(0, len(kept), 20):
        await asyncio.gather(*(store.journal.keep(entry) for entry in kept[first : first + 20]))
    print(f"quarantined message of 10 KB: {(time.process_time() - start) / len(kept) * 1e6:.0f} us CPU,")
    print(f"  {(time.perf_counter() - wall) / len(kept) * 1e6:.0f} us elapsed, 20 at a time")
    await store.retention.reclaim()
    print(f"  {(size(store) - before) / len(kept):.0f} octets of file for {len(kept[0].text or b'')} of text")
    store.close()


async def measure_searching(folder: Path, messages: int) -> None:
    dice = random.Random(2)
    store = open_store("sqlite:///lazaret.db", folder, create=True)
    for number in range(messages):
        entry = message(dice, number, stored=number % STORED_SHARE == 0, octets=2_000)
        if entry.text is None:
            store.journal.note(entry)
        else:
            await store.journal.keep(entry)
    store.writer.close()
    print(f"{messages} messages: {size(store) / 1e6:.0f} MB")
    store = open_store("sqlite:///lazaret.db", folder, create=False)
    for everything in (False, True):
        print("all history:" if everything else "quarantine:")
        for name, query in QUERIES.items():
            await measure_query(store, name, query, everything)
    store.close()


async def measure_query(store: Store, name: str, query: str, everything: bool) -> None:
    start = time.perf_counter()
    found = [item async for item in store.quarantine.find(query, everything=everything, limit=50)]
    listed = time.perf_counter() - start
    start = time.perf_counter()
    number = await store.quarantine.count(query, everything=everything)
    counted = time.perf_counter() - start
    print(f"  {name:16} {len(found):3} of {number:6}: {listed * 1e3:7.1f} ms, count {counted * 1e3:7.1f} ms")


def size(store: Store) -> int:
    path = store.database.directory / "lazaret.db"
    return sum(file.stat().st_size for file in path.parent.glob(path.name + "*"))


def message(
    dice: random.Random,
    number: int,
    *,
    stored: bool,
    octets: int = 10_000,
    said: Sequence[str] = (),
) -> Entry:
    """Message `number`, its text of about `octets`; `said`: its words, instead of others."""
    identity, secret = mail_id.generate()
    # As in a language: the word of rank k is k times rarer than the first.
    words = list(said) or [f"word{int(VOCABULARY ** dice.random())}" for _ in range(octets // 8)]
    if number % 1000 == 0:
        words += ["zyzzyva", f"zyzzyva{number // 1000 % 10 + 1}"]
    text = f"Subject: {' '.join(words[:6])}\r\n\r\n{' '.join(words)}\r\n".encode()
    # A dozen rules hit most of the mail, hundreds hit now and then.
    rules = {min(int(dice.paretovariate(0.7)), 400) for _ in range(13)}
    hits = tuple(ScoredHit(f"RULE_{rule}", 0.5, "a sentence about the rule") for rule in rules)
    sender = f"sender{number % 3000}@d{number % 800}.example"
    recipient = EntryRecipient(
        address=f"user{number % 500}@home.example",
        local=True,
        category=Category.SPAM if stored else Category.CLEAN,
        action="quarantine" if stored else "deliver",
        # Three decimals, as a verdict has them: a backup proves no more.
        score=round(dice.uniform(5, 15) if stored else dice.uniform(-3, 3), 3),
        reason="6.0 points reach the quarantine level of 5.0",
        response="250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as BBD26146A8",
        stored=stored,
    )
    entry = Entry(
        mail_id=identity,
        secret_id=secret,
        log_id="00001-01",
        time=START + number * SPACING,
        session=Session(
            client_ip=f"192.0.2.{number % 250}", client_name="mx.example", queue_id=f"4c{number}"
        ),
        sender=sender,
        recipients=(recipient,),
        size=len(text),
        originating=False,
        category=recipient.category,
        score=recipient.score,
        hits=hits,
        unavailable=(),
        took_ms=0.9,
        message_id=f"<{number}@d{number % 800}.example>",
        from_header=f"Sender {number % 3000} <{sender}>",
        reply_to="",
        subject=" ".join(words[:6]),
        to_header=recipient.address,
        digest=hashlib.sha256(text).digest(),
    )
    if not stored:
        return entry
    return replace(entry, text=text, body_text=" ".join(words), alike=alike(number))


def alike(number: int) -> tuple[int, ...]:
    """Every other message is like some others: one in fourteen of these like each other, most like a few."""
    golden = 0.6180339887498949
    campaign = int(CAMPAIGNS ** (number * golden % 1)) if number % 2 else number + CAMPAIGNS
    spread = [(campaign * 4 + one) * 0x9E3779B97F4A7C15 % (1 << 64) for one in range(4)]
    return tuple(mark - (1 << 64) if mark >> 63 else mark for mark in spread)


if __name__ == "__main__":
    main()
