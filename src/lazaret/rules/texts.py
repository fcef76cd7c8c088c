"""The texts of one view of a message, each by itself and put together."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from lazaret.model.lazy import lazy
from lazaret.rules import folding


class Together(NamedTuple):
    """Some texts of a view, and all of them as one, something between them."""

    texts: Sequence[bytes]
    first: int
    """The place in the view of the first of them."""
    whole: bytes = b""


class Texts:
    """All texts of a view; searches for expressions that hardly say anything run over many at once."""

    def __init__(self, each: Sequence[bytes]) -> None:
        self.each = each

    @lazy
    def ascii(self) -> Together:
        """Those without octets above ASCII."""
        return self._of(bytes.isascii, b"\n".join)

    @lazy
    def other(self) -> Together:
        """Those with octets above ASCII."""
        return self._of(lambda text: not text.isascii(), b"\n".join)

    @lazy
    def plain(self) -> Together:
        """Those that can be folded, folded as one."""
        return self._of(folding.is_plain, folding.together)

    @lazy
    def strange(self) -> Together:
        """Those that cannot be folded."""
        return self._of(lambda text: not folding.is_plain(text), b"\n".join)

    def _of(self, kind: Callable[[bytes], bool], join: Callable[[Iterable[bytes]], bytes]) -> Together:
        numbers = [n for n, text in enumerate(self.each) if kind(text)]
        texts = [self.each[n] for n in numbers]
        return Together(texts, min(numbers, default=0), join(texts))
