"""Which style holds at this place of an HTML document? The tags that change it, open and closed again."""

import re
from collections.abc import Mapping

from lazaret.mime import style
from lazaret.mime.style import Style

_BASE_SIZE = re.compile(r"\s*(\d{1,9})")


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
        if tag == "basefont":
            size = _BASE_SIZE.match(found.get("size", ""))
            if size:
                self._base_size = int(size[1])
                return
        if tag in ("td", "tr"):
            self._close_cell(tag)
        current = self.current
        if tag == "big":
            current = current._replace(size=current.size + 1)
        elif tag == "small":
            current = current._replace(size=current.size - 1)
        elif found:
            current = self._restyled(tag, found)
        self.current = current
        self._open.append((tag, current))
        self._count[tag] = self._count.get(tag, 0) + 1

    def close(self, tag: str) -> None:
        """An end tag closes all up to its start tag; what follows </body> is shown as if it stood inside."""
        if tag == "body" or not self._count.get(tag):
            return
        while self._pop() != tag:
            pass

    def _restyled(self, tag: str, found: Mapping[str, str]) -> Style:
        counting = tuple(item for item in found.items() if item[0] in style.TEXT_ATTRIBUTES[tag])
        if not counting:
            return self.current
        restyled = style.restyle(self.current, counting, self._base_size)
        if restyled.size > self.max_size:
            self.max_size = restyled.size
        elif restyled.size < self.min_size:
            self.min_size = restyled.size
        return restyled

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
