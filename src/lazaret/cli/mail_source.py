"""The messages under the paths that a command was given: files, directories, Maildirs, mboxes, stdin."""

import mmap
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lazaret.model.errors import UserError

EX_NOINPUT = 66
STDIN = "-"
MAILDIR = ("cur", "new")

Octets: TypeAlias = bytes | mmap.mmap

_MAPPED = 1 << 24
"""Larger files are mapped: an mbox may not fit into memory."""
_MAIL = re.compile(rb">?From |[!-9;-~]+[ \t]*:")
"""How a message or an mbox begins."""
_FROM = b"From "
_MESSAGE_START = re.compile(rb"(?:\A|(?<=\n)\r?\n)From [^\n]*\d{4}[^\n]*\n")
"""The line before each message of an mbox; it follows an empty line, and ends with a year or more."""
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass(slots=True)
class Source:
    """Where messages come from, and how much there is to read."""

    files: Sequence[Path]
    octets: int
    stdin: bool = False
    read: int = 0
    """Octets that are read so far."""
    passed_over: int = 0
    """Files that are no mail."""

    def messages(self) -> Iterator[bytes]:
        """Each message. UserError (66) for a file that cannot be read."""
        if self.stdin:
            yield from self._split(sys.stdin.buffer.read())
        for file in self.files:
            try:
                octets = _contents(file)
            except FileNotFoundError:
                continue  # its reader's mail program has moved it meanwhile
            except OSError as e:
                raise UserError(f"cannot read {file}: {e.strerror}", EX_NOINPUT) from e
            yield from self._split(octets)

    def _split(self, octets: Octets) -> Iterator[bytes]:
        before = self.read
        if octets[:1] and not _MAIL.match(octets):
            self.passed_over += 1
        else:
            for message in split(octets):
                self.read += len(message)
                yield message
        self.read = before + len(octets)


def find(paths: Sequence[str]) -> Source:
    """What the paths mean; UserError (66) for one that is not there. Directories with all below."""
    files: list[Path] = []
    for name in dict.fromkeys(paths):
        if name == STDIN:
            continue
        path = Path(name)
        if path.is_dir():
            files += _below(path)
        elif path.exists():
            files.append(path)
        else:
            raise UserError(f"there is no {name}", EX_NOINPUT)
    return Source(files, sum(_size(file) for file in files), STDIN in paths)


def split(octets: Octets) -> Iterator[bytes]:
    """The messages of an mbox; what does not begin as one is one message. Nothing is none."""
    if octets[: len(_FROM)] != _FROM:
        if len(octets):
            yield octets[:]
        return
    starts = [match.span() for match in _MESSAGE_START.finditer(octets)]
    if not starts:  # the first line lacks a year: one message below such a line
        yield octets[:].partition(b"\n")[2]
        return
    ends = [start for start, _ in starts[1:]] + [len(octets)]
    for (_, begin), end in zip(starts, ends, strict=True):
        yield _QUOTED.sub(rb"\1", octets[begin:end])


def _below(folder: Path) -> Iterator[Path]:
    """Files of a directory in the order of their names, hidden ones left out; of a Maildir its messages."""
    for at, folders, names in os.walk(folder):
        here = Path(at)
        if all(name in folders for name in MAILDIR):
            # tmp holds what is being delivered; subfolders of Maildir++ begin with a dot.
            folders[:] = [name for name in folders if name != "tmp"]
        elif here.name not in MAILDIR:
            folders[:] = [name for name in folders if not name.startswith(".")]
        folders.sort()
        inside_maildir = here.name in MAILDIR and (here.parent / "tmp").is_dir()
        top_of_maildir = all((here / name).is_dir() for name in MAILDIR)
        if not top_of_maildir:
            for name in sorted(names):
                if inside_maildir or not name.startswith("."):
                    yield here / name


def _contents(file: Path) -> Octets:
    with file.open("rb") as opened:
        if _size(file) < _MAPPED:
            return opened.read()
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
