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

    __slots__ = ("_buffer", "_endless", "_limit", "_searched", "_skipped", "_skipping")

    def __init__(self, limit: int, endless: int = 0) -> None:
        self._limit = limit
        self._endless = endless
        self._skipped = 0
        """Octets thrown away of the line that has not ended yet."""
        self._buffer = bytearray()
        self._searched = 0
        self._skipping = False

    def __len__(self) -> int:
        """Octets that wait."""
        return len(self._buffer)

    def feed(self, octets: bytes) -> None:
        """Takes what came in."""
        self._buffer += octets

    def pop(self) -> bytes | None:
        """The next line with its line end, TOO_LONG when it was too long, None when it is not whole yet.

        Raises EndlessLine.
        """
        buffer = self._buffer
        if not buffer:
            return None
        end = buffer.find(b"\n", self._searched) + 1
        if self._endless and self._skipped + (end or len(buffer)) > self._endless:
            raise EndlessLine
        if not end:
            self._keep_waiting()
            return None
        line = bytes(buffer[:end])
        del buffer[:end]
        self._searched = 0
        if self._skipping or end > self._limit:
            self._skipping = False
            self._skipped = 0
            return TOO_LONG
        return line

    def take_all(self) -> bytes:
        """Everything that waits, for a phase without lines."""
        octets = bytes(self._buffer)
        self.clear()
        return octets

    def clear(self) -> None:
        """Throws away what waits."""
        self._buffer.clear()
        self._searched = 0
        self._skipped = 0
        self._skipping = False

    def _keep_waiting(self) -> None:
        if len(self._buffer) > self._limit:
            self._skipping = True
            self._skipped += len(self._buffer)
            self._buffer.clear()
        self._searched = len(self._buffer)
