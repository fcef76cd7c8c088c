"""The model as a file that every worker maps and reads without a lock, while one writer changes it in place.

A row of the table is 16 aligned octets, so a reader sees whole numbers, at worst some from before a
lesson and some from after it. What makes the file safe is beside it: a snapshot with a checksum, and
the number of the last lesson that it holds. Whoever keeps the lessons in order (the journal) teaches the
later ones again. A live file whose writer did not end in good order is not believed: it may hold half a
lesson, or after a power cut half of everything. It is built anew from the snapshot and put in the place
of the old one, and readers go over to it when they next look.

    live file   LZLEARN3 | header of 4096 octets | 2**n rows
    snapshot    LZSNAP03 | header of 4096 octets | numbers of the rows in use | these rows | BLAKE2b of all
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from lazaret.learn.model import COLUMNS, TABLE_BITS, Counter, Floats, Memory
from lazaret.model.errors import LazaretError

LIVE = "learner.model"
SNAPSHOT = "learner.snapshot"
LOCK = "learner.lock"
SECRET = "learner.secret"
"""For readers; its home is the database, which all hosts of a site share."""

_LIVE_MAGIC = b"LZLEARN3"
_SNAPSHOT_MAGIC = b"LZSNAP03"
_HEADER = np.dtype(
    [
        ("magic", "S8"),
        ("bits", "<u4"),
        ("open", "<u4"),
        ("lesson", "<u8"),
        ("rows", "<u8"),
        ("secret", "V16"),
        ("counters", "<f8", (Counter.SIZE,)),
    ]
)
_HEADER_OCTETS = 4096
_ROW_OCTETS = 4 * COLUMNS
_DIGEST_OCTETS = 64
_MOST_BITS = 28


class ModelDamaged(LazaretError):
    """The file is not what was written. The exact reason is in the text."""


class ModelBusy(LazaretError):
    """Another process is the writer."""


class Reader:
    """A worker's view: it follows the live file, and is a memory for a model."""

    def __init__(self, folder: Path, secret: bytes) -> None:
        self._path = folder / LIVE
        self._live = os.fspath(self._path)
        self._secret = _fingerprint(secret)
        self._seen: tuple[int, int] | None = None
        self._header: NDArray[np.void] = np.zeros(1, _HEADER)
        self.table: Floats = np.zeros((1, COLUMNS), np.float32)
        self.counters = np.zeros(Counter.SIZE)
        self.refresh()

    @property
    def known(self) -> bool:
        """Whether there is a model."""
        return self._seen is not None

    @property
    def lesson(self) -> int:
        """The last lesson in the model."""
        return int(self._header["lesson"][0])

    @property
    def spam(self) -> int:
        """Spam messages that it has learned."""
        return int(self.counters[Counter.SPAM_SEEN])

    @property
    def ham(self) -> int:
        """Ham messages that it has learned."""
        return int(self.counters[Counter.HAM_SEEN])

    def refresh(self) -> bool:
        """Goes over to another file when there is one; whether it did. Cheap: a stat when nothing changed."""
        try:
            found = os.stat(self._live)
        except OSError:
            return False
        if (found.st_dev, found.st_ino) == self._seen:
            return False
        try:
            self._header, table = _map(self._path, self._secret, writable=False)
        except (OSError, ModelDamaged):
            return False
        # As plain arrays: numpy asks a memmap at every look into it what it has become.
        self.table = table.view(np.ndarray)
        self.counters = self._header["counters"][0].view(np.ndarray)
        self._seen = (found.st_dev, found.st_ino)
        return True


class Writer:
    """The one process that changes the model: a memory, and the number of the last lesson in it."""

    def __init__(self, folder: Path, secret: bytes, lock: int, bits: int) -> None:
        self._folder = folder
        self._secret = _fingerprint(secret)
        self._lock = lock
        keep_secret(folder, secret)
        if not _ended_well(folder / LIVE, self._secret):
            _build(folder, self._secret, bits)
        self._take_up()

    def _take_up(self) -> None:
        """Goes on in the live file."""
        self._header, self.table = _map(self._folder / LIVE, self._secret, writable=True)
        self.counters: NDArray[np.float64] = self._header["counters"][0]
        self._header["open"] = 1

    @classmethod
    def open(cls, folder: Path, secret: bytes, *, bits: int = TABLE_BITS) -> Self:
        """Makes what is missing. ModelBusy: another process writes; ModelDamaged: so is the snapshot."""
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(folder, secret, lock, bits)
        except BlockingIOError:
            os.close(lock)
            raise ModelBusy(f"{folder / LOCK}: another process teaches the learner") from None
        except BaseException:
            os.close(lock)
            raise

    @property
    def lesson(self) -> int:
        """The last lesson in the model; those after it have to be taught again."""
        return int(self._header["lesson"][0])

    def refresh(self) -> bool:
        """Nothing takes the place of what the one writer writes."""
        return False

    def done(self, lesson: int) -> None:
        """This lesson, and all before it, are in the model."""
        self._header["lesson"] = lesson

    def replace(self, memory: Memory, lesson: int) -> None:
        """Puts a model that was made anew, with all lessons up to this one, in the place of this one.

        Readers go over to it when they next look. A crash leaves the old one or the new one.
        """
        header = self._header.copy()
        header["counters"][0], header["lesson"] = memory.counters, lesson
        used = np.flatnonzero(memory.table.any(axis=1))
        _make(self._folder / LIVE, header, used, memory.table[used])
        self._take_up()

    def snapshot(self) -> None:
        """Keeps what is known up to now, so that a crash costs only the lessons after it."""
        used = np.flatnonzero(self.table.any(axis=1)).astype("<u4")
        header = self._header.copy()
        header["magic"], header["open"], header["rows"] = _SNAPSHOT_MAGIC, 0, len(used)
        with _replacing(self._folder / SNAPSHOT) as (file, _):
            digest = hashlib.blake2b()
            for octets in (_padded(header), used.tobytes(), self.table[used].tobytes()):
                digest.update(octets)
                file.write(octets)
            file.write(digest.digest())

    def close(self) -> None:
        """Ends in good order: the next writer goes on where this one stopped."""
        _flush(self.table)
        self._header["open"] = 0
        _flush(self._header)
        os.close(self._lock)


def keep_secret(folder: Path, secret: bytes) -> None:
    """Puts the site's secret beside the model, for those who read the model without the database."""
    if read_secret(folder) != secret:
        with _replacing(folder / SECRET) as (file, _):
            file.write(secret)


def read_secret(folder: Path) -> bytes:
    """The site's secret; empty when nobody has kept it here."""
    try:
        return (folder / SECRET).read_bytes()
    except OSError:
        return b""


def start_over(folder: Path) -> None:
    """Gives up what is there: the next writer begins with nothing."""
    for name in (LIVE, SNAPSHOT):
        (folder / name).unlink(missing_ok=True)


def _ended_well(path: Path, secret: bytes) -> bool:
    try:
        header, _ = _map(path, secret, writable=False)
    except (OSError, ModelDamaged):
        return False
    return not header["open"][0]


def _build(folder: Path, secret: bytes, bits: int) -> None:
    """A live file out of the snapshot, or an empty one; it takes the place of the old one at once."""
    header, used, rows = _read_snapshot(folder / SNAPSHOT, secret)
    if header is None:
        header = np.zeros(1, _HEADER)
        header["bits"] = bits
        header["secret"] = np.void(secret)
    _make(folder / LIVE, header, used, rows)


def _make(path: Path, header: NDArray[np.void], used: NDArray[Any], rows: Floats) -> None:
    """A live file with these rows; it takes the place of the old one at once."""
    header["magic"], header["open"], header["rows"] = _LIVE_MAGIC, 0, 0
    octets = _HEADER_OCTETS + (_ROW_OCTETS << int(header["bits"][0]))
    with _replacing(path) as (file, new):
        file.write(_padded(header))
        file.truncate(octets)
        file.flush()
        table = _table(new, writable=True)
        table[used] = rows
        _flush(table)


def _read_snapshot(path: Path, secret: bytes) -> tuple[NDArray[np.void] | None, NDArray[np.uint32], Floats]:
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return None, np.zeros(0, np.uint32), np.zeros((0, COLUMNS), np.float32)
    content, digest = octets[:-_DIGEST_OCTETS], octets[-_DIGEST_OCTETS:]
    if hashlib.blake2b(content).digest() != digest:
        raise ModelDamaged(f"{path}: the checksum is wrong")
    header = np.frombuffer(content[: _HEADER.itemsize], _HEADER).copy()
    _check(path, header, _SNAPSHOT_MAGIC, secret)
    count = int(header["rows"][0])
    used = np.frombuffer(content, "<u4", count, _HEADER_OCTETS)
    rows = np.frombuffer(content, "<f4", count * COLUMNS, _HEADER_OCTETS + 4 * count)
    return header, used, rows.reshape(-1, COLUMNS)


def _map(path: Path, secret: bytes, *, writable: bool) -> tuple[NDArray[np.void], Floats]:
    if path.stat().st_size < _HEADER_OCTETS:
        raise ModelDamaged(f"{path}: it is too short")
    header: NDArray[np.void] = np.memmap(path, _HEADER, "r+" if writable else "r", shape=(1,))
    _check(path, header, _LIVE_MAGIC, secret)
    if path.stat().st_size != _HEADER_OCTETS + (_ROW_OCTETS << int(header["bits"][0])):
        raise ModelDamaged(f"{path}: its size is not what its header says")
    return header, _table(path, writable=writable)


def _table(path: Path, *, writable: bool) -> Floats:
    table: Floats = np.memmap(path, "<f4", "r+" if writable else "r", _HEADER_OCTETS)
    return table.reshape(-1, COLUMNS)


def _check(path: Path, header: NDArray[np.void], magic: bytes, secret: bytes) -> None:
    if header["magic"][0] != magic or not 1 <= header["bits"][0] <= _MOST_BITS:
        raise ModelDamaged(f"{path}: it is no model of ours")
    if header["secret"][0].tobytes() != secret:
        raise ModelDamaged(f"{path}: it was learned under another secret")


def _fingerprint(secret: bytes) -> bytes:
    """Says which secret, and not what it is."""
    return hashlib.blake2b(secret, digest_size=16, person=b"lazaret.which").digest()


def _padded(header: NDArray[np.void]) -> bytes:
    return header.tobytes().ljust(_HEADER_OCTETS, b"\0")


def _flush(array: NDArray[np.generic]) -> None:
    """To the disk, through whatever views lie over the map."""
    owner: object = array
    while owner is not None and not isinstance(owner, np.memmap):
        owner = getattr(owner, "base", None)
    if isinstance(owner, np.memmap):
        owner.flush()


@contextmanager
def _replacing(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A file that takes the place of `path` when it is whole and on the disk, and not before."""
    new = path.with_name(path.name + ".new")
    with open(os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "r+b") as file:
        yield file, new
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
