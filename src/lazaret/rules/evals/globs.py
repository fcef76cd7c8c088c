"""Lists of addresses and the like, in which `*` stands for any text and `?` for one character."""

import re
from collections.abc import Iterable

_SIGNS = re.compile(r"[*?]")


class Globs:
    """The entries of a list; the case of letters does not matter."""

    __slots__ = ("_patterns", "_plain")

    def __init__(self, words: Iterable[str]) -> None:
        lowered = [word.lower() for word in words]
        self._plain = frozenset(word for word in lowered if not _SIGNS.search(word))
        globs = [word for word in lowered if word not in self._plain]
        self._patterns = [re.compile("|".join(map(_spelled, globs)), re.DOTALL)] if globs else []

    def __bool__(self) -> bool:
        """Whether there is any entry."""
        return bool(self._plain or self._patterns)

    def __contains__(self, text: str) -> bool:
        text = text.lower()
        return text in self._plain or any(pattern.fullmatch(text) for pattern in self._patterns)


def _spelled(glob: str) -> str:
    """As an expression; a run of `*` is one, or the cost would grow with every further star."""
    return re.escape(re.sub(r"\*+", "*", glob)).replace(r"\*", ".*").replace(r"\?", ".")
