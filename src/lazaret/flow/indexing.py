"""What of a stored message goes into the full-text index, and the work of keeping that up to date.

Messages that we quarantine are indexed in the transaction that stores them. What another program stores in
the same database is found by looking, every second.
"""

import asyncio
import logging
import time

from lazaret.mime import message as mime
from lazaret.model.errors import LazaretError
from lazaret.store.opening import Store
from lazaret.store.reindex import Extract, reindex

EVERY_S = 1.0
LATE_S = 3600.0
"""A row may be completed so long after its message was received, and is found all the same."""
RETRY_S = 10.0
STEPS = 8
"""Of the work that an index has put off, at each look."""

log = logging.getLogger(__name__)


def extract(octets: bytes) -> Extract:
    """The texts of a message as it is on the wire."""
    message = mime.parse(octets)
    return Extract(
        body_text=message.visible_text,
        attachments=tuple(one.name for one in message.attachments if one.name),
        reply_to=message.decoded("Reply-To"),
        to_header=", ".join(message.decoded_all("To") + message.decoded_all("Cc")),
    )


async def keep_indexed(store: Store) -> None:
    """Goes on until it is cancelled: first through all that is not indexed, then through what comes in."""
    since = 0.0
    while True:
        began = time.time()
        try:
            await reindex(store, extract, everything=False, since=since)
        except LazaretError as error:
            # The database is away, or another host was quicker with the same message.
            log.info("indexing: %s", error)
            await asyncio.sleep(RETRY_S)
        else:
            since = began - LATE_S
            await tend(store)
            await asyncio.sleep(EVERY_S)


async def keep_tended(store: Store) -> None:
    """Goes on until it is cancelled, where nothing but our own messages are to be indexed."""
    while True:
        try:
            await tend(store)
        except LazaretError as error:
            log.info("indexing: %s", error)
            await asyncio.sleep(RETRY_S)
        await asyncio.sleep(EVERY_S)


async def tend(store: Store) -> None:
    """Some steps of what the index has put off, each a transaction of its own: mail waits for one at most."""
    index = store.database.dialect.full_text
    for _ in range(STEPS):
        if not await store.writer.run(index.tend):
            return
