"""The texts of one view of a message, each by itself and put together."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lazaret.model.lazy import lazy


class Numbered(NamedTuple):
    """A text and its place in the view; text 0 of the body is the subject."""

    place: int
    text: bytes


class Together:
    """Some texts of a view, and all of them as one, a line end between them."""

    __slots__ = ("_numbers", "texts", "whole")

    def __init__(self, texts: Sequence[bytes], numbers: Iterable[int], whole: bytes) -> None:
        self.texts = texts
        self._numbers = numbers
        self.whole = whole

    @property
    def numbered(self) -> Iterable[Numbered]:
        """Each by itself."""
        return map(Numbered, self._numbers, self.texts)


_NOTHING = Together((), (), b"")


class Texts:
    """All texts of a view; searches for expressions that hardly say anything run over many at once."""

    def __init__(self, each: Sequence[bytes]) -> None:
        self.each = each

    @lazy
    def _split(self) -> tuple[Together, Together]:
        whole = b"\n".join(self.each)
        if whole.isascii():
            return Together(self.each, range(len(self.each)), whole), _NOTHING
        return self._of_kind(True), self._of_kind(False)

    def _of_kind(self, ascii_only: bool) -> Together:
        numbers = [n for n, text in enumerate(self.each) if text.isascii() == ascii_only]
        texts = [self.each[n] for n in numbers]
        return Together(texts, numbers, b"\n".join(texts))

    @property
    def ascii(self) -> Together:
        """Those without octets above ASCII."""
        return self._split[0]

    @property
    def other(self) -> Together:
        """Those with octets above ASCII."""
        return self._split[1]
