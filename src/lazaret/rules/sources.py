"""Which rule files are read, in which order, and their text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

_INCLUDE = re.compile(rb"^[ \t]*include[ \t]+(\S[^\r\n]*?)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_MAX_FILES = 10_000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file. `name` is what people see in messages: its path, or `shipped/…` for our own."""

    name: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Sources:
    """The files in reading order, those they include by name, and what could not be read."""

    files: tuple[SourceFile, ...]
    included: Mapping[str, SourceFile]
    unreadable: tuple[tuple[str, str], ...] = ()

    def texts(self) -> Iterator[SourceFile]:
        """Every file that has a say in the result."""
        yield from self.files
        yield from self.included.values()


def read(paths: Sequence[Path], *, shipped: bool) -> Sources:
    """The shipped rules, then every `.pre`, then every `.cf`, directories in the order given.

    Plug-ins are loaded in `.pre` files, so those come first whatever directory they lie in. Within a
    directory names are sorted by octets; one that sa-update made comes first there.
    """
    files: list[SourceFile] = list(_shipped()) if shipped else []
    unreadable: list[tuple[str, str]] = []
    listed = list(_list_all(paths, unreadable))
    ordered = [p for p in listed if p.suffix == ".pre"] + [p for p in listed if p.suffix != ".pre"]
    for path in ordered:
        try:
            files.append(SourceFile(str(path), path.read_bytes()))
        except OSError as error:
            unreadable.append((str(path), error.strerror or "cannot be read"))
    return Sources(tuple(files), _follow(files, unreadable), tuple(unreadable))


def named(paths: Sequence[Path]) -> list[str]:
    """The names of the files under `paths` that would be read now, without those that they include."""
    return [str(path) for path in _list_all(paths, [])]


def include_name(including: str, argument: str) -> str:
    """The name of an included file: relative to the file that includes it."""
    return str(Path(including).parent / argument)


def _list_all(paths: Sequence[Path], unreadable: list[tuple[str, str]]) -> Iterator[Path]:
    for given in paths:
        try:
            yield from _list(given)
        except OSError as error:
            unreadable.append((str(given), error.strerror or "cannot be read"))


def _list(given: Path) -> list[Path]:
    if not given.is_dir():
        return [given]
    found = [p for p in given.iterdir() if p.suffix in (".pre", ".cf") and p.is_file()]
    return sorted(found, key=lambda p: (p.name != "updates_spamassassin_org.cf", str(p).encode()))


def _shipped() -> Iterator[SourceFile]:
    data = resources.files("lazaret.rules") / "data"
    for entry in sorted(data.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".cf"):
            yield SourceFile(f"shipped/{entry.name}", entry.read_bytes())


def _follow(files: Sequence[SourceFile], unreadable: list[tuple[str, str]]) -> dict[str, SourceFile]:
    included: dict[str, SourceFile] = {}
    waiting = list(files)
    while waiting and len(included) < _MAX_FILES:
        file = waiting.pop()
        for match in _INCLUDE.finditer(file.text):
            name = include_name(file.name, match[1].decode("utf-8", "surrogateescape"))
            if name in included:
                continue
            try:
                included[name] = SourceFile(name, Path(name).read_bytes())
            except OSError as error:
                unreadable.append((name, error.strerror or "cannot be read"))
                continue
            waiting.append(included[name])
    return included
