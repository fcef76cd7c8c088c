"""The settings of rule files, as eval functions ask for them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


class Settings:
    """Directive -> its values in order; what is built from them is built once."""

    def __init__(self, values: Mapping[str, tuple[str, ...]]) -> None:
        self._values = values
        self._built: dict[str, object] = {}

    def lines(self, word: str) -> tuple[str, ...]:
        """The values of every line that began with the word."""
        return self._values.get(word, ())

    def words(self, word: str) -> tuple[str, ...]:
        """The blank-separated words of all its lines."""
        return tuple(w for line in self.lines(word) for w in line.split())

    def once(self, name: str, build: Callable[["Settings"], T]) -> T:
        """What `build` makes of the settings; built at the first call and kept under `name`."""
        if name not in self._built:
            self._built[name] = build(self)
        return self._built[name]  # type: ignore[return-value]
