"""The board that all processes share."""

import os
import time

from lazaret.daemon.board import LATENCY_BOUNDS_MS, ROWS, Board, Cell


def test_what_one_process_writes_another_reads():
    board = Board()
    pid = os.fork()
    if not pid:
        board.row(3).begin(os.getpid())
        board.row(3).add(Cell.MESSAGES, 2)
        os._exit(0)
    os.waitpid(pid, 0)
    assert (pid, 2.0) == (board.row(3)[Cell.PID], board.row(3)[Cell.MESSAGES])


def test_rows_do_not_touch():
    board = Board()
    for number, row in enumerate(board.rows()):
        row[Cell.MESSAGES] = number
    assert [float(n) for n in range(ROWS)] == [row[Cell.MESSAGES] for row in board.rows()]
    assert sum(range(ROWS)) == board.total(Cell.MESSAGES)


def test_a_new_process_in_a_row_begins_its_gauges_and_goes_on_with_the_counts():
    row = Board().row(0)
    row.begin(1)
    row.add(Cell.CONNECTIONS)
    row.add(Cell.DELIVERED, 5)
    row.beat()
    row.begin(2)
    assert (2, 0, 0, 5) == (row[Cell.PID], row[Cell.CONNECTIONS], row[Cell.BEAT], row[Cell.DELIVERED])


def test_a_sign_of_life_has_the_time_that_all_processes_share():
    row = Board().row(0)
    row.beat()
    assert abs(time.monotonic() - row[Cell.BEAT]) < 1.0


def test_latency_falls_into_its_bucket():
    row = Board().row(0)
    for seconds in (0.0005, 0.001, 0.0011, 0.9, 3600.0):
        row.observe_latency(seconds)
    buckets = [row[Cell.LATENCY + n] for n in range(len(LATENCY_BOUNDS_MS) + 1)]
    assert (2, 1, 1, 1) == (buckets[0], buckets[1], buckets[9], buckets[-1])
    assert 5 == sum(buckets)
