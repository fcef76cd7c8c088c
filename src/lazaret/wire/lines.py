"""Lines out of a stream of octets, in any split, none of them longer than a limit."""

from typing import Final

TOO_LONG: Final = b""
"""What `pop` gives in the place of a line beyond the limit; a real line always has its line end."""


class EndlessLine(Exception):
    """A line is so long that nobody waits for its end."""


class Lines:
    """A buffer that gives whole lines.

    A line ends with LF; it is given with its line end, so that the caller sees whether a CR stood
    before. Of a line beyond `limit` octets nothing is stored: memory stays bounded whatever comes.
    With `endless` one beyond that many octets is an error.
    """

    __slots__ = ("_buffer", "_endless", "_limit", "_skipped", "_start")

    def __init__(self, limit: int, endless: int = 0) -> None:
        self._limit = limit
        self._endless = endless
        self._skipped = 0
        """Octets thrown away of the line that has not ended yet."""
        self._buffer = b""
        self._start = 0
        """What stands before it has been given; mostly that is all when more comes, and nothing is copied."""

    def __len__(self) -> int:
        """Octets that wait."""
        return len(self._buffer) - self._start

    def feed(self, octets: bytes) -> None:
        """Takes what came in."""
        self._buffer = self._buffer[self._start :] + octets
        self._start = 0

    def pop(self) -> bytes | None:
        """The next line with its line end, TOO_LONG when it was too long, None when it is not whole yet.

        Raises EndlessLine.
        """
        start = self._start
        end = self._buffer.find(b"\n", start) + 1
        if not end:
            self._buffer = self._buffer[start:]
            self._start = 0
            if self._buffer:
                self._keep_waiting()
            return None
        if self._skipped or end - start > self._limit:
            self._look_for_endless(end - start)
            self._skipped = 0
            self._start = end
            return TOO_LONG
        self._start = end
        return self._buffer[start:end]

    def take_all(self) -> bytes:
        """Everything that waits, for a phase without lines."""
        octets = self._buffer[self._start :]
        self.clear()
        return octets

    def clear(self) -> None:
        """Throws away what waits."""
        self._buffer = b""
        self._start = 0
        self._skipped = 0

    def _keep_waiting(self) -> None:
        waiting = len(self._buffer)
        self._look_for_endless(waiting)
        if waiting > self._limit:
            self._skipped += waiting
            self._buffer = b""

    def _look_for_endless(self, more: int) -> None:
        if self._endless and self._skipped + more > self._endless:
            raise EndlessLine
