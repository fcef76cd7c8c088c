"""Files that settings name and somebody renews: read when first asked for, and again once they changed."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)


class DataFile(Generic[T]):
    """What `read` makes of a file; `empty` while there is none, or none that can be read."""

    def __init__(self, find: Callable[[], Path], read: Callable[[Path], T], empty: T) -> None:
        """`find` is asked every time: the file may come to lie at a better place."""
        self._find = find
        self._read = read
        self._empty = empty
        self._value = empty
        self._state: tuple[int, int, int] | None = None
        self._missing = False

    def value(self) -> T:
        """As the file is now."""
        path = self._find()
        try:
            found = path.stat()
            state = (found.st_mtime_ns, found.st_size, found.st_ino)
            if state != self._state:
                self._value = self._read(path)
                self._state = state
            self._missing = False
        except (OSError, ValueError, RuntimeError) as error:
            if not self._missing:
                _log.warning("%s cannot be read: %s", path, getattr(error, "strerror", None) or error)
            self._missing, self._state, self._value = True, None, self._empty
        return self._value
