"""The files of amavisd's quarantine, read by a process of its own that has the rights of their owner.

What root types becomes the owner of our data directory, who may not look into amavisd's; and what
reads files that strangers have sent is better not root.
"""

import gzip
import json
import os
import pwd
import stat
import zlib
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO, cast

from lazaret.flow.amavis_file import StoredFile
from lazaret.model.errors import UserError

EX_NOINPUT = 66
EX_OSERR = 71
MAX_OCTETS = 256 << 20
"""Of a file, unpacked: what is larger is no message, but may be a bomb."""
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20


class Reader:
    """Reads a directory in a child process, from now on; `files` gives what it finds."""

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            raise UserError(f"there is no directory {directory}", EX_NOINPUT)
        self._receiver, sender = Pipe(duplex=False)
        self._pid = os.fork()
        if self._pid:
            sender.close()
            return
        status = 1
        try:
            self._receiver.close()
            _become_owner(directory)
            _send_all(directory, sender)
            status = 0
        except (BrokenPipeError, KeyboardInterrupt):
            status = 0  # nobody wants the rest
        finally:
            os._exit(status)

    def files(self) -> Iterator[StoredFile]:
        """Every file below the directory, in the order of names. UserError when the child breaks off."""
        while True:
            try:
                facts = json.loads(self._receiver.recv_bytes())
                octets = self._receiver.recv_bytes()
            except EOFError:
                break
            yield StoredFile(facts["name"], octets, facts["modified"], facts["fault"])
        _, status = os.waitpid(self._pid, 0)
        if status:
            raise UserError("the process that reads the files broke off; not all were read", EX_OSERR)


def _become_owner(directory: Path) -> None:
    found = directory.stat()
    if os.geteuid() != 0 or found.st_uid == 0:
        return
    try:
        os.initgroups(pwd.getpwuid(found.st_uid).pw_name, found.st_gid)
    except KeyError:
        os.setgroups([found.st_gid])
    os.setgid(found.st_gid)
    os.setuid(found.st_uid)


def _send_all(directory: Path, pipe: Connection) -> None:
    for file in walk(directory):
        facts = {"name": file.name, "modified": file.modified, "fault": file.fault}
        pipe.send_bytes(json.dumps(facts).encode("ascii"))
        pipe.send_bytes(file.octets)


def walk(directory: Path) -> Iterator[StoredFile]:
    """Every file below the directory; one that cannot be read has its fault in the place of octets."""
    waiting = [(directory, "")]
    while waiting:
        path, shown = waiting.pop()
        if not path.is_dir() or (path.is_symlink() and shown):
            yield _read(path, shown)
            continue
        try:
            names = sorted(os.listdir(path), reverse=True)
        except OSError as e:
            yield StoredFile(shown or ".", fault=f"cannot be read: {e.strerror}")
            continue
        waiting += [(path / name, f"{shown}/{name}".removeprefix("/")) for name in names]


def _read(path: Path, shown: str) -> StoredFile:
    try:
        # Neither a symbolic link nor a pipe that nobody fills can hold us up.
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                return StoredFile(shown, fault="no regular file")
            packed = file.peek(2).startswith(_GZIP)
            octets = _bounded(cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file)
            if octets is None:
                return StoredFile(shown, fault=f"more than {MAX_OCTETS >> 20} MiB unpacked: no message")
            return StoredFile(shown, octets, found.st_mtime)
    except (EOFError, gzip.BadGzipFile, zlib.error) as e:
        return StoredFile(shown, fault=f"damaged gzip file: {e}")
    except OSError as e:
        return StoredFile(shown, fault=f"cannot be read: {e.strerror}")


def _bounded(file: BinaryIO) -> bytes | None:
    """What the file holds; None when it is too much."""
    pieces, left = [], MAX_OCTETS
    while piece := file.read(_CHUNK):
        left -= len(piece)
        if left < 0:
            return None
        pieces.append(piece)
    return b"".join(pieces)
