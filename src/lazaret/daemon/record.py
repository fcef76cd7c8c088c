"""What is written down of each message besides the database: the log line and the counts."""

import logging
from collections.abc import Callable

from lazaret.config.options import Config
from lazaret.config.words import LogFormat
from lazaret.daemon.board import Cell, Row
from lazaret.daemon.logs import MAIL
from lazaret.flow import logline
from lazaret.flow.filter import Handled
from lazaret.model.verdict import Action

log = logging.getLogger(MAIL)

_CELLS: dict[str, Cell] = {
    Action.DELIVER: Cell.DELIVERED,
    Action.MARK: Cell.MARKED,
    Action.QUARANTINE: Cell.QUARANTINED,
    Action.DISCARD: Cell.DISCARDED,
    Action.REJECT: Cell.REJECTED,
    Action.DEFER: Cell.DEFERRED,
}


def recorder(config: Config, row: Row) -> Callable[[Handled], None]:
    """The function that a worker's filter calls once per message."""
    as_json = config.log.format is LogFormat.JSON

    def record(handled: Handled) -> None:
        _count(handled, row)
        if not log.isEnabledFor(logging.INFO):
            return
        for line in [logline.json(handled)] if as_json else logline.text(handled):
            log.info(line)

    return record


def _count(handled: Handled, row: Row) -> None:
    """Copies by fate, messages by the time they took."""
    entry = handled.entry
    for recipient in entry.recipients:
        row.add(_CELLS[recipient.action])
    row.add(Cell.MESSAGES)
    row.add(Cell.OCTETS, entry.size)
    row.add(Cell.UNAVAILABLE, len(entry.unavailable))
    row.observe_latency(entry.took_ms / 1000)
