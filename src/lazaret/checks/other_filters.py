"""Notes what another filter has found, for `lazaret compare`: no points, and only in mode "observe"."""

from collections.abc import Iterator, Mapping

from lazaret.checks import Scan, Symbol
from lazaret.mime import filter_verdict
from lazaret.model.verdict import Hit

SPAM = "OTHER_FILTER_SPAM"
HAM = "OTHER_FILTER_HAM"

name = "other-filters"
symbols: Mapping[str, Symbol] = {
    SPAM: Symbol(0.0, "Another filter took it for spam"),
    HAM: Symbol(0.0, "Another filter took it for no spam"),
}


def run(scan: Scan, /) -> Iterator[Hit]:
    """A hit for each filter whose verdict the header section holds."""
    for verdict in filter_verdict.of(scan.message):
        yield Hit(SPAM if verdict.spam else HAM, str(verdict))
