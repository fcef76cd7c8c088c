"""Many messages to be taught, read in several processes: what they say comes in the order in which they came.

Reading a message takes far longer than noting what it says. A few are read here: a process of its own
takes as long to start as some hundred of them.
"""

import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import NamedTuple

from lazaret.learn import lesson as lessons
from lazaret.learn.lesson import Delivered, Lesson, Reading
from lazaret.model.errors import LazaretError

FEW = 300
"""Messages that are read here before other processes are begun."""
MOST_PROCESSES = 8
PIECE_MESSAGES = 32
PIECE_OCTETS = 1 << 20
"""What is handed over at once, to the message that reaches it."""


class Read(NamedTuple):
    """A lesson, and our own name of the message as `lesson.Original` has it."""

    lesson: Lesson
    mail_id: str


class ReaderDied(LazaretError):
    """A process that read messages has ended before its time, as for want of memory."""


def read(octets: bytes, reading: Reading, delivered: Delivered) -> Read:
    """One message, here."""
    found = lessons.original(octets, delivered)
    return Read(lessons.lesson(found.octets, reading), found.mail_id)


def read_all(mails: Iterable[bytes], reading: Reading, delivered: Delivered) -> Iterator[Read]:
    """Each message; ReaderDied when it cannot go on. What is in memory at once is bounded."""
    mails = iter(mails)
    for octets in islice(mails, FEW):
        yield read(octets, reading, delivered)
    first = next(mails, None)
    if first is None:
        return
    readers = [_Reader(reading, delivered) for _ in range(min(len(os.sched_getaffinity(0)), MOST_PROCESSES))]
    try:
        # Each has one piece at a time: two who write to each other at once would wait for ever. So
        # `concurrent.futures` does in Python 3.11.2 when a process dies.
        waiting = deque(readers)
        for piece in _pieces(first, mails):
            yield from waiting[0].results()
            waiting[0].give(piece)
            waiting.rotate(-1)
        for reader in waiting:
            yield from reader.results()
    except (EOFError, OSError) as e:
        raise ReaderDied(
            "a process that reads messages was killed; teach them again: each counts once"
        ) from e
    finally:
        for reader in readers:
            reader.end()


def _pieces(first: bytes, mails: Iterator[bytes]) -> Iterator[list[bytes]]:
    piece, octets = [first], len(first)
    for mail in mails:
        if len(piece) >= PIECE_MESSAGES or octets >= PIECE_OCTETS:
            yield piece
            piece, octets = [], 0
        piece.append(mail)
        octets += len(mail)
    yield piece


class _Reader:
    """A process that reads."""

    def __init__(self, reading: Reading, delivered: Delivered) -> None:
        context = get_context("spawn")  # not forked: this process has threads
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, reading, delivered), daemon=True)
        self._process.start()
        theirs.close()
        self._busy = False

    def give(self, piece: list[bytes]) -> None:
        self._pipe.send(piece)
        self._busy = True

    def results(self) -> list[Read]:
        """Those of the piece that was given last; none when none was."""
        if not self._busy:
            return []
        self._busy = False
        found: list[Read] = self._pipe.recv()
        return found

    def end(self) -> None:
        self._pipe.close()
        self._process.terminate()
        self._process.join()


def _serve(pipe: Connection, reading: Reading, delivered: Delivered) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who began us has it too, and ends us
    with suppress(EOFError, OSError):
        while True:
            pipe.send([read(octets, reading, delivered) for octets in pipe.recv()])
