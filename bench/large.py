"""A large quarantine on one kind of database, made quickly, and kept for later measurements if wanted.

The rows are those that the filter writes (`store/rows.py`), thousands of messages to a transaction and
without waiting for the disk. The words are those of CORPUS by how frequent they are there, or made up; each
is drawn as in a language, the word of rank k k times more rarely than the first.
"""

import argparse
import itertools
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from copies import NEW_ID, multiply  # beside this file
from tests.support import databases
from tests.support.ports import free_port

from lazaret.model import words
from lazaret.model.entry import Entry
from lazaret.model.partition import ALWAYS_0
from lazaret.store import migrations
from lazaret.store.backup import restore
from lazaret.store.connection import transaction
from lazaret.store.locating import locate
from lazaret.store.opening import Store, open_store
from lazaret.store.rows import Rows
from store import START, VOCABULARY, message  # beside this file

OCTETS = 2_000
AT_ONCE = 2_000
READ = 40_000_000
"""Octets of the corpus whose words are counted."""


class Place:
    """Where the database of one kind lies, and how it is started anew."""

    def __init__(self, kind: str, folder: Path, *, kept: bool = False) -> None:
        self.kind = kind
        self.folder = folder
        self._kept = kept
        self._server: databases.Server | None = None
        self.url = "sqlite:///lazaret.db"
        if kind != "sqlite":
            databases.open_way(folder / "x")
            folder.chmod(0o755)
            self._server = databases.Server(kind, folder / "server", free_port())
            self._start_server(self._server)
            self.url = databases.Running(kind, self._server.port, 0, "").url("mail")

    @property
    def is_filled(self) -> bool:
        """The list of words is written last."""
        return (self.folder / "words").exists()

    def open(self, *, create: bool = False) -> Store:
        return open_store(self.url, self.folder, create=create, password=databases.PASSWORD)

    def upgrade(self) -> None:
        """Brings a database that was kept up to date."""
        database = locate(self.url, self.folder, databases.PASSWORD)
        connection = database.connect(writing=True, patient=True)
        migrations.migrate(connection)
        connection.close()
        self.analyse()

    def load(self) -> None:
        """Lets the server wait for no disk until it is started anew."""
        if self._server is not None:
            self._server.stop()
            self._server.start(memory="1G")

    def analyse(self) -> None:
        """What autovacuum does by itself in service."""
        if self.kind != "postgresql":
            return
        connection = locate(self.url, self.folder, databases.PASSWORD).connect(writing=True, patient=True)
        connection.execute("VACUUM ANALYZE")
        connection.close()

    def cool(self) -> None:
        """Stops the server, and lets go of what the system keeps in memory of the files."""
        if self._server is not None:
            self._server.stop()
        for file in self.folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                descriptor = os.open(file, os.O_RDONLY)
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)
        if self._server is not None:
            self._server.start(durable=True, memory="1G")

    def size(self) -> int:
        folder = self.folder / "server" if self._server else self.folder
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    def server_cpu(self) -> float:
        """Seconds of CPU of the server's processes that run."""
        if self._server is None or self._server.process is None:
            return 0.0
        pid = self._server.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sum(map(_on_cpu, (str(pid), *children)))

    def close(self) -> None:
        if self._server is None:
            return
        if self._kept and self._server.process is not None:
            self._server.stop()
        else:
            self._server.kill()

    def _start_server(self, server: databases.Server) -> None:
        is_new = not server.folder.exists()
        if is_new:
            server.folder.mkdir(parents=True)
            server.make()
        server.start(durable=True, memory="1G")
        if is_new:
            server.make_user()
            server.admin(f"CREATE DATABASE mail{' OWNER lazaret' if self.kind == 'postgresql' else ''}")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a quarantine consists of."""

    messages: int
    stored_share: int = 1
    """One message in so many is quarantined, the others are history."""
    corpus: Path | None = None
    copies: int = 1
    """So many times each text is there. Servers copy rows in a tenth of the time that making them takes."""


def _on_cpu(pid: str) -> float:
    """Seconds that the threads of a process ran."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(thread.read_text().split()[0])
        except FileNotFoundError:
            pass  # It has ended.
    return total / 1e9


@lru_cache(maxsize=1)
def vocabulary(place: Place) -> list[str]:
    """The words of a filled place, the most frequent first."""
    return (place.folder / "words").read_text("utf-8").split("\n")


def later(place: Place, dice: random.Random, number: int) -> Entry:
    """A quarantined message that comes in after those, of the same words."""
    known = vocabulary(place)
    said = [known[int(len(known) ** dice.random()) - 1] for _ in range(OCTETS // 8)]
    return message(dice, number, stored=True, said=said)


def fill(place: Place, shape: Shape, source: Path | None = None) -> None:
    """Makes the database, or restores it from a backup of one that was made so; says what it took."""
    if not source:
        place.load()
    cpu, began = time.process_time() + place.server_cpu(), time.perf_counter()
    if source:
        restore(source, locate(place.url, place.folder, databases.PASSWORD))
        known = source.with_name(source.name + ".words").read_text("utf-8")
    else:
        known = "\n".join(_words(shape.corpus))
        _write(place, shape, known.split("\n"))
    place.analyse()
    (place.folder / "words").write_text(known, "utf-8")
    cpu = time.process_time() + place.server_cpu() - cpu
    done = "restored" if source else f"{shape.messages} messages written"
    print(f"{place.kind}: {done} in {time.perf_counter() - began:.0f} s, {cpu:.0f} s of CPU", flush=True)
    if not source:
        place.cool()


def _write(place: Place, shape: Shape, known: Sequence[str]) -> None:
    store = place.open(create=True)
    connection = store.database.connect(writing=True, patient=True)
    if place.kind == "sqlite":
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -1000000")
        # The index of words is written in few large pieces, which need no merging.
        connection.execute("INSERT INTO lz_text (lz_text, rank) VALUES ('hashsize', 268435456)")
    index = connection.dialect.full_text
    if index.drop_index:
        # As a restore does: all words at once cost a server much less.
        connection.execute(index.drop_index)
    copies = shape.copies if place.kind in NEW_ID else 1
    made = shape.messages // copies
    rows = Rows("mail.home.example", ALWAYS_0)
    for first in range(0, made, AT_ONCE):
        entries = list(_entries(shape, known, range(first, min(first + AT_ONCE, made))))
        with transaction(connection):
            rows.write(connection, entries)
        if first % 100_000 == 0:
            print(f"  {first}: {time.process_time():.0f} s of CPU", file=sys.stderr, flush=True)
    multiply(connection, made, copies, START)
    if index.make_index:
        connection.execute(index.make_index)
    if place.kind == "sqlite":
        connection.execute("DELETE FROM lz_text_config WHERE k = 'hashsize'")
    connection.close()
    store.close()


def _entries(shape: Shape, known: Sequence[str], numbers: range) -> Iterator[Entry]:
    dice = random.Random(numbers.start)
    drawn = numpy.random.default_rng(numbers.start).random((len(numbers), OCTETS // 8))
    # As message() draws them: the logarithm of the rank is evenly spread.
    ranks = (len(known) ** drawn).astype(int) - 1
    for number, row in zip(numbers, ranks.tolist(), strict=True):
        said = [known[rank] for rank in row]
        yield message(dice, number, stored=number % shape.stored_share == 0, said=said)


def _words(corpus: Path | None) -> list[str]:
    """VOCABULARY words at most, the most frequent first."""
    if corpus is None:
        return [f"word{rank}" for rank in range(1, VOCABULARY + 1)]
    counted: Counter[str] = Counter()
    read = 0
    for file in sorted(corpus.rglob("*")):
        if file.is_file() and read < READ:
            octets = file.read_bytes()
            read += len(octets)
            counted.update(set(words.split(octets.decode("utf-8", "replace"))))
    # Numbers, base64 and the like would be most of it.
    spoken = ((word, times) for word, times in counted.items() if word.isalpha() and len(word) < 24)
    ordered = sorted(spoken, key=lambda one: (-one[1], one[0]))
    return [word for word, _ in itertools.islice(ordered, VOCABULARY)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the database goes")
    parser.add_argument("--kind", choices=("sqlite", "mariadb", "postgresql"), default="sqlite")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--corpus", type=Path, help="a folder of messages, whose words are used")
    parser.add_argument("--copies", type=int, default=1, help="how often each text is there, on a server")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    place = Place(given.kind, given.folder, kept=True)
    try:
        fill(place, Shape(given.messages, corpus=given.corpus, copies=given.copies))
        print(f"  {place.size() / 1e6:.0f} MB")
    finally:
        place.close()


if __name__ == "__main__":
    main()
