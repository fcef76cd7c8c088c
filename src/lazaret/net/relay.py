"""Hands messages to the next hops: pooled connections, fail-over, and an answer for every recipient.

A message goes to another hop, or to the same one again, only while its end has not been sent. After
that a silence means that nobody knows what became of it: 451, and the MTA tries again. A crash or a
silence may deliver twice, never lose.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lazaret.config.endpoint import NextHop
from lazaret.model.delivery import Answer, Extensions, Outgoing
from lazaret.model.errors import Reply
from lazaret.model.frozen import frozen
from lazaret.net import answers
from lazaret.net.hop_connection import (
    ConnectFailed,
    HopConnection,
    HopError,
    Lost,
    TimedOut,
    Timeouts,
    Turned,
)
from lazaret.net.hop_pool import HopPool
from lazaret.net.hop_tls import HopTls
from lazaret.wire.smtp_client import Finished, Stage

PROBE_KEEP_S = 60
FAILED_PROBE_KEEP_S = 10
AVOID_S = 30
"""A hop that failed is tried after the others for so long."""

UNKNOWN = Extensions(eightbit=True, smtputf8=True)
"""Offered while no next hop has ever answered, that is, while all mail gets a 451 anyway.

Without 8BITMIME and SMTPUTF8 the MTA would rewrite its mail, or bounce it, for a lack that is only
ours; without DSN nothing is lost, it reports `relayed` itself.
"""


@frozen
class _Outcome:
    """What came of one attempt: an answer per recipient, and the indices of those still to be sent to."""

    answers: tuple[Answer, ...]
    postponed: tuple[int, ...] = ()


@frozen
class _Failure:
    """An attempt that ended before the end of the message, so that another may follow."""

    outcome: _Outcome | None
    """What to answer when no other follows; None when it did not come to a connection."""
    silent: bool = False
    """The hop timed out: it is not worth another wait over a new connection."""


class Relay:
    """The way to a list of next hops, of which the first that works is taken (flow.needs.Relay)."""

    def __init__(
        self,
        next_hops: Sequence[NextHop],
        *,
        name: str,
        timeouts: Timeouts | None = None,
        max_connections: int = 50,
        tls: HopTls | None = None,
    ) -> None:
        """`name` is what we say in EHLO; `max_connections` bounds the messages on their way at once."""
        self._timeouts = timeouts or Timeouts()
        self._hops = tuple(next_hops)
        self._pools = {hop: HopPool(hop, name, self._timeouts, tls) for hop in self._hops}
        self._avoid_until: dict[NextHop, float] = {}
        self._slots = asyncio.Semaphore(max_connections)
        self._known: dict[NextHop, Extensions] = {}
        self._extensions = UNKNOWN
        self._extensions_until = 0.0
        self._probing = asyncio.Lock()
        self._answered = False

    async def send(self, outgoing: Outgoing) -> tuple[Answer, ...]:
        """One answer per recipient, in their order. Network trouble is a 4xx answer, never an exception."""
        async with self._slots:
            outcome = await self._transact(outgoing)
            found, rest = list(outcome.answers), outcome.postponed
            while rest:
                outcome = await self._transact(_only(outgoing, rest))
                for index, answer in zip(rest, outcome.answers, strict=True):
                    found[index] = answer
                rest = tuple(rest[position] for position in outcome.postponed)
        return tuple(found)

    async def extensions(self) -> Extensions:
        """What all next hops that answer offer; asked anew after 60 s, 10 s when none answered."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._extensions_until:
            return self._extensions
        async with self._probing:
            if loop.time() < self._extensions_until:
                return self._extensions
            answered = await asyncio.gather(*map(self._probe, self._hops))
            self._extensions = _common(self._known.values())
            self._answered = any(answered)
            keep = PROBE_KEEP_S if self._answered else FAILED_PROBE_KEEP_S
            self._extensions_until = loop.time() + keep
        return self._extensions

    @property
    def is_up(self) -> bool:
        """Whether a next hop answered when last asked."""
        return self._answered

    async def close(self) -> None:
        """Closes the idle connections; those with a message under way close after it."""
        for pool in self._pools.values():
            pool.close()

    async def _transact(self, outgoing: Outgoing) -> _Outcome:
        last: _Outcome | None = None
        for hop in self._in_order():
            result = await self._try(self._pools[hop], outgoing)
            if isinstance(result, _Outcome):
                self._avoid_until.pop(hop, None)
                return result
            self._avoid_until[hop] = asyncio.get_running_loop().time() + AVOID_S
            last = result.outcome or last
        return last or _own(outgoing, answers.connect_failed(self._hops))

    def _in_order(self) -> list[NextHop]:
        if not self._avoid_until:
            return list(self._hops)
        now = asyncio.get_running_loop().time()
        return sorted(self._hops, key=lambda hop: self._avoid_until.get(hop, 0.0) > now)

    async def _try(self, pool: HopPool, outgoing: Outgoing) -> _Outcome | _Failure:
        """First over an idle connection. When that turns out to be dead, once over a new one."""
        idle = pool.take()
        if idle is not None:
            result = await self._exchange(pool, idle, outgoing)
            if isinstance(result, _Outcome) or result.silent:
                return result
        try:
            connection = await self._open(pool)
        except ConnectFailed:
            return _Failure(None)
        except HopError as error:
            return _Failure(_own(outgoing, _reply_of(pool.hop, error)))
        return await self._exchange(pool, connection, outgoing)

    async def _exchange(
        self, pool: HopPool, connection: HopConnection, outgoing: Outgoing
    ) -> _Outcome | _Failure:
        try:
            finished = await connection.exchange(outgoing)
        except HopError as error:
            return _gave_up(pool.hop, connection, error, outgoing)
        pool.give_back(connection)
        outcome = _outcome(pool.hop, outgoing, finished)
        # 421: the hop closes for reasons of its own, another one may not.
        closed = not finished.sent and any(reply.code == 421 for reply in finished.replies)
        return _Failure(outcome) if closed else outcome

    async def _open(self, pool: HopPool) -> HopConnection:
        connection = await pool.open()
        self._known[pool.hop] = connection.client.extensions
        return connection

    async def _probe(self, hop: NextHop) -> bool:
        """Whether it answered; what it offers is in `_known` then. A hop that is down keeps what it had."""
        pool = self._pools[hop]
        try:
            async with asyncio.timeout(self._timeouts.probe):
                connection = await self._open(pool)
        except (HopError, TimeoutError):
            return False
        connection.idle_since = connection.since
        pool.give_back(connection)
        return True


def _only(outgoing: Outgoing, indices: Sequence[int]) -> Outgoing:
    return replace(outgoing, recipients=tuple(outgoing.recipients[i] for i in indices))


def _outcome(hop: NextHop, outgoing: Outgoing, finished: Finished) -> _Outcome:
    pairs = zip(outgoing.recipients, finished.replies, strict=True)
    found = [answers.from_hop(hop, recipient.address, reply) for recipient, reply in pairs]
    return _Outcome(tuple(found), finished.postponed)


def _own(outgoing: Outgoing, reply: Reply) -> _Outcome:
    """In our own words, the same for all."""
    return _Outcome(tuple(Answer(r.address, reply) for r in outgoing.recipients))


def _gave_up(
    hop: NextHop, connection: HopConnection, error: HopError, outgoing: Outgoing
) -> _Outcome | _Failure:
    """Before the end of the message nothing has happened; after it, its fate is unknown.

    Over LMTP some recipients may have their reply already; it stands.
    """
    if not connection.client.dot_sent:
        return _Failure(_own(outgoing, _reply_of(hop, error)), silent=isinstance(error, TimedOut))
    what = "timed out" if isinstance(error, TimedOut) else str(error)
    unknown = answers.failed(hop, Stage.END, f"{what}; the message may have been delivered")
    finished = connection.client.give_up(unknown)
    if finished is None:
        return _own(outgoing, unknown)
    known = _outcome(hop, outgoing, finished)
    pairs = zip(known.answers, finished.replies, strict=True)
    return _Outcome(tuple(Answer(a.recipient, r) if r is unknown else a for a, r in pairs))


def _reply_of(hop: NextHop, error: HopError) -> Reply:
    match error:
        case TimedOut(stage=stage):
            return answers.timed_out(hop, stage)
        case Lost(stage=stage):
            return answers.failed(hop, stage, str(error))
        case Turned(reply=reply):
            # Even a 554 here speaks of us and not of the message: it must not bounce for that.
            return answers.failed(hop, Stage.GREETING, str(reply))
        case _:
            return answers.failed(hop, Stage.GREETING, str(error))


def _common(offers: Iterable[Extensions]) -> Extensions:
    """What every one of them offers; the smallest size limit."""
    known = list(offers)
    if not known:
        return UNKNOWN
    return Extensions(
        eightbit=all(e.eightbit for e in known),
        smtputf8=all(e.smtputf8 for e in known),
        dsn=all(e.dsn for e in known),
        size=min((e.size for e in known if e.size), default=0),
    )
