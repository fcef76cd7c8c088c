"""Carries out a plan: quarantine first and committed, then the next hop, then one account of both.

No mail is lost (promise 1): a recipient counts as served only when the next hop has said 2xx, the
quarantine is committed, or an explicit policy discards the copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lazaret.flow import dsn
from lazaret.flow.alike import marks
from lazaret.flow.arrival import Arrival, entry_of, stored_prefix
from lazaret.flow.fields import SPAM_FIELDS, Site, received, spam_fields
from lazaret.flow.needs import Journal, Relay
from lazaret.flow.subject_tag import subject_tag
from lazaret.mime.edit import edited
from lazaret.model.delivery import Answer, Outgoing
from lazaret.model.envelope import Recipient
from lazaret.model.errors import Reply
from lazaret.model.verdict import Action, Category, Report, Verdict
from lazaret.policy.plan import Plan, own_reply


@dataclass(slots=True)
class Outcome:
    """What became of each recipient's copy; `replies` fills as the plan is carried out."""

    verdicts: dict[str, Verdict]
    replies: dict[str, Reply] = field(default_factory=dict)
    queued_as: list[str] = field(default_factory=list)
    dsn_sent: str = "N"
    stored: bool = False
    """The text lies in the quarantine."""

    @property
    def served(self) -> dict[str, str]:
        """Recipient -> response, of those who must not get the message a second time."""
        return {a: str(r) for a, r in self.replies.items() if r.positive}

    @property
    def deferred(self) -> bool:
        """Somebody's copy is to be tried again."""
        return any(r.transient for r in self.replies.values())

    @property
    def refused(self) -> list[Verdict]:
        """Those whose copy was to be delivered, and the next hop would not have it."""
        return [
            v for v in self.verdicts.values() if v.action.delivers and self.replies[v.recipient].permanent
        ]


class Courier:
    """Hands copies to the quarantine and to the next hop."""

    def __init__(self, relay: Relay, journal: Journal, site: Site, *, unchanged: bool = False) -> None:
        """`unchanged`: nothing is added to, or taken out of, what is delivered (`mode = "observe"`)."""
        self._relay = relay
        self._journal = journal
        self._site = site
        self._unchanged = unchanged

    async def carry_out(
        self, plan: Plan, arrival: Arrival, report: Report, *, reply_each: bool, others_served: bool
    ) -> Outcome:
        """Every recipient of the plan has its reply in the outcome. StoreUnavailable: nothing was done."""
        outcome = Outcome({v.recipient: v for v in plan.verdicts})
        for verdict in plan.verdicts:
            if not verdict.action.delivers:
                outcome.replies[verdict.recipient] = own_reply(verdict, arrival.log_id)
        if plan.kept:
            await self._keep(arrival, report, outcome)
        for delivery in plan.deliveries:
            octets = self._octets(arrival, report, delivery.verdicts[0], in_quarantine=outcome.stored)
            await self._send(arrival, octets, delivery.recipients, outcome)
        if _must_settle(outcome, reply_each=reply_each, others_served=others_served):
            await self._tell_of_refusals(arrival, report, outcome)
        return outcome

    async def pass_on(
        self, arrival: Arrival, verdicts: Sequence[Verdict], *, reply_each: bool, others_served: bool
    ) -> Outcome:
        """Delivers what we released ourselves, or cannot read, unfiltered, with our Received alone.

        Nobody is told of a refusal: the sender of quarantined mail may be forged.
        """
        outcome = Outcome({v.recipient: v for v in verdicts})
        ours = b"" if self._unchanged else self._received(arrival)
        await self._send(arrival, ours + arrival.octets, list(outcome.verdicts), outcome)
        if _must_settle(outcome, reply_each=reply_each, others_served=others_served):
            await self._keep_refused(arrival, Report(), outcome.refused, outcome)
        return outcome

    async def _send(
        self, arrival: Arrival, octets: bytes, recipients: Sequence[str], outcome: Outcome
    ) -> None:
        envelope = arrival.envelope
        first = {r.address: r for r in reversed(envelope.recipients)}
        outgoing = Outgoing(
            envelope.sender,
            tuple([first[a] for a in recipients]),
            octets,
            body=envelope.body,
            smtputf8=envelope.smtputf8,
            ret=envelope.ret,
            envid=envelope.envid,
            client=arrival.session,
        )
        for answer in await self._relay.send(outgoing):
            outcome.replies[answer.recipient] = answer.reply
            if answer.queued_as and answer.queued_as not in outcome.queued_as:
                outcome.queued_as.append(answer.queued_as)

    def _octets(self, arrival: Arrival, report: Report, verdict: Verdict, *, in_quarantine: bool) -> bytes:
        if self._unchanged:
            return arrival.octets
        marked = verdict.action is Action.MARK
        message = edited(
            arrival.octets,
            arrival.message.header,
            without=SPAM_FIELDS,
            subject_tag=subject_tag(verdict, arrival, self._site),
        )
        ours = self._received(arrival)
        if verdict.tagged:
            ours = spam_fields((*report.hits, *verdict.hits), verdict, marked=marked) + ours
        if verdict.policy.local and in_quarantine:
            ours = b"X-Quarantine-ID: <%b>\r\n" % arrival.mail_id.encode("ascii") + ours
        return ours + message

    def _received(self, arrival: Arrival) -> bytes:
        return received(arrival.session, arrival.envelope, arrival.mail_id, self._site, arrival.time)

    async def _keep(self, arrival: Arrival, report: Report, outcome: Outcome) -> None:
        verdicts = list(outcome.verdicts.values())
        prefix = stored_prefix(arrival, report, verdicts, self._site)
        entry = entry_of(arrival, report, verdicts, outcome.replies, dsn_sent=outcome.dsn_sent)
        entry = replace(
            entry,
            text=prefix + arrival.octets,
            prefix=len(prefix),
            body_text=arrival.message.visible_text,
            attachments=tuple(a.name for a in arrival.message.attachments if a.name),
            alike=marks(arrival.message, arrival.envelope.sender, [r.address for r in entry.recipients]),
        )
        await self._journal.keep(entry)
        outcome.stored = True

    async def _tell_of_refusals(self, arrival: Arrival, report: Report, outcome: Outcome) -> None:
        """Tells the sender by a notification that the next hop has taken before we say 250.

        Where none may be sent (null sender, NOTIFY=NEVER, a score at mark or above), the copy is quarantined.
        """
        wishes = {r.address: r for r in reversed(arrival.envelope.recipients)}
        told: list[Verdict] = []
        untold: list[Verdict] = []
        for verdict in outcome.refused:
            may_tell = _may_tell(verdict, wishes[verdict.recipient], arrival.envelope.sender)
            (told if may_tell else untold).append(verdict)
        if told and not await self._notify(arrival, told, outcome):
            untold += told
        if untold and not outcome.deferred:
            await self._keep_refused(arrival, report, untold, outcome)

    async def _notify(self, arrival: Arrival, told: Sequence[Verdict], outcome: Outcome) -> bool:
        """False when the next hop refuses the notification too; a 4xx defers the whole message."""
        failed = [Answer(v.recipient, outcome.replies[v.recipient]) for v in told]
        header = arrival.octets[: arrival.message.header.body_start]
        notice = dsn.failure(
            arrival.envelope, header, failed, mail_id=arrival.mail_id, site=self._site, at=arrival.time
        )
        (answer,) = await self._relay.send(notice)
        if answer.reply.permanent:
            return False
        for verdict in told:
            was = outcome.replies[verdict.recipient]
            if answer.reply.transient:
                outcome.replies[verdict.recipient] = answer.reply
                continue
            reason = f"the next hop answered: {was}; its sender was told"
            outcome.verdicts[verdict.recipient] = replace(
                verdict, action=Action.REJECT, category=Category.MTA, reason=reason
            )
            told_reply = Reply(250, "2.5.0", f"Ok {verdict.recipient}, DSN was sent ({was})")
            outcome.replies[verdict.recipient] = told_reply
        if answer.reply.positive:
            outcome.dsn_sent = "Y"
        return True

    async def _keep_refused(
        self, arrival: Arrival, report: Report, untold: Sequence[Verdict], outcome: Outcome
    ) -> None:
        for verdict in untold:
            was = outcome.replies[verdict.recipient]
            reason = f"the next hop refused it ({was}) and its sender cannot be told; quarantined instead"
            outcome.verdicts[verdict.recipient] = replace(
                verdict, action=Action.QUARANTINE, category=Category.MTA, reason=reason, keep=True
            )
            outcome.replies[verdict.recipient] = Reply(
                250, "2.5.0", f"Ok, quarantined, id={arrival.log_id} ({was})"
            )
        if not outcome.stored:
            await self._keep(arrival, report, outcome)
            return
        entry = entry_of(arrival, report, list(outcome.verdicts.values()), outcome.replies)
        await self._journal.answered(entry.mail_id, entry.recipients, dsn_sent=outcome.dsn_sent, durable=True)


def _must_settle(outcome: Outcome, *, reply_each: bool, others_served: bool) -> bool:
    """Some have the message and some were refused it: the one reply cannot say both (RFC 5321, 4.2.5)."""
    if reply_each or outcome.deferred or not outcome.refused:
        return False
    return others_served or bool(outcome.served)


def _may_tell(verdict: Verdict, recipient: Recipient, sender: str) -> bool:
    return dsn.wanted(recipient, sender) and verdict.score < verdict.policy.levels.mark
