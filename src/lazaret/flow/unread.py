"""What becomes of a message that no process survives reading: it is kept, or passed on, unread."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lazaret.flow.arrival import Arrival, arrive, entry_of, stored_prefix
from lazaret.flow.deliver import Courier, Outcome
from lazaret.flow.fields import Site
from lazaret.flow.filter import Handled
from lazaret.flow.needs import Journal
from lazaret.mime import message as mime
from lazaret.model.envelope import Envelope, Session
from lazaret.model.errors import Reply, StoreUnavailable
from lazaret.model.verdict import Action, Category, Report, Verdict
from lazaret.policy.lookup import Lookup
from lazaret.policy.plan import one_reply, own_reply

log = logging.getLogger("lazaret.unread")

_STAND_IN = b"Subject: (not read: a worker died over this message, and then two processes of its own)\r\n\r\n"
"""Stands where the message would be asked for its header."""
_REASON = "a worker died over it, and then two processes of its own"


@dataclass(frozen=True, slots=True)
class Unread:
    """Takes such messages. In mode "observe" they go on; else they are quarantined as unchecked."""

    courier: Courier
    journal: Journal
    lookup: Lookup
    site: Site
    is_originating: Callable[[Session], bool]
    record: Callable[[Handled], None]
    observe: bool = False
    clock: Callable[[], float] = time.time

    async def take(
        self, session: Session, envelope: Envelope, octets: bytes, *, reply_each: bool
    ) -> tuple[Reply, ...]:
        """The replies to the final dot: one per recipient with `reply_each`, otherwise one."""
        originating = self.is_originating(session)
        stand_in = mime.parse(_STAND_IN)
        arrival = arrive(session, envelope, octets, stand_in, self.clock(), originating=originating)
        log.error(
            "(%s) (!!)POISON: from <%s>, %d octets, queue id %s: %s; %s",
            *(arrival.log_id, envelope.sender, len(octets), session.queue_id or "unknown", _REASON),
            "passed on unread" if self.observe else f"quarantined unread as {arrival.mail_id}",
        )
        try:
            return await self._take(arrival, reply_each=reply_each)
        except StoreUnavailable as e:
            log.error("(%s) (!!)database: %s; the mail stays with the client", arrival.log_id, e)
            reply = Reply(451, "4.5.0", f"Error in processing, id={arrival.log_id}, try again later")
            return (reply,) * (len(envelope.recipients) if reply_each else 1)

    async def _take(self, arrival: Arrival, *, reply_each: bool) -> tuple[Reply, ...]:
        served = await self.journal.done_before(
            arrival.session.queue_id, arrival.envelope.sender, arrival.digest
        )
        verdicts = [self._verdict(a, arrival) for a in arrival.recipients if a not in served]
        outcome = Outcome({v.recipient: v for v in verdicts})
        if verdicts and self.observe:
            outcome = await self.courier.pass_on(
                arrival, verdicts, reply_each=reply_each, others_served=bool(served)
            )
        elif verdicts:
            await self._keep(arrival, verdicts, outcome)
        replies = {a: Reply.parse(text) for a, text in served.items()} | outcome.replies
        if reply_each:
            answers = tuple(replies[a] for a in arrival.envelope.addresses)
        else:
            answers = (one_reply(replies, verdicts),)
        if verdicts:
            entry = entry_of(arrival, Report(), verdicts, outcome.replies)
            self.record(Handled(entry, arrival.envelope, answers, stored=outcome.stored))
        return answers

    def _verdict(self, recipient: str, arrival: Arrival) -> Verdict:
        """Our own users' mail never vanishes in silence: its writer is told, and the copy is kept."""
        policy = self.lookup.policy_for(recipient)
        action, keep = Action.QUARANTINE, True
        if self.observe:
            action, keep = Action.DELIVER, False
        elif arrival.originating and self.lookup.is_local(arrival.envelope.sender):
            action = Action.REJECT
        return Verdict(recipient, Category.UNCHECKED, action, 0.0, policy, _REASON, keep=keep)

    async def _keep(self, arrival: Arrival, verdicts: Sequence[Verdict], outcome: Outcome) -> None:
        for verdict in verdicts:
            outcome.replies[verdict.recipient] = own_reply(verdict, arrival.log_id)
        prefix = stored_prefix(arrival, Report(), verdicts, self.site)
        entry = entry_of(arrival, Report(), verdicts, outcome.replies)
        await self.journal.keep(replace(entry, text=prefix + arrival.octets, prefix=len(prefix)))
        outcome.stored = True
