"""Whether the disk under the database has room for more (`store.min_free`)."""

import os
import time
from pathlib import Path

from lazaret.model.errors import StoreUnavailable

FRESH_S = 1.0
"""How long an answer holds: every MAIL FROM asks."""


class Room:
    """Looks at the file system that `path` lies on."""

    def __init__(self, path: Path, min_free: int) -> None:
        self._path = path
        self._min_free = min_free
        self._asked = -FRESH_S
        self._left = True

    def is_left(self) -> bool:
        """Whether `min_free` octets are free for us; StoreUnavailable when the place is gone."""
        now = time.monotonic()
        if now - self._asked >= FRESH_S:
            self._left = self._free() >= self._min_free
            self._asked = now
        return self._left

    def _free(self) -> int:
        try:
            found = os.statvfs(self._path)
        except OSError as error:
            raise StoreUnavailable(f"{self._path}: {error.strerror}") from error
        return found.f_bavail * found.f_frsize
