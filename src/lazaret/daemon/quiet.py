"""A log line that anybody outside can cause: said once a second at most, with how many were left out."""

import logging
import time

PAUSE_S = 1.0


class Quiet:
    """One kind of line. A flood of connections must not become a flood of log lines, and a full disk."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._next = 0.0
        self._left_out = 0

    def warning(self, text: str, *values: object) -> None:
        """Says it, or counts it."""
        now = time.monotonic()
        if now < self._next:
            self._left_out += 1
            return
        self._next = now + PAUSE_S
        if self._left_out:
            text += " (and %d more such lines)"
            values = (*values, self._left_out)
            self._left_out = 0
        self._log.warning(text, *values)
