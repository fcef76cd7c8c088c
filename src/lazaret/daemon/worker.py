"""One worker: its own event loop, connections and database handle; with the others it shares the doors."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import uvloop

from lazaret import app
from lazaret.config.options import Config
from lazaret.daemon import ampdp, huge_pages, record, smtp
from lazaret.daemon.board import Board, Cell
from lazaret.daemon.doors import Connection, Door, Peers
from lazaret.daemon.sockets import Listener
from lazaret.model.delivery import Extensions
from lazaret.model.envelope import Session
from lazaret.model.errors import Reply, StoreUnavailable
from lazaret.model.network import NetworkSet
from lazaret.rules.ruleset import RuleSet

log = logging.getLogger("lazaret.worker")

BEAT_S = 1.0
SWEEP_S = 5.0
PROBE_S = 1.0
"""How long a start waits to hear what the next hop offers; a silent one must not keep the doors shut."""
IDLE_S = 300.0
"""Silence after which a client is let go (RFC 5321, section 4.5.3.2.7, asks for at least 5 minutes)."""
DRAIN_S = 25.0
"""How long the messages under way may take when a worker is told to end."""


@dataclass(frozen=True, slots=True)
class Crew:
    """What the supervisor gives each worker."""

    config: Config
    ruleset: RuleSet
    board: Board
    row: int
    workers: Sequence[int]
    """The rows of all workers, this one included."""
    listeners: Sequence[Listener]
    clients: NetworkSet
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
        self._ending = asyncio.Event()
        self._extensions = Extensions()
        self._has_room = True

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._row.begin(os.getpid())
        loop.add_signal_handler(signal.SIGTERM, self._ending.set)
        loop.add_signal_handler(signal.SIGINT, lambda: None)  # the supervisor has it too, and tells us
        loop.add_reader(self._crew.lifeline, self._ending.set)
        parts = app.open_parts(
            self._crew.config, self._crew.ruleset, record.recorder(self._crew.config, self._row)
        )
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
        for door in doors:
            door.open()
        self._row.beat()
        self._row[Cell.ACCEPTING] = 1
        await self._ending.wait()
        loop.remove_reader(self._crew.lifeline)
        self._row[Cell.ACCEPTING] = 0
        for door in doors:
            door.close()
        await self._drain()
        for task in tasks:
            task.cancel()

    def _doors(self, parts: app.Parts) -> list[Door]:
        peers = Peers(self._crew.board, self._crew.workers, self._row)
        smtp_service = smtp.Service(
            handle=parts.filter.handle,
            settings=lambda: app.server_settings(self._crew.config, self._extensions),
            refusal=self._refusal,
            row=self._row,
            connections=self._connections,
            tls=parts.tls,
        )
        ampdp_service = ampdp.Service(parts.release_requests, self._row, self._connections)

        def connect(listener: Listener, ip: str, port: int) -> asyncio.Protocol:
            if listener.speaks == "ampdp":
                return ampdp.AmpdpConnection(ampdp_service, over_tcp=bool(ip))
            session = Session(
                client_ip=ip, client_port=port, peer_ip=ip, role=listener.role, listen_port=listener.port
            )
            return smtp.SmtpConnection(smtp_service, session)

        return [
            Door(item, peers, self._crew.clients, connect)
            for item in self._crew.listeners
            if item.speaks != "http"
        ]

    def _refusal(self) -> Reply | None:
        return None if self._has_room else Reply(452, "4.3.1", "Insufficient system storage")

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
        """Lets silent clients go."""
        limit = asyncio.get_running_loop().time() - IDLE_S
        for connection in list(self._connections):
            if not connection.busy and connection.last_heard < limit:
                connection.hang_up(Reply(421, "4.4.2", "Error: timeout exceeded"))

    async def _drain(self) -> None:
        for connection in list(self._connections):
            connection.drain()
        deadline = asyncio.get_running_loop().time() + DRAIN_S
        while any(c.busy for c in self._connections):
            if asyncio.get_running_loop().time() > deadline:
                log.warning("ended with messages under way; their clients will bring them again")
                return
            await asyncio.sleep(0.02)


async def _every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await act()
        except Exception:
            log.exception("a worker's task failed; it is tried again")
        await asyncio.sleep(seconds)
