"""Readiness and figures, read from the board."""

import asyncio
import re
import time
from dataclasses import replace

from tests.flow.test_logline import BLOCKED, PASSED

from lazaret.config.load import load
from lazaret.daemon.board import Board, Cell
from lazaret.daemon.health import Health
from lazaret.daemon.record import recorder
from lazaret.model.errors import StoreUnavailable


class Alive:
    """A database that answers, or does not."""

    def __init__(self, trouble: str = "") -> None:
        self.trouble = trouble

    async def ping(self) -> None:
        if self.trouble:
            raise StoreUnavailable(self.trouble)


def board(*beats: float) -> Board:
    """Workers whose last sign of life was so many seconds ago."""
    made = Board()
    for number, age in enumerate(beats):
        made.row(number)[Cell.ACCEPTING] = 1
        made.row(number)[Cell.BEAT] = time.monotonic() - age
    return made


def missing(made: Board, workers: int, trouble: str = "") -> list[str]:
    return asyncio.run(Health(made, range(workers), Alive(trouble), made.row(0)).ready())


def test_it_is_ready_when_every_worker_is_up_and_the_database_answers():
    assert [] == missing(board(0.1, 1.0), 2)


def test_what_is_missing_is_said_in_words():
    assert ["1 of 2 workers are up"] == missing(board(0.1), 2)
    assert ["1 of 2 workers are up"] == missing(board(0.1, 60.0), 2)
    assert ["the database does not answer: disk is gone"] == missing(board(0.1), 1, "disk is gone")


def metrics(made: Board) -> dict[str, float]:
    text = Health(made, range(2), Alive(), made.row(0)).metrics().decode()
    found = re.findall(r"^([a-z_]+(?:\{[^}]*\})?) ([0-9.e+-]+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_the_figures_are_those_of_all_processes():
    made = board(0.1, 0.1)
    for number, handled in enumerate((BLOCKED, PASSED, BLOCKED)):
        recorder(load(None, (), environment={}), made.row(number))(handled)
    made.row(1)[Cell.NEXT_HOP_UP] = 1
    found = metrics(made)

    assert (2.0, 2.0) == (
        found['lazaret_copies_total{action="quarantine"}'],
        found['lazaret_copies_total{action="deliver"}'],
    )
    assert (3.0, 2.0, 2.0, 1.0) == (
        found["lazaret_messages_total"],
        found["lazaret_workers"],
        found["lazaret_workers_up"],
        found["lazaret_next_hop_up"],
    )
    assert 2 * BLOCKED.entry.size + PASSED.entry.size == found["lazaret_octets_total"]


def test_the_latency_is_a_histogram():
    made = board()
    record = recorder(load(None, (), environment={}), made.row(0))
    for took_ms in (0.5, 1.5, 100_000.0):
        record(replace(BLOCKED, entry=replace(BLOCKED.entry, took_ms=took_ms)))
    found = metrics(made)

    bounds = ("0.001", "0.002", "30.0", "+Inf")
    buckets = [found[f'lazaret_message_seconds_bucket{{le="{bound}"}}'] for bound in bounds]
    assert [1.0, 2.0, 2.0, 3.0] == buckets
    assert 3.0 == found["lazaret_message_seconds_count"]


def test_the_lag_of_retention_grows_until_a_round_is_through():
    made = board(0.1)
    assert 0 == metrics(made)["lazaret_retention_lag_seconds"]
    made.row(3)[Cell.TIDIED] = time.monotonic() - 60
    assert 60 <= metrics(made)["lazaret_retention_lag_seconds"] < 600
