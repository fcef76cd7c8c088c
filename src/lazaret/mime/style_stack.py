"""Which style holds at this place of an HTML document? The tags that change it, open and closed again."""

import re
from collections.abc import Mapping

from lazaret.mime import style
from lazaret.mime.style import Style

_SIZES = {"big": 1, "small": -1}
_SPECIAL = frozenset({"td", "tr", "basefont", *_SIZES})
_BASE_SIZE = re.compile(r"\s*(\d{1,9})")


def base_size(found: Mapping[str, str]) -> int | None:
    """The size that <basefont> sets for those that are relative."""
    size = _BASE_SIZE.match(found.get("size", ""))
    return int(size[1]) if size else None


class StyleStack:
    """The styles of the open tags; a tag is given as "td" for th too."""

    def __init__(self) -> None:
        self.current = style.PLAIN
        self.min_size = self.max_size = style.PLAIN.size
        self._base_size = style.PLAIN.size
        self._open: list[tuple[str, Style]] = [("", style.PLAIN)]
        self._count: dict[str, int] = {}
        """Tag -> how often it is open: an end tag that closes nothing must not cost a search."""

    def open(self, tag: str, found: Mapping[str, str]) -> None:
        """A start tag with its attributes."""
        counts = style.TEXT_ATTRIBUTES.get(tag, ())
        self.enter(tag, found, tuple(item for item in found.items() if item[0] in counts))

    def enter(self, tag: str, found: Mapping[str, str], counting: tuple[tuple[str, str], ...]) -> None:
        """`open`, where it is known which of the attributes count for this tag (style.TEXT_ATTRIBUTES)."""
        if tag in _SPECIAL and self._open_special(tag, found):
            return
        if counting:
            self._restyle(counting)
        self._open.append((tag, self.current))
        self._count[tag] = self._count.get(tag, 0) + 1

    def close(self, tag: str) -> None:
        """An end tag closes all up to its start tag; what follows </body> is shown as if it stood inside."""
        if tag == "body" or not self._count.get(tag):
            return
        while self._pop() != tag:
            pass

    def _open_special(self, tag: str, found: Mapping[str, str]) -> bool:
        """What these tags do besides; whether it was all."""
        if tag in _SIZES:
            self.current = style.resized(self.current, _SIZES[tag])
        elif tag != "basefont":
            self._close_cell(tag)
        else:
            size = base_size(found)
            if size is not None:
                self._base_size = size
                return True
        return False

    def _restyle(self, counting: tuple[tuple[str, str], ...]) -> None:
        restyled = style.restyle(self.current, counting, self._base_size)
        if restyled.size > self.max_size:
            self.max_size = restyled.size
        elif restyled.size < self.min_size:
            self.min_size = restyled.size
        self.current = restyled

    def _close_cell(self, tag: str) -> None:
        """Cells and rows have optional end tags: a new one closes the last one."""
        if not self._count.get(tag):
            return
        closes = ("font", "td") if tag == "td" else ("font", "td", "tr")
        while self._open[-1][0] in closes:
            self._pop()

    def _pop(self) -> str:
        tag, _ = self._open.pop()
        self._count[tag] -= 1
        self.current = self._open[-1][1]
        return tag
