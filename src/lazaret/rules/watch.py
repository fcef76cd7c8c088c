"""Have the rule files changed? Asked by size and time of change, without reading them again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lazaret.rules import sources

Stamp = tuple[int, int, int]
"""Inode, size, time of change in ns: a file that was replaced, edited or touched has another one."""


@dataclass(slots=True)
class Watch:
    """What the files were like when they were last found changed, or when the watch began."""

    paths: Sequence[Path]
    _included: Sequence[str] = field(init=False)
    _known: Mapping[str, Stamp] = field(init=False)
    _seen: Mapping[str, Stamp] = field(init=False)

    def __post_init__(self) -> None:
        self._included = self._find_included()
        self._known = self._seen = self._look()

    def changes(self) -> list[str]:
        """One line for each file that is new, changed or gone.

        A change counts once two looks have found the same: a set of files that is just being copied is
        left alone until it is complete (see `unsettled`).
        """
        before, self._seen = self._seen, self._look()
        if self._seen != before or self._seen == self._known:
            return []
        lines = list(_differences(self._known, self._seen))
        self._included = self._find_included()
        self._known = self._seen = self._look()
        return lines

    @property
    def unsettled(self) -> bool:
        """Whether the last look found a change that has yet to prove complete."""
        return self._seen != self._known

    def _look(self) -> Mapping[str, Stamp]:
        names = (*sources.named(self.paths), *self._included)
        return {name: stamp for name in names if (stamp := _stamp(name)) is not None}

    def _find_included(self) -> Sequence[str]:
        return tuple(sources.read(self.paths, shipped=False).included)


def _stamp(name: str) -> Stamp | None:
    try:
        status = Path(name).stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _differences(old: Mapping[str, Stamp], new: Mapping[str, Stamp]) -> Iterator[str]:
    for name in sorted({**old, **new}):
        if name not in old:
            yield f"{name} is new"
        elif name not in new:
            yield f"{name} is gone"
        elif old[name] != new[name]:
            yield f"{name} has changed"
