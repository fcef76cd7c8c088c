"""One message in a process of its own: what may have brought a worker down is tried again without company.

A worker asks by sending one end of a socket pair to the supervisor, who forks a process for it without
looking at what it carries: over the other end go the message, and the replies back.
"""

import array
import asyncio
import contextlib
import json
import logging
import os
import pickle
import resource
import select
import signal
import socket
import threading
from dataclasses import dataclass
from typing import Any

from lazaret import app
from lazaret.config.options import Config
from lazaret.daemon import record
from lazaret.daemon.board import Board
from lazaret.model.envelope import Envelope, Session
from lazaret.model.errors import Reply
from lazaret.rules.ruleset import RuleSet
from lazaret.wire.ampdp import Request
from lazaret.wire.spamd import SpamdRequest

log = logging.getLogger("lazaret.alone")

MOST = 4
"""Such processes at a time; who asks beyond that waits."""
START_S = 30.0
"""So long may a worker wait for its process to begin: then the mail stays with the client."""
ANSWER_S = 900.0
"""So long may the message take; a process that stalls is ended by the supervisor long before."""
CPU_S = 300
BEAT_S = 1.0
EX_TEMPFAIL = 75
_BEGUN = b"+"


@dataclass(frozen=True, slots=True)
class Given:
    """One message as it came off the wire."""

    session: Session
    envelope: Envelope
    octets: bytes
    reply_each: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One message that is asked about over AM.PDP."""

    request: Request
    octets: bytes


@dataclass(frozen=True, slots=True)
class Scored:
    """One message that is asked about over spamd's protocol."""

    request: SpamdRequest


_What = Given | Asked | Scored


class NotNow(Exception):
    """No process could be had in time."""


class Failed(Exception):
    """The process ended without an answer: it died of the message, or stalled over it."""


class Counter:
    """Where workers ask for a process; made before the first fork."""

    def __init__(self) -> None:
        self._taken_in, self._asking = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._taken_in.setblocking(False)
        self._asking.setblocking(False)

    def fileno(self) -> int:
        """Readable when somebody has asked."""
        return self._taken_in.fileno()

    def next(self) -> socket.socket | None:
        """For the supervisor: the socket of the next message; None when nobody waits."""
        try:
            _, ancillary, _, _ = self._taken_in.recvmsg(1, socket.CMSG_SPACE(array.array("i").itemsize))
        except BlockingIOError:
            return None
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                (descriptor,) = array.array("i", data)
                return socket.socket(fileno=descriptor)
        return None

    async def handle(self, given: Given) -> tuple[Reply, ...]:
        """For a worker: the replies to a message that was handled alone. NotNow, Failed."""
        answer = await self._ask(given)
        try:
            return tuple(Reply(*words) for words in json.loads(answer))
        except (TypeError, ValueError) as e:
            raise Failed(str(e)) from None

    async def ask(self, what: Asked | Scored) -> bytes:
        """For a worker: the reply to a request about a message that was handled alone. NotNow, Failed."""
        answer = await self._ask(what)
        if not answer:
            raise Failed("there is no answer")
        return answer

    async def _ask(self, what: _What) -> bytes:
        ours, its = socket.socketpair()
        try:
            ours.setblocking(False)
            socket.send_fds(self._asking, [b"?"], [its.fileno()])
        except OSError as e:
            ours.close()
            raise NotNow(str(e)) from None
        finally:
            its.close()
        # From here on the transport owns the socket: a second close could hit another's descriptor.
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            return await self._talk(what, reader, writer)
        finally:
            writer.close()

    @staticmethod
    async def _talk(what: _What, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        try:
            begun = await asyncio.wait_for(reader.read(1), START_S)
        except (TimeoutError, OSError):
            raise NotNow("no process has begun in time") from None
        if begun != _BEGUN:
            raise NotNow("the process has not begun")
        try:
            writer.write(pickle.dumps(what))
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), ANSWER_S)
        except (TimeoutError, OSError) as e:
            raise Failed(str(e)) from None


@dataclass(frozen=True, slots=True)
class Single:
    """What the supervisor gives such a process."""

    config: Config
    ruleset: RuleSet
    board: Board
    row: int
    lifeline: int
    connection: socket.socket


def run(single: Single) -> None:
    """Handles one message, and returns."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a message that is under way is brought to its end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    # When memory runs short it is this process that is to go, and no worker.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")
    threading.Thread(target=_end_with_supervisor, args=(single.lifeline,), daemon=True).start()
    single.board.row(single.row).begin(os.getpid())
    # A worker that waits no longer has closed its end.
    with contextlib.suppress(BrokenPipeError), single.connection as connection:
        connection.setblocking(True)
        asyncio.run(_serve(single, connection))


def _read_all(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


async def _serve(single: Single, connection: socket.socket) -> None:
    """Takes the message once all parts are there: what keeps them away is not the message's doing."""
    row = single.board.row(single.row)
    parts = app.open_parts(single.config, single.ruleset, record.recorder(single.config, row))
    beat = asyncio.get_running_loop().create_task(_beat(row))
    try:
        connection.sendall(_BEGUN)
        octets = await asyncio.to_thread(_read_all, connection)
        if not octets:
            return
        what: _What = pickle.loads(octets)
        row.beat()  # from here on silence is the message's doing
        connection.sendall(await _answer(parts, what))
    finally:
        beat.cancel()
        await parts.close()


async def _answer(parts: app.Parts, what: _What) -> bytes:
    if isinstance(what, Asked):
        return await parts.ampdp.checks.check(what.request, what.octets)
    if isinstance(what, Scored):
        return await parts.spamd.answer(what.request)
    replies = await parts.filter.handle(what.session, what.envelope, what.octets, reply_each=what.reply_each)
    return json.dumps([[r.code, r.enhanced, r.text] for r in replies]).encode("ascii")


async def _beat(row: Any) -> None:
    while True:
        row.beat()
        await asyncio.sleep(BEAT_S)


def _end_with_supervisor(lifeline: int) -> None:
    select.select([lifeline], [], [])  # a worker has made it non-blocking for everybody
    os._exit(EX_TEMPFAIL)
