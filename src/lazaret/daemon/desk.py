"""The desk: one process that answers people over HTTP, sends digests, and tidies the database up."""

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import uvicorn
import uvloop

from lazaret import app
from lazaret.config.options import Config
from lazaret.daemon.board import Board, Cell, Row
from lazaret.daemon.health import Health
from lazaret.daemon.postman import Postman
from lazaret.daemon.sockets import Listener
from lazaret.flow.expire import Expiry
from lazaret.flow.indexing import keep_indexed, keep_tended
from lazaret.model.errors import LazaretError
from lazaret.rules.ruleset import RuleSet
from lazaret.store.opening import Store

log = logging.getLogger("lazaret.desk")

BEAT_S = 1.0
EXPIRE_S = 3600.0
ORPHANS_EVERY = 24
"""In one round of so many also what nothing points to is looked for: that reads all keys there are."""
GRACE_S = 5
"""How long requests under way may take when the desk is told to end."""


class WebSite(Protocol):
    """An ASGI application, whose arguments have no type that two libraries share."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    async def begin(self) -> None:
        """Does what is to be done once; nobody waits for it."""

    async def close(self) -> None:
        """Ends what it began."""


WebFactory = Callable[[Config, Store, Health, RuleSet], WebSite]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the supervisor gives the desk."""

    config: Config
    board: Board
    row: int
    workers: Sequence[int]
    listeners: Sequence[Listener]
    lifeline: int
    web: WebFactory
    ruleset: RuleSet


def run(desk: Desk) -> None:
    """Serves until SIGTERM, or until the supervisor is gone."""
    uvloop.run(_run(desk))


async def _run(desk: Desk) -> None:
    loop = asyncio.get_running_loop()
    row = desk.board.row(desk.row)
    row.begin(os.getpid())
    store = app.open_store(desk.config)
    told_to_end = asyncio.Event()

    def end() -> None:
        loop.remove_reader(desk.lifeline)
        told_to_end.set()

    loop.add_signal_handler(signal.SIGTERM, end)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # the supervisor has it too, and tells us
    loop.add_reader(desk.lifeline, end)
    # A thread that nobody waits for, not even at the end.
    threading.Thread(target=_warm, args=(store,), name="store-warming", daemon=True).start()
    expiry = app.expiry(desk.config)
    relay = app.release_relay(desk.config)
    tasks = [
        loop.create_task(_beat(row)),
        loop.create_task(_expire(store, expiry, row)),
        loop.create_task(_rehearse(store)),
        loop.create_task(keep_indexed(store) if store.foreign else keep_tended(store)),
    ]
    if desk.config.digest.enabled:
        postman = Postman(app.make_digests(desk.config, store, relay), row)
        tasks.append(loop.create_task(postman.run()))
    try:
        if desk.listeners:
            await _serve(desk, store, told_to_end)
        else:
            row[Cell.ACCEPTING] = 1.0
            await told_to_end.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await relay.close()
        store.close()


async def _serve(desk: Desk, store: Store, told_to_end: asyncio.Event) -> None:
    """Answers over HTTP; without listen.http there is nobody to answer, and only the rest of the work."""
    health = Health(desk.board, desk.workers, store, desk.board.row(desk.row))
    site = desk.web(desk.config, store, health, desk.ruleset)
    server = _Server(
        uvicorn.Config(
            site,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who a proxy speaks for is said in web.proxies
            ssl_certfile=desk.config.web.tls_certificate,
            ssl_keyfile=desk.config.web.tls_key,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_S,
        ),
        told_to_end,
    )
    serving = asyncio.create_task(server.serve([item.socket for item in desk.listeners]))
    ending = asyncio.create_task(told_to_end.wait())
    beginning = asyncio.create_task(_begin(site))
    row = desk.board.row(desk.row)
    try:
        while True:  # uvicorn tells nobody when it listens
            if server.started or serving.done():
                break
            await asyncio.sleep(0.02)
        row[Cell.ACCEPTING] = float(server.started)
        await asyncio.wait((serving, ending), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        ending.cancel()
        beginning.cancel()
        await site.close()


async def _begin(site: WebSite) -> None:
    try:
        await site.begin()
    except LazaretError as error:
        log.warning("%s; the next start tries it again", error)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the supervisor says when to end."""

    def __init__(self, config: uvicorn.Config, told_to_end: asyncio.Event) -> None:
        super().__init__(config)
        self._told_to_end = told_to_end

    def install_signal_handlers(self) -> None:
        return

    def capture_signals(self) -> Any:  # its type is private to uvicorn
        from contextlib import nullcontext

        return nullcontext()

    async def main_loop(self) -> None:
        """Looks once a second, which is how often the Date of replies changes, and not ten times."""
        while not self._told_to_end.is_set():
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told_to_end.wait(), BEAT_S)


async def _beat(row: Row) -> None:
    while True:
        row.beat()
        await asyncio.sleep(BEAT_S)


async def _rehearse(store: Store) -> None:
    try:
        await store.rehearse()
    except LazaretError as error:
        log.warning("%s; searches are tried when somebody asks", error)


def _warm(store: Store) -> None:
    try:
        store.warm()
    except LazaretError as error:
        log.warning("%s; the first searches will wait for the disk", error)


async def _expire(store: Store, expiry: Expiry, row: Row) -> None:
    row[Cell.TIDIED] = time.monotonic()
    for round_ in count():
        begun = time.monotonic()
        try:
            await expiry.run(store.retention, store.sender_lists, orphans=round_ % ORPHANS_EVERY == 0)
            await expiry.forget_old(store.lessons)
            row[Cell.TIDIED] = begun
        except Exception:
            log.exception("the database could not be tidied up; it is tried again in an hour")
        await asyncio.sleep(EXPIRE_S)
