"""One worker: its own event loop, connections and database handle; with the others it shares the doors."""

import asyncio
import contextlib
import logging
import os
import resource
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import uvloop

from lazaret import app
from lazaret.config.options import Config
from lazaret.daemon import ampdp, huge_pages, record, smtp, sockets, spamd
from lazaret.daemon.alone import Counter
from lazaret.daemon.board import Board, Cell, Row
from lazaret.daemon.clients import ClientBoard, ClientLimits, Clients
from lazaret.daemon.doors import Connection, Door, Peers
from lazaret.daemon.guard import Guard, has_ended
from lazaret.daemon.memory import NO_MEMORY, Memory
from lazaret.daemon.sockets import Listener
from lazaret.daemon.suspects import Suspects
from lazaret.model.delivery import Extensions
from lazaret.model.envelope import Session
from lazaret.model.errors import Reply, StoreUnavailable
from lazaret.model.network import NetworkSet
from lazaret.rules.ruleset import RuleSet
from lazaret.wire.spamd import LARGEST

log = logging.getLogger("lazaret.worker")

BEAT_S = 1.0
SWEEP_S = 2.0
PROBE_S = 1.0
"""How long a start waits to hear what the next hop offers; a silent one must not keep the doors shut."""
STILL_S = 20.0
"""A client that has not brought anything whole for so long makes room when there are too many."""
FILES_KEPT = 128
"""File descriptors that connections of clients leave for next hops, database and logs."""
GATHER_S = 10.0
"""When a worker has met mail for so long, it has made what it makes at first use."""
DRAIN_S = 25.0
"""How long the messages under way may take when a worker is told to end."""


@dataclass(frozen=True, slots=True)
class Crew:
    """What the supervisor gives each worker."""

    config: Config
    ruleset: RuleSet
    board: Board
    client_board: ClientBoard
    row: int
    workers: Sequence[int]
    """The rows of all workers, this one included."""
    listeners: Sequence[Listener]
    clients: NetworkSet
    suspects: Suspects
    counter: Counter
    """Where a process for one message is asked for."""
    lifeline: int
    """Read end of a pipe that nobody writes to: it ends when the supervisor ends."""


def run(crew: Crew) -> None:
    """Serves until SIGTERM, or until the supervisor is gone; returns when all is answered."""
    uvloop.run(_Worker(crew).run())


class _Worker:
    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._row = crew.board.row(crew.row)
        self._connections: set[Connection] = set()
        limits = crew.config.limits
        self._clients = Clients(
            crew.client_board,
            crew.workers,
            crew.row,
            ClientLimits(limits.client_connections, limits.client_rate, limits.client_errors),
        )
        self._memory = Memory(
            limits.memory,
            lambda: (
                c for c in self._connections if isinstance(c, smtp.SmtpConnection | spamd.SpamdConnection)
            ),
        )
        self._most_open = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - FILES_KEPT
        self._ending = asyncio.Event()
        self._extensions = Extensions()
        self._has_room = True

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._row.begin(os.getpid())
        self._crew.suspects.begin(self._crew.row)
        loop.add_signal_handler(signal.SIGTERM, self._ending.set)
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # the supervisor has it too, and tells us
        loop.add_reader(self._crew.lifeline, self._ending.set)
        parts = app.open_parts(
            self._crew.config, self._crew.ruleset, record.recorder(self._crew.config, self._row)
        )
        parts.store.journal.partial.cue = _Cue(self._crew.board, self._crew.workers, self._row)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_round(parts), PROBE_S)
            await self._serve(parts)
        finally:
            await parts.close()

    async def _serve(self, parts: app.Parts) -> None:
        loop = asyncio.get_running_loop()
        doors = self._doors(parts)
        tasks = [
            loop.create_task(_every(BEAT_S, self._beat)),
            loop.create_task(_every(SWEEP_S, self._sweep)),
            loop.create_task(_every(BEAT_S, lambda: self._look_round(parts))),
        ]
        huge_pages.gather()  # Now that all is loaded.
        loop.call_later(GATHER_S, huge_pages.gather)
        for door in doors:
            door.open()
        self._row.beat()
        self._row[Cell.ACCEPTING] = 1
        await self._ending.wait()
        loop.remove_reader(self._crew.lifeline)
        self._row[Cell.ACCEPTING] = 0
        for door in doors:
            door.close()
        for door in doors:
            await door.settled()  # Who was taken in the last moment is told with the others.
        # Nobody else can listen there while a copy of ours is open, and what is under way may take long.
        sockets.let_go(self._crew.listeners)
        await self._drain()
        for task in tasks:
            task.cancel()

    def _doors(self, parts: app.Parts) -> list[Door]:
        peers = Peers(self._crew.board, self._crew.workers, self._row)
        guard = Guard(
            parts.filter.handle, self._crew.suspects, self._crew.counter, parts.unread, self._is_ending
        )
        smtp_service = smtp.Service(
            handle=guard.handle,
            settings=lambda: app.server_settings(self._crew.config, self._extensions),
            refusal=self._refusal,
            row=self._row,
            connections=self._connections,
            tls=parts.tls,
            clients=self._clients,
            memory=self._memory,
            command_time_s=self._crew.config.limits.command_time_s,
            message_time_s=self._crew.config.limits.message_time_s,
        )
        parts.ampdp.checks.guarded_by(partial(guard.check, parts.ampdp.checks))
        ampdp_service = ampdp.Service(
            parts.ampdp,
            self._row,
            self._connections,
            self._clients,
            self._crew.config.limits.command_time_s,
        )
        spamd_service = spamd.Service(
            partial(guard.score, parts.spamd),
            self._row,
            self._connections,
            self._memory,
            self._crew.config.limits.message_size or LARGEST,
            self._clients,
            self._crew.config.limits.message_time_s,
        )

        def connect(listener: Listener, ip: str, port: int) -> asyncio.Protocol:
            if listener.speaks == "ampdp":
                return ampdp.AmpdpConnection(ampdp_service, ip)
            if listener.speaks == "spamd":
                return spamd.SpamdConnection(spamd_service, ip)
            session = Session(
                client_ip=ip, client_port=port, peer_ip=ip, role=listener.role, listen_port=listener.port
            )
            return smtp.SmtpConnection(smtp_service, session)

        return [
            Door(item, peers, self._crew.clients, connect, self._admit)
            for item in self._crew.listeners
            if item.speaks != "http"
        ]

    def _is_ending(self) -> bool:
        return self._ending.is_set() or has_ended(self._crew.lifeline)

    def _refusal(self) -> Reply | None:
        return NO_MEMORY if self._memory.full or not self._has_room else None

    def _admit(self, ip: str) -> Reply | None:
        """What a newcomer is told instead of a greeting."""
        refusal = self._clients.refusal(ip)
        if refusal is None and self._is_crowded() and not self._let_one_go():
            return Reply(421, "4.3.2", "Error: too many connections")
        return refusal

    def _is_crowded(self) -> bool:
        total = self._crew.board.total(Cell.CONNECTIONS, self._crew.workers)
        return total >= self._crew.config.limits.connections or len(self._connections) >= self._most_open

    def _let_one_go(self) -> bool:
        """Ends the connection that has stood still longest, if it has for a while: whether there was one."""
        now = asyncio.get_running_loop().time()
        idlest = max(self._connections, key=lambda c: c.standing_still(now), default=None)
        if idlest is None or idlest.standing_still(now) < STILL_S:
            return False
        log.warning("%s makes room: it stood still, and there are too many connections", idlest.peer)
        idlest.hang_up(Reply(421, "4.3.2", "Error: too many connections"))
        return True

    async def _look_round(self, parts: app.Parts) -> None:
        """What the next hop offers, and whether the disk has room: known before a client asks."""
        self._has_room = await self._is_room_left(parts)
        self._extensions = await parts.relay.extensions()
        self._row[Cell.NEXT_HOP_UP] = parts.relay.is_up

    async def _is_room_left(self, parts: app.Parts) -> bool:
        """A place that cannot even be asked has no room; said once, and once when it is over."""
        try:
            room, why = await parts.store.journal.has_room(), "less than store.min_free is left"
        except StoreUnavailable as e:
            room, why = False, str(e)
        if self._has_room and not room:
            log.error("no mail is taken (452): %s", why)
        elif room and not self._has_room:
            log.warning("there is room again: mail is taken")
        return room

    async def _beat(self) -> None:
        self._row.beat()

    async def _sweep(self) -> None:
        """Cuts off who is silent or too slow."""
        now = asyncio.get_running_loop().time()
        for connection in list(self._connections):
            why = connection.overdue(now)
            if why:
                log.warning("%s is cut off: %s", connection.peer, why)
                connection.hang_up(Reply(421, "4.4.2", "Error: timeout exceeded"))

    async def _drain(self) -> None:
        for connection in list(self._connections):
            connection.drain()
        if not await _ends(lambda: any(c.busy for c in self._connections), DRAIN_S):
            log.warning("ended with messages under way; their clients will bring them again")
            return
        await _ends(lambda: bool(self._connections), 2 * smtp.GOODBYE_S)


class _Cue:
    """Workers tell each other of attempts that served some recipients and not all (`store.partial.Cue`)."""

    def __init__(self, board: Board, workers: Sequence[int], own: Row) -> None:
        self._board = board
        self._workers = workers
        self._own = own

    def count(self) -> float:
        return self._board.total(Cell.SERVED_PARTLY, self._workers)

    def tell(self) -> None:
        self._own.add(Cell.SERVED_PARTLY)


async def _ends(lasts: Callable[[], bool], seconds: float) -> bool:
    """Waits until it does not last any more; whether that came in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while lasts():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def _every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await act()
        except Exception:
            log.exception("a worker's task failed; it is tried again")
        await asyncio.sleep(seconds)
