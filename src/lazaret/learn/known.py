"""What a process knows of the learner that has no database: the model in the data directory, and the secret
under which it was learned."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lazaret.learn.features import Hasher
from lazaret.learn.model import Memory, Private
from lazaret.learn.model_file import LIVE, Reader, read_secret


class Known(Protocol):
    """A model, and how to ask it."""

    @property
    def memory(self) -> Memory: ...

    @property
    def hasher(self) -> Hasher: ...

    def refresh(self) -> None:
        """Goes over to a model that has taken the place of this one."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A model whose place no other takes."""

    memory: Memory
    hasher: Hasher

    def refresh(self) -> None:
        """Nothing to do."""


class Shared:
    """The model that the one writer of this host changes; nothing is known while there is none."""

    def __init__(self, folder: Path, *, every_s: float = 0.0) -> None:
        """`every_s`: so long no model that has taken the place of this one is looked for again."""
        self._folder = folder
        self._every_s = every_s
        self._look_at = 0.0
        self._live = os.fspath(folder / LIVE)
        self._seen: tuple[int, int] | None = None
        self._secret = b""
        self.memory: Memory = Private(0)
        self.hasher = Hasher(b"")
        self.refresh()

    def refresh(self) -> None:
        """Cheap: a stat when nothing has changed, and that not for every message."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + self._every_s
        try:
            found = os.stat(self._live)
        except OSError:
            return
        place = (found.st_dev, found.st_ino)
        if place == self._seen:
            return
        secret = read_secret(self._folder)
        reader = Reader(self._folder, secret)
        if not reader.known:
            return
        if secret != self._secret:
            self._secret, self.hasher = secret, Hasher(secret)
        self.memory, self._seen = reader, place
