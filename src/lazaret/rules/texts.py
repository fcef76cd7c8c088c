"""The texts of one view of a message by their kinds, and what is searched for each."""

from collections.abc import Sequence

from lazaret.model.lazy import lazy
from lazaret.rules import folding

Numbered = Sequence[tuple[int, bytes]]
"""Places in the view, and what is searched for the text there."""


class Texts:
    """All texts of a view."""

    def __init__(self, each: Sequence[bytes]) -> None:
        self.each = each

    @lazy
    def ascii(self) -> Numbered:
        """Those without octets above ASCII."""
        return [(number, text) for number, text in enumerate(self.each) if text.isascii()]

    @lazy
    def other(self) -> Numbered:
        """Those with octets above ASCII."""
        return [(number, text) for number, text in enumerate(self.each) if not text.isascii()]

    @lazy
    def plain(self) -> Numbered:
        """Those that can be folded, folded."""
        plain = (number for number, text in enumerate(self.each) if folding.is_plain(text))
        return [(number, folding.fold(self.each[number])) for number in plain]

    @lazy
    def strange(self) -> Numbered:
        """Those that cannot be folded."""
        return [(number, text) for number, text in enumerate(self.each) if not folding.is_plain(text)]
