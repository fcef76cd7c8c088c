"""Idle connections: reused while fresh, closed when old, said goodbye to at the end."""

import asyncio

import pytest

from lazaret.net import hop_pool
from lazaret.net.hop_connection import Timeouts
from lazaret.net.hop_pool import HopPool

from .servers import Sink, listening


@pytest.mark.parametrize(
    ("limit", "seconds", "reused"),
    [("REUSE_IDLE_S", 18, True), ("REUSE_IDLE_S", 0, False), ("MAX_AGE_S", 0, False)],
)
def test_a_connection_is_reused_while_it_is_fresh(
    monkeypatch: pytest.MonkeyPatch, limit: str, seconds: int, reused: bool
):
    monkeypatch.setattr(hop_pool, limit, seconds)

    async def main() -> None:
        async with listening(Sink()) as hop:
            pool = HopPool(hop, "filter.example", Timeouts(), None)
            connection = await pool.open()
            connection.idle_since = connection.since
            pool.give_back(connection)
            await asyncio.sleep(0.01)

            assert reused == (pool.take() is connection)
            assert reused == connection.usable
            connection.quit()

    asyncio.run(main())


def test_an_idle_connection_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hop_pool, "CLOSE_IDLE_S", 0.04)

    async def main() -> None:
        sink = Sink()
        async with listening(sink) as hop:
            pool = HopPool(hop, "filter.example", Timeouts(), None)
            connection = await pool.open()
            connection.idle_since = connection.since
            pool.give_back(connection)
            await asyncio.sleep(0.15)

            assert not connection.usable
            assert set() == sink.open

    asyncio.run(main())


def test_a_closed_pool_keeps_nothing():
    async def main() -> None:
        sink = Sink()
        async with listening(sink) as hop:
            pool = HopPool(hop, "filter.example", Timeouts(), None)
            idle, busy = await pool.open(), await pool.open()
            pool.give_back(idle)
            pool.close()
            assert busy.usable
            pool.give_back(busy)
            await asyncio.sleep(0.05)

            assert (False, False) == (idle.usable, busy.usable)
            assert set() == sink.open

    asyncio.run(main())
