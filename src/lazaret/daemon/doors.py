"""Takes connections off the shared listening sockets, evenly over the workers.

All workers wait on the same sockets. One that has more connections than another stands back for a
moment, so that a client that opens few connections and keeps them still uses every worker.
"""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lazaret.daemon.board import Board, Cell, Row
from lazaret.daemon.quiet import Quiet
from lazaret.daemon.sockets import Listener
from lazaret.model.errors import Reply
from lazaret.model.network import NetworkSet
from lazaret.wire.replies import encode

log = logging.getLogger("lazaret.doors")

STAND_BACK_S = 0.005
STAND_BACK_TIMES = 4
"""How often in a row; a connection that nobody has taken by then is ours: the others are busy or stuck."""
OUT_OF_FILES_S = 0.5
"""How long a door stays shut when the system has no file descriptor left."""


class Connection(Protocol):
    """What a worker asks of a connection, whatever is spoken on it."""

    peer: str
    """Who it is, for the log."""

    @property
    def busy(self) -> bool:
        """A request is under way."""

    def standing_still(self, now: float) -> float:
        """Seconds (of loop.time()) in which nothing came in whole; 0 while a request is under way."""

    def overdue(self, now: float) -> str:
        """Why it is to be cut off; "" while all is well."""

    def drain(self) -> None:
        """Ends the connection, after the request that is under way."""

    def hang_up(self, reply: Reply) -> None:
        """Ends it now, with a last word where the protocol has one."""


Admit = Callable[[str], Reply | None]
"""IP of a client that may talk to us -> what it is told instead of a greeting; None lets it in."""
Make = Callable[[Listener, str, int], asyncio.Protocol]
"""(listener, peer's IP or "", peer's port) -> the protocol of the new connection."""


@dataclass(frozen=True, slots=True)
class Peers:
    """The rows of the workers, to see who has the fewest connections."""

    board: Board
    rows: Sequence[int]
    own: Row

    def others_are_freer(self) -> bool:
        """Whether another worker that accepts has fewer connections than we have."""
        mine = self.own[Cell.CONNECTIONS]
        return any(
            row[Cell.ACCEPTING] and row[Cell.CONNECTIONS] < mine
            for row in (self.board.row(n) for n in self.rows)
        )


class Door:
    """One listening socket, as one worker sees it."""

    def __init__(
        self,
        listener: Listener,
        peers: Peers | None,
        clients: NetworkSet,
        make: Make,
        admit: Admit = lambda ip: None,
    ) -> None:
        """`peers` None: this process accepts whatever comes."""
        self._listener = listener
        self._peers = peers
        self._clients = clients
        self._make = make
        self._admit = admit
        self._quiet = Quiet(log)
        self._loop = asyncio.get_running_loop()
        self._open = False
        self._later: asyncio.TimerHandle | None = None
        """Opens it again after a moment."""
        self._stood_back = 0
        self._connecting: set[asyncio.Task[object]] = set()

    def open(self) -> None:
        """Begins to take connections."""
        if not self._open:
            self._open = True
            self._loop.add_reader(self._listener.socket.fileno(), self._take)

    def close(self) -> None:
        """Takes no more; the socket stays open for the others."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._open:
            self._open = False
            self._loop.remove_reader(self._listener.socket.fileno())

    async def settled(self) -> None:
        """All connections that were taken have begun, so that they can be told when we end."""
        if self._connecting:
            await asyncio.wait(self._connecting)

    def _shut_for(self, seconds: float) -> None:
        self.close()
        self._later = self._loop.call_later(seconds, self.open)

    def _take(self) -> None:
        if self._peers and self._stood_back < STAND_BACK_TIMES and self._peers.others_are_freer():
            self._stood_back += 1
            self._shut_for(STAND_BACK_S)
            return
        self._stood_back = 0
        try:
            connection, address = self._listener.socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was quicker, or the client has gone
        except OSError as e:
            if e.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                raise
            log.error("cannot take a connection on %s: %s", self._listener.address, e.strerror)
            self._shut_for(OUT_OF_FILES_S)
            return
        connection.setblocking(False)
        ip, port = (address[0], address[1]) if isinstance(address, tuple) else ("", 0)
        if ip and ip not in self._clients:
            # Strangers are told 554 and nothing else: whoever may talk to us may send through us.
            self._turn_away(connection, ip, Reply(554, "5.7.1", "Access denied"), "not in listen.clients")
            return
        refusal = self._admit(ip)
        if refusal is not None:
            self._turn_away(connection, ip, refusal, str(refusal))
            return
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task: asyncio.Task[object] = self._loop.create_task(self._connect(connection, ip, port))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, connection: socket.socket, ip: str, port: int) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: self._make(self._listener, ip, port), connection)
        except OSError as e:
            connection.close()
            log.info("connection from [%s] was lost at once: %s", ip, e.strerror or e)

    def _turn_away(self, connection: socket.socket, ip: str, reply: Reply, why: str) -> None:
        if self._peers:
            self._peers.own.add(Cell.REFUSED_CLIENTS)
        self._quiet.warning("refused a connection from [%s] to %s: %s", ip, self._listener.address, why)
        if self._listener.speaks == "smtp":
            with contextlib.suppress(OSError):
                connection.send(encode(reply))
        connection.close()
