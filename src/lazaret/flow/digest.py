"""Tells recipients what was quarantined for them: who is due, what is new for him, one mail, and its record.

Whoever is due for a moment of his schedule gets one mail for it, however late that is, and never two.
What another filter quarantined is never told of, and nothing is that is older than `max_days`.
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lazaret.flow import digest_letter, needs
from lazaret.flow.digest_letter import DAY_S, MAX_LINES, Stationery
from lazaret.model.address import is_valid, normalise
from lazaret.model.delivery import Outgoing
from lazaret.model.digest import Attempt, Letter, Waiting, Wish
from lazaret.model.envelope import Recipient
from lazaret.model.errors import Reply, StoreUnavailable, UserError
from lazaret.model.verdict import Action

log = logging.getLogger("lazaret.digest")

RETRY_S = 600.0
"""Pause before a digest that was deferred is tried again."""
LATE_S = 3600.0
"""A digest that is not sent so long after its moment is an alarm."""
LOOK_BACK_S = 9 * DAY_S
"""The last moment of any schedule is not longer ago."""
MAX_TOLD = 5000
"""Copies in one digest, most of them only counted; what is beyond comes with the next one."""
EX_DATAERR, EX_NOUSER = 65, 67


@dataclass(frozen=True, slots=True)
class Custom:
    """What the configuration says about digests."""

    wish: Wish = field(default_factory=Wish)
    """Holds for everybody who never said otherwise."""
    max_days: int = 7
    """What is older is not told of."""
    discarded: bool = False
    """Whether discarded copies are told of as well."""


@dataclass(frozen=True, slots=True)
class Due:
    """Somebody who is to be told."""

    address: str
    wish: Wish
    moment: float
    """Of his schedule; the last one, when several went by."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one digest."""

    address: str
    messages: int
    """How many it tells of; 0: nothing was sent, and `reply` says why."""
    reply: Reply


@dataclass(frozen=True, slots=True)
class Standing:
    """How one recipient stands: for `digest status`, and for whoever watches."""

    address: str
    wish: Wish
    waiting: int
    """Messages that he was not told of, and is to be."""
    next_due: float | None
    last: Attempt | None
    late: bool
    """He should have been told an hour ago."""


class Digests:
    """Sends digests."""

    def __init__(
        self,
        *,
        store: needs.Digests,
        relay: needs.Relay,
        stationery: Stationery,
        custom: Custom,
        is_local: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._relay = relay
        self._stationery = stationery
        self._custom = custom
        self._is_local = is_local
        self._clock = clock

    async def run(self, sent: Callable[[Sent], None] = lambda sent: None) -> list[Sent]:
        """Sends all that is due, one after the other; `sent` is told of each at once.

        One that fails is logged, and the others go out all the same. StoreUnavailable.
        """
        done = []
        for due in await self._due():
            try:
                one = await self._send(due)
            except (UserError, StoreUnavailable) as error:
                log.error("(!)digest to <%s> not sent: %s", due.address, error)
                one = Sent(due.address, 0, Reply(450, "4.3.0", str(error)))
            except Exception as error:
                log.exception("(!)digest to <%s> not sent", due.address)
                one = Sent(due.address, 0, Reply(450, "4.3.0", type(error).__name__))
            done.append(one)
            sent(one)
        return done

    async def send(self, address: str) -> Sent:
        """Sends one digest now, whatever the schedule says. UserError when it may not be sent."""
        address = normalise(address)
        await self._check(address)
        return await self._send(Due(address, await self.wish(address), self._clock()))

    async def preview(self, address: str) -> Letter | None:
        """What `send` would send; None when there is nothing to tell."""
        address = normalise(address)
        await self._check(address)
        return await self._letter(address, await self.wish(address))

    async def wish(self, address: str) -> Wish:
        """How this recipient is told."""
        return await self._store.wish(normalise(address)) or self._custom.wish

    async def choose(self, address: str, wish: Wish | None, *, who: str) -> None:
        """From now on this recipient is told in this way; None: as everybody. UserError."""
        address = normalise(address)
        if not self._may(address):
            raise UserError(f"{address} is not in local.domains: digests go to our own people", EX_NOUSER)
        await self._store.set_wish(address, wish, who=who)

    async def standings(self) -> list[Standing]:
        """Everybody who waits for a digest, or had one lately."""
        now = self._clock()
        waiting = by_address(await self._store.waiting(since=self._since(now)))
        wishes = await self._store.wishes()
        last = latest(await self._store.attempts(since=now - LOOK_BACK_S))
        known = await self._store.known(waiting)
        people = sorted({*(a for a in waiting if a in known and self._may(a)), *last})
        return [
            self._standing(a, wishes.get(a, self._custom.wish), waiting.get(a, ()), last.get(a), now)
            for a in people
        ]

    async def late(self) -> list[Standing]:
        """Those who should have been told an hour ago."""
        return [standing for standing in await self.standings() if standing.late]

    # Who is due

    async def _due(self) -> list[Due]:
        now = self._clock()
        waiting = by_address(await self._store.waiting(since=self._since(now)))
        wishes = await self._store.wishes()
        last = latest(await self._store.attempts(since=now - LOOK_BACK_S))
        due = []
        for address, copies in waiting.items():
            wish = wishes.get(address, self._custom.wish)
            moment = wish.last_due(now)
            told = self._told(wish, copies)
            if moment is not None and is_due(told, moment, last.get(address), now) and self._may(address):
                due.append(Due(address, wish, moment))
        known = await self._store.known(one.address for one in due)
        return [one for one in due if one.address in known]

    def _standing(
        self, address: str, wish: Wish, copies: Sequence[Waiting], last: Attempt | None, now: float
    ) -> Standing:
        told = self._told(wish, copies)
        moment = wish.last_due(now)
        late = moment is not None and is_open(told, moment, last) and _first(wish, told) < now - LATE_S
        return Standing(address, wish, sum(c.number for c in told), wish.next_due(now), last, late)

    def _told(self, wish: Wish, copies: Iterable[Waiting]) -> list[Waiting]:
        return [c for c in copies if wish.tells_of(c.category) and self._tells_of_action(c.action)]

    def _tells_of_action(self, action: str) -> bool:
        return self._custom.discarded or action != Action.DISCARD

    def _may(self, address: str) -> bool:
        """Whether digests may go there at all. What is no address of ours gets no mail of ours."""
        return is_valid(address) and self._is_local(address)

    async def _check(self, address: str) -> None:
        if not is_valid(address):
            raise UserError(f"{address!r} is not a mail address", EX_DATAERR)
        if not self._is_local(address):
            raise UserError(
                f"{address} is not in local.domains: digests go to our own people only", EX_NOUSER
            )
        if address not in await self._store.known((address,)):
            raise UserError(f"{address} is not known here: it never got a message, and is no user", EX_NOUSER)

    # The mail

    def _since(self, now: float) -> float:
        return now - self._custom.max_days * DAY_S

    async def _letter(self, address: str, wish: Wish) -> Letter | None:
        now = self._clock()
        untold = await self._store.untold(address, since=self._since(now), limit=MAX_TOLD)
        told = [c for c in untold if wish.tells_of(c.category) and self._tells_of_action(c.action)]
        if not told:
            return None
        listed = await self._store.items(told[:MAX_LINES])
        return digest_letter.write(address, wish, told, listed, self._stationery, now)

    async def _send(self, due: Due) -> Sent:
        letter = await self._letter(due.address, due.wish)
        if letter is None:
            return Sent(due.address, 0, Reply(250, "2.0.0", "nothing to tell"))
        digest = hashlib.sha256(letter.below).digest()
        now = self._clock()
        if not await self._store.claim(letter, due=due.moment, digest=digest, now=now):
            return Sent(due.address, 0, Reply(250, "2.0.0", "sent or being sent by another process"))
        (answer,) = await self._relay.send(
            Outgoing(
                self._stationery.sender,
                (Recipient(due.address),),
                letter.octets,
                body="7BIT" if letter.octets.isascii() else "8BITMIME",
                smtputf8=not due.address.isascii(),
            )
        )
        await self._store.settle(letter.message_id, answer.reply)
        level = logging.INFO if answer.reply.positive else logging.ERROR
        mark = "" if answer.reply.positive else "(!)"
        told = len(letter.told)
        log.log(level, "%sdigest to <%s> of %d messages: %s", mark, due.address, told, answer.reply)
        return Sent(due.address, told, answer.reply)


def by_address(waiting: Iterable[Waiting]) -> Mapping[str, list[Waiting]]:
    """The same, by recipient."""
    found: dict[str, list[Waiting]] = {}
    for one in waiting:
        found.setdefault(one.address, []).append(one)
    return found


def latest(attempts: Iterable[Attempt]) -> Mapping[str, Attempt]:
    """Recipient -> the attempt for the latest moment; they come with the oldest first."""
    return {attempt.address: attempt for attempt in attempts}


def _first(wish: Wish, told: Iterable[Waiting]) -> float:
    """The moment at which the oldest of these copies should have been told of: of hourly digests, it is
    that one which makes them late, and not the last of many that were missed."""
    first = wish.next_due(min(one.oldest for one in told) - 1)
    return math.inf if first is None else first


def is_open(told: Iterable[Waiting], moment: float, last: Attempt | None) -> bool:
    """Whether there was something to tell at this moment, and it is not told."""
    if not any(one.oldest <= moment for one in told):
        return False
    return last is None or last.due < moment or last.state in ("claimed", "deferred")


def is_due(told: Iterable[Waiting], moment: float, last: Attempt | None, now: float) -> bool:
    """Whether to send for this moment now: what was deferred a little while ago is left alone."""
    if not is_open(told, moment, last):
        return False
    tried = last is not None and last.due >= moment
    return not (tried and last is not None and last.state == "deferred" and now - last.time < RETRY_S)
