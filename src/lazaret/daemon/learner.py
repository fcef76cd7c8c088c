"""The learner's process: the only one that changes the model, which all workers read."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from dataclasses import dataclass

import uvloop

from lazaret import app
from lazaret.config.options import Config
from lazaret.daemon.board import Board, Cell
from lazaret.learn.model_file import ModelBusy, Writer
from lazaret.model.errors import StoreUnavailable
from lazaret.store.opening import Store

log = logging.getLogger("lazaret.learner")

POLL_S = 0.5
"""So often the journal is asked for new lessons."""
BEAT_S = 1.0
RETRY_S = 2.0
"""After the database did not answer."""
BUSY_S = 0.2
"""While the process before us, or a command, still has the model."""


@dataclass(frozen=True, slots=True)
class Study:
    """What the supervisor gives the learner."""

    config: Config
    board: Board
    row: int
    lifeline: int
    """Read end of a pipe that nobody writes to: it ends when the supervisor ends."""


def run(study: Study) -> None:
    """Learns until SIGTERM, or until the supervisor is gone."""
    uvloop.run(_run(study))


async def _run(study: Study) -> None:
    loop = asyncio.get_running_loop()
    row = study.board.row(study.row)
    row.begin(os.getpid())
    ending = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ending.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # the supervisor has it too, and tells us
    loop.add_reader(study.lifeline, ending.set)
    row[Cell.ACCEPTING] = 1
    beats = loop.create_task(_beat(study))
    store = app.open_store(study.config)
    work = loop.create_task(_learn(study.config, store, ending))
    try:
        await ending.wait()
        loop.remove_reader(study.lifeline)
        await work
    finally:
        beats.cancel()
        store.close()


async def _beat(study: Study) -> None:
    while True:
        study.board.row(study.row).beat()
        await asyncio.sleep(BEAT_S)


async def _learn(config: Config, store: Store, ending: asyncio.Event) -> None:
    complained = False
    while not ending.is_set():
        try:
            writer = await _writer(config, store, ending)
            if writer is not None:
                await _follow(store, writer, ending)
        except StoreUnavailable as e:
            if not complained:
                log.error("nothing is learned for now: %s", e)
            complained = True
            await _pause(ending, RETRY_S)
        except Exception:
            log.exception("learning failed; it is tried again")
            await _pause(ending, RETRY_S)


async def _writer(config: Config, store: Store, ending: asyncio.Event) -> Writer | None:
    """The model, once nobody else has it; None when we are to end before that."""
    secret = await store.lessons.secret()
    began, said = time.monotonic(), False
    while not ending.is_set():
        try:
            return app.open_writer(config, secret)
        except ModelBusy as e:
            if not said and time.monotonic() > began + 60:
                log.warning("%s", e)
                said = True
            await _pause(ending, BUSY_S)
    return None


async def _follow(store: Store, writer: Writer, ending: asyncio.Event) -> None:
    learner = app.make_learner(store, writer)
    try:
        while not ending.is_set():
            if not await learner.step():
                await _pause(ending, POLL_S)
    finally:
        writer.close()


async def _pause(ending: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ending.wait(), seconds)
