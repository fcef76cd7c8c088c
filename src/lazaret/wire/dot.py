"""The message in DATA: its end, the doubled dots, and line ends that are none (RFC 5321, section 4.5.2).

Only CRLF.CRLF ends a message. SMTP smuggling lives on two servers that disagree about the end, so
every other likeness (LF.LF, LF.CRLF, CRLF.LF, CR.CRLF …) is content here, and a dot is doubled or
freed after CRLF alone. A bare LF is refused, or becomes CRLF after the dots have been dealt with: a
line `.` that comes into being that way stays content.
"""

import re
from enum import StrEnum

from lazaret.model.compiled import load

_END = b"\r\n.\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")


def _line_ends_in_python(octets: bytes | bytearray, start: int, end: int) -> tuple[bool, bool]:
    """Whether a LF there has no CR before it, and whether a dot there stands after CRLF.

    What stands before `start` is looked at, what it has of its own is not.
    """
    bare = octets.count(b"\n", start, end) != octets.count(b"\r\n", max(start - 1, 0), end)
    return bare, octets.find(b"\r\n.", max(start - 2, 0), end) >= 0


_compiled = load("lazaret.wire._dot_kernel", 1)
# Python counts octet by octet; the kernel goes from line to line.
_line_ends = _compiled.line_ends if _compiled is not None else _line_ends_in_python


class BareLf(StrEnum):
    """What happens to a LF without CR before it (`listen.bare_lf`)."""

    REJECT = "reject"
    NORMALIZE = "normalize"


class BareLfReceived(Exception):
    """A LF without CR came in DATA where that is refused."""


class DotReader:
    """Takes the octets of one DATA phase. Beyond `max_size` (0 = no limit) it only looks for the end."""

    __slots__ = (
        "_bare_lf",
        "_buffer",
        "_dropped",
        "_max_size",
        "_saw_bare_lf",
        "_saw_dot",
        "_stuffed",
        "oversized",
    )

    def __init__(self, max_size: int, bare_lf: BareLf) -> None:
        self._max_size = max_size
        self._bare_lf = bare_lf
        # A dot may be the very first octet: DATA itself counts as the line end before it.
        self._buffer = bytearray(b"\r\n")
        self._dropped = 0
        self._stuffed: int | None = None
        self._saw_bare_lf = False
        self._saw_dot = False
        """After CRLF: most messages have no such dot."""
        self.oversized = False

    @property
    def size(self) -> int:
        """Octets so far, doubled dots counted once as soon as it matters (RFC 1870, section 5)."""
        return self._dropped + len(self._buffer) - 2 - (self._stuffed or 0)

    @property
    def kept(self) -> int:
        """Octets that are in memory."""
        return len(self._buffer)

    def feed(self, octets: bytes) -> bytes | None:
        """What follows the end of the message; None while it goes on. Raises BareLfReceived."""
        buffer = self._buffer
        old = len(buffer)
        buffer += octets
        found = buffer.find(_END, max(0, old - len(_END) + 1))
        if found < 0:
            self._look_at_line_ends(old, len(buffer))
            # Up to two octets at the end may belong to the end of the message: `.` and CR.
            self._keep_to_limit(old, undecided=2)
            return None
        end = found + 2
        self._look_at_line_ends(old, end)
        rest = bytes(buffer[found + len(_END) :])
        del buffer[end:]
        if self._stuffed is not None and end < old:
            self._stuffed -= 1  # the dot of the end came earlier and was counted
        self._keep_to_limit(old, undecided=0)
        return rest

    def drop(self) -> None:
        """Keeps nothing of the message, and from now on only looks for its end."""
        self.oversized = True
        self._keep_to_limit(len(self._buffer), undecided=2)

    def message(self) -> bytes:
        """The message with its dots freed; to be asked once, after the end."""
        octets = bytes(self._buffer)
        self._buffer.clear()
        if self._saw_dot:
            octets = octets.replace(b"\r\n.", b"\r\n")
        return (normalize(octets) if self._saw_bare_lf else octets)[2:]

    def _look_at_line_ends(self, start: int, end: int) -> None:
        bare, dotted = _line_ends(self._buffer, start, end)
        if bare and self._bare_lf is BareLf.REJECT:
            raise BareLfReceived
        self._saw_bare_lf |= bare
        self._saw_dot |= dotted

    def _keep_to_limit(self, old: int, undecided: int) -> None:
        """Drops all but the tail, which may hold the beginning of the end, once the limit is passed.

        The dots are counted only from there on: few messages come near the limit.
        """
        buffer = self._buffer
        allowed = self._max_size + undecided
        within = not self._max_size or self._dropped + len(buffer) - 2 <= allowed
        if within and not self.oversized:
            return
        if self._stuffed is None:
            self._stuffed = buffer.count(b"\r\n.")
        else:
            self._stuffed += buffer.count(b"\r\n.", max(0, old - 2))
        self.oversized = self.oversized or self.size > allowed
        if self.oversized:
            tail = len(_END) - 1
            self._dropped += max(0, len(buffer) - tail)
            del buffer[:-tail]


def normalize(octets: bytes) -> bytes:
    """With CRLF for every bare LF; a bare CR stays."""
    return _BARE_LF.sub(b"\r\n", octets)


def stuff(octets: bytes) -> bytes:
    """The message as it goes over the wire: dots doubled, last line ended, CRLF.CRLF at its end.

    A bare LF must not be sent (RFC 5321, section 2.3.8), and a lax next hop would take LF.LF within
    the text for the end and what follows for commands: it leaves as CRLF.
    """
    bare, dotted = _line_ends(octets, 0, len(octets))
    if bare:
        octets = normalize(octets)
    if bare or dotted:
        octets = octets.replace(b"\r\n.", b"\r\n..")
    first = b"." if octets.startswith(b".") else b""
    last = b".\r\n" if octets.endswith(b"\r\n") or not octets else _END
    return b"".join((first, octets, last))
