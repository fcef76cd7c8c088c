"""Is the service well? Readiness and figures, read from the board and the database."""

import time
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from lazaret.daemon.board import LATENCY_BOUNDS_MS, Board, Cell, Row
from lazaret.flow.needs import Alive
from lazaret.model.errors import LazaretError

FRESH_S = 5.0
"""A worker whose last sign of life is older does not count as up."""

_FATES = {
    "deliver": Cell.DELIVERED,
    "mark": Cell.MARKED,
    "quarantine": Cell.QUARANTINED,
    "discard": Cell.DISCARDED,
    "reject": Cell.REJECTED,
    "defer": Cell.DEFERRED,
}
_COUNTS = {
    "messages": (Cell.MESSAGES, "Messages that were answered."),
    "octets": (Cell.OCTETS, "Octets of those messages."),
    "check_unavailable": (Cell.UNAVAILABLE, "Checks that could not answer."),
    "refused_clients": (
        Cell.REFUSED_CLIENTS,
        "Connections that were turned away: strangers, and above the limits.",
    ),
    "release_requests": (Cell.RELEASES, "Release requests answered over AM.PDP."),
    "digests_sent": (Cell.DIGESTS_SENT, "Digests that the next hop took."),
    "requests_throttled": (
        Cell.THROTTLED,
        "Requests to pages and API that were answered with 429: too many from one account or address.",
    ),
    "digests_failed": (Cell.DIGESTS_FAILED, "Attempts to send a digest that failed."),
}


class Health:
    """What /readyz and /metrics say, over all processes."""

    def __init__(self, board: Board, workers: Sequence[int], store: Alive, own: Row) -> None:
        """`own`: the row of this process."""
        self._board = board
        self._own = own
        self._workers = workers
        self._store = store
        self._registry = CollectorRegistry()
        self._registry.register(self)

    async def ready(self) -> list[str]:
        """What is missing, in words; empty when all is well. The next hop is a figure, not readiness."""
        missing = []
        up = self.workers_up()
        if up < len(self._workers):
            missing.append(f"{up} of {len(self._workers)} workers are up")
        try:
            await self._store.ping()
        except LazaretError as e:
            missing.append(f"the database does not answer: {e}")
        return missing

    def workers_up(self) -> int:
        """How many workers accept connections and gave a sign of life just now."""
        fresh = time.monotonic() - FRESH_S
        rows = [self._board.row(n) for n in self._workers]
        return sum(1 for row in rows if row[Cell.ACCEPTING] and row[Cell.BEAT] > fresh)

    def figures(self) -> dict[str, float]:
        """Copies by fate since the start."""
        return {fate: self._board.total(cell) for fate, cell in _FATES.items()}

    def throttled(self) -> None:
        """Counts a request that was one too many."""
        self._own.add(Cell.THROTTLED)

    def metrics(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """For prometheus_client."""
        yield GaugeMetricFamily("lazaret_workers", "Workers that are wanted.", value=len(self._workers))
        yield GaugeMetricFamily("lazaret_workers_up", "Workers that accept.", value=self.workers_up())
        yield GaugeMetricFamily(
            "lazaret_connections", "Open connections of clients.", value=self._board.total(Cell.CONNECTIONS)
        )
        yield GaugeMetricFamily(
            "lazaret_messages_busy", "Messages under way.", value=self._board.total(Cell.BUSY)
        )
        up = any(self._board.row(n)[Cell.NEXT_HOP_UP] for n in self._workers)
        yield GaugeMetricFamily("lazaret_next_hop_up", "The next hop answered when last asked.", value=up)
        yield GaugeMetricFamily(
            "lazaret_digests_late",
            "Recipients whose digest should have been sent an hour ago: an alarm when it is not 0.",
            value=self._board.total(Cell.DIGESTS_LATE),
        )
        tidied = max(row[Cell.TIDIED] for row in self._board.rows())
        yield GaugeMetricFamily(
            "lazaret_retention_lag_seconds",
            "Nothing that is to be removed has been due for longer: an alarm above some hours.",
            value=time.monotonic() - tidied if tidied else 0.0,
        )
        copies = CounterMetricFamily("lazaret_copies", "Recipients' copies by fate.", labels=["action"])
        for fate, count in self.figures().items():
            copies.add_metric([fate], count)
        yield copies
        for name, (cell, text) in _COUNTS.items():
            yield CounterMetricFamily(f"lazaret_{name}", text, value=self._board.total(cell))
        yield self._latency()

    def _latency(self) -> Metric:
        buckets, running = [], 0.0
        for i, bound in enumerate((*LATENCY_BOUNDS_MS, float("inf"))):
            running += self._board.total(Cell.LATENCY + i)
            buckets.append(("+Inf" if bound == float("inf") else str(bound / 1000), running))
        family = HistogramMetricFamily("lazaret_message_seconds", "From the final dot to the reply.")
        family.add_metric([], buckets, sum_value=self._board.total(Cell.SECONDS))
        return family
