"""The supervisor's side of messages that are handled alone: a process for each, a few at a time."""

import logging
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lazaret.config.options import Config
from lazaret.daemon import alone, sockets
from lazaret.daemon.board import ROWS, Board, Cell
from lazaret.daemon.signals import Signals
from lazaret.daemon.silence import Silence
from lazaret.daemon.sockets import Listener
from lazaret.rules.ruleset import RuleSet

log = logging.getLogger("lazaret.singles")

EX_SOFTWARE = 70


@dataclass(slots=True)
class _Process:
    row: int
    started: float
    killed: bool = False


class Singles:
    """Starts such processes and sees their ends; they are never started again."""

    def __init__(self, signals: Signals, board: Board, lifeline: tuple[int, int], silence: Silence) -> None:
        self.counter = alone.Counter()
        self._signals = signals
        self._board = board
        self._lifeline = lifeline
        self._silence = silence
        self._processes: dict[int, _Process] = {}

    @property
    def wake(self) -> list[int]:
        """What is readable when a process is to be started, and may be."""
        return [self.counter.fileno()] if len(self._processes) < alone.MOST else []

    def start_waiting(self, config: Config, ruleset: RuleSet, listeners: Sequence[Listener]) -> None:
        """A process for each message that waits, as long as there are not too many."""
        while len(self._processes) < alone.MOST and (connection := self.counter.next()) is not None:
            used = {one.row for one in self._processes.values()}
            row = next(n for n in reversed(range(ROWS)) if n not in used)
            self._board.row(row).begin(0)
            single = alone.Single(config, ruleset, self._board, row, self._lifeline[0], connection)
            with connection:  # what is ours of it; a worker whose process cannot be forked sees it close
                try:
                    pid = self._signals.fork()
                except OSError as e:
                    log.error("cannot start a process for one message: %s", e.strerror)
                    continue
                if not pid:
                    self._work(single, listeners)
            self._processes[pid] = _Process(row, time.monotonic())

    def _work(self, single: alone.Single, listeners: Sequence[Listener]) -> None:
        status = EX_SOFTWARE
        try:
            os.close(self._lifeline[1])
            sockets.let_go(listeners)
            alone.run(single)
            status = 0
        except BaseException:
            log.exception("the process %d for one message failed", os.getpid())
        finally:
            logging.shutdown()
            os._exit(status)

    def has_ended(self, pid: int, status: int) -> bool:
        """Takes note of the end of a process, if it was one of these."""
        found = self._processes.pop(pid, None)
        if found is None:
            return False
        self._board.row(found.row).begin(0)
        self._silence.forget(pid)
        code = os.waitstatus_to_exitcode(status)
        if code:
            how = f"by signal {-code}" if code < 0 else f"with status {code}"
            log.error("the process %d for one message ended %s", pid, how)
        return True

    def end_stuck(self, stuck_s: float, start_s: float) -> None:
        """Kills those that gave no sign of life for so long; before the first one for `start_s`."""
        for pid, one in self._processes.items():
            beat = self._board.row(one.row)[Cell.BEAT]
            silent = self._silence.of(pid, beat or one.started)
            if silent > (stuck_s if beat else start_s) and not one.killed:
                log.error(
                    "the process %d for one message gave no sign of life for %.0f s; killed", pid, silent
                )
                os.kill(pid, signal.SIGKILL)
                one.killed = True
