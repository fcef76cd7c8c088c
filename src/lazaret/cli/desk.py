"""One visit at the quarantine desk, for the commands that find, show, release and delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from lazaret.cli.context import Given, as_owner, run_async

if TYPE_CHECKING:
    from lazaret.flow.quarantine import QuarantineDesk

T = TypeVar("T")

EX_NOINPUT = 66


def at_desk(given: Given, act: Callable[[QuarantineDesk], Awaitable[T]]) -> T:
    """Opens the database, does it, closes: with nothing left half-written."""
    from lazaret import app  # all the parts, which `--help` need not load

    async def visit() -> T:
        async with app.open_desk(as_owner(given.load())) as desk:
            return await act(desk)

    return run_async(visit())


def local_time(at: float) -> str:
    """A time as the reader's clock shows it."""
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")
