"""Rules compiled in a process of its own: the supervisor keeps watch meanwhile, and the memory that
compiling takes goes back to the system with the process."""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from lazaret import app
from lazaret.config.options import Config
from lazaret.daemon.signals import Signals
from lazaret.model.errors import UserError

log = logging.getLogger("lazaret.compiling")

EX_CANTCREAT = 73
EX_SOFTWARE = 70
NICENESS = 15
"""Beside a running service, which is not to become slower."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """How such processes are started."""

    signals: Signals
    lifeline: tuple[int, int]
    """A pipe: its write end is the supervisor's alone, so that reading ends when the supervisor does."""

    def start(self, config: Config, *, nice: int, progress: Callable[[int, int], None] | None = None) -> int:
        """The process id. Its work is done when it ends with status 0; `check` says what else it means."""
        pid = self.signals.fork()
        if pid:
            return pid
        status = EX_SOFTWARE
        try:
            os.close(self.lifeline[1])
            threading.Thread(target=self._end_with_supervisor, daemon=True).start()
            os.nice(nice)
            app.store_rules(config, progress)
            status = 0
        except OSError as error:
            log.error("the compiled rules cannot be kept in %s: %s", config.store.data_dir, error.strerror)
            status = EX_CANTCREAT
        except BaseException:
            log.exception("compiling the rules failed")
        finally:
            logging.shutdown()
            os._exit(status)

    def _end_with_supervisor(self) -> None:
        os.read(self.lifeline[0], 1)
        os._exit(EX_SOFTWARE)


def check(status: int) -> None:
    """UserError when the process did not end well, by its wait status."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        raise UserError(f"the process that compiled the rules was ended by signal {-code}", EX_SOFTWARE)
    if code:
        raise UserError("the rules were not compiled, as said above", code)
