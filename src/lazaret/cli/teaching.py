"""One lesson, for the commands that teach or take back: when it is over, the model knows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from lazaret.cli.context import Given, run_async

if TYPE_CHECKING:
    from lazaret.config.options import Config
    from lazaret.flow.learn import Teaching
    from lazaret.store.opening import Store

T = TypeVar("T")

WAIT_S = 15.0
"""So long it is waited for a running service to have learned; the lessons are safe in any case."""
POLL_S = 0.05


def at_lesson(given: Given, act: Callable[[Teaching], Awaitable[T]], *, follow: bool = True) -> T:
    """Opens database and journal, does it, and sees to it that the model of this host follows.

    Without a service this process makes the model; with one, that does. Without `follow` it is left to the
    next one who does.
    """
    from lazaret import app
    from lazaret.cli.ruleset import load_rules

    config, ruleset = load_rules(given)

    async def attend() -> T:
        store = app.open_store(config)
        try:
            secret = await store.lessons.secret()
            result = await act(await app.make_teaching(config, store, ruleset))
            if follow:
                await _follow(config, store, secret)
            return result
        finally:
            store.close()

    return run_async(attend())


async def _follow(config: Config, store: Store, secret: bytes) -> None:
    from lazaret import app
    from lazaret.learn.model_file import ModelBusy, Reader

    last = (await store.lessons.figures()).last
    try:
        writer = app.open_writer(config, secret)
    except ModelBusy:
        reader, deadline = Reader(config.store.data_dir, secret), time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            reader.refresh()
            if reader.lesson >= last:
                return
            await asyncio.sleep(POLL_S)
        click.echo("lazaret: the lessons are kept; the running service is still learning them", err=True)
        return
    try:
        await app.make_learner(store, writer).catch_up()
    finally:
        writer.close()
