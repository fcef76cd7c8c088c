"""The road of a message: parse, examine, decide, store, deliver, answer, record."""

import copy
import hashlib
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lazaret.checks import Check, Scan
from lazaret.checks.examine import Examiner
from lazaret.flow.arrival import Arrival, arrive, entry_of
from lazaret.flow.autolearn import Autolearn
from lazaret.flow.deliver import Courier, Outcome
from lazaret.flow.fields import Site
from lazaret.flow.needs import Journal
from lazaret.flow.policies import Guidance, PolicyBook
from lazaret.mime import message as mime
from lazaret.mime.trust import Networks
from lazaret.mime.uri_variants import Sites
from lazaret.model.digest import MESSAGE_ID
from lazaret.model.entry import Entry
from lazaret.model.envelope import Envelope, Role, Session
from lazaret.model.errors import MailError, Reply, StoreUnavailable
from lazaret.model.frozen import frozen
from lazaret.model.network import NetworkSet
from lazaret.model.verdict import Action, Category, Report, Verdict
from lazaret.policy.decide import Situation, decide
from lazaret.policy.plan import one_reply, own_reply, plan
from lazaret.policy.senders import Standing

log = logging.getLogger("lazaret.filter")

MAX_HOPS = 100
"""Received fields with which a message is refused (RFC 5321, section 6.3, asks for at least 100)."""
MAX_OWN_HOPS = 10
"""The same for those of our own: a loop through us is noticed long before."""

_OWN_RESENT_ID = re.compile(
    rb"\s*(?P<id><[A-Za-z0-9_+=-]{1,16}\.[A-Za-z0-9_-]{16,64}@[^<>\s]{1,255}>)[ \t]*\r\n"
)
"""The value as we write it, up to the end of its line: what comes next is the message, even when it begins
with a blank and so looks like a continuation."""

_OWN_DIGEST_ID = re.compile(
    rb"\s*(?P<id>%b[A-Za-z0-9_-]{16,64}@[^<>\s]{1,255}>)\r\n" % re.escape(MESSAGE_ID.encode())
)
"""The Message-ID of a digest, which begins its octets."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says about filtering."""

    observe: bool = False
    scan_time_s: float = 20.0
    keep_killed: bool = True
    own_networks: NetworkSet = field(default_factory=lambda: NetworkSet(("127.0.0.0/8", "::1")))
    trusted: Networks = field(default_factory=Networks)
    sites: Sites | None = None
    """What the rules know of the hosts in links."""
    on_unavailable: Mapping[str, str] | None = None


@frozen
class Handled:
    """One message, done with: what is answered, and what the log line says."""

    entry: Entry
    envelope: Envelope
    replies: tuple[Reply, ...]
    """One per RCPT TO for LMTP; for SMTP one in all."""
    queued_as: tuple[str, ...] = ()
    stored: bool = False


class Filter:
    """Takes messages off the wire and answers for them."""

    def __init__(
        self,
        *,
        checks: Sequence[Check],
        policies: PolicyBook,
        courier: Courier,
        journal: Journal,
        site: Site,
        rules: Rules,
        record: Callable[[Handled], None],
        autolearn: Autolearn | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`record` writes the log line and counts; it is called once per message that got an answer."""
        self._examiner = Examiner(checks, budget_s=rules.scan_time_s, on_unavailable=rules.on_unavailable)
        self._policies = policies
        self._lookup = policies.lookup
        self._courier = courier
        self._journal = journal
        self._site = site
        self._rules = rules
        self._record = record
        self._autolearn = autolearn
        self._clock = clock

    def handing_to(self, courier: Courier, seen: Callable[[Handled], None]) -> "Filter":
        """The same road with another end; `seen` hears of each message besides."""
        other = copy.copy(self)
        other._courier = courier
        record = self._record

        def told(handled: Handled) -> None:
            record(handled)
            seen(handled)

        other._record = told
        return other

    async def handle(
        self, session: Session, envelope: Envelope, octets: bytes, *, reply_each: bool
    ) -> tuple[Reply, ...]:
        """The replies to the final dot: one per recipient for LMTP (`reply_each`), otherwise one."""
        started = time.perf_counter()
        message = mime.parse(
            octets, envelope_from=envelope.sender, networks=self._rules.trusted, sites=self._rules.sites
        )
        originating = is_originating(session, self._rules.own_networks)
        arrival = arrive(session, envelope, octets, message, self._clock(), originating=originating)
        try:
            handled = await self._handle(arrival, started, reply_each=reply_each)
        except MailError as e:
            log.warning("(%s) %s: %s", arrival.log_id, e.reply, e.detail)
            return self._same(e.reply, arrival, reply_each=reply_each)
        except StoreUnavailable as e:
            log.error("(%s) (!!)database: %s; the mail stays with the client", arrival.log_id, e)
            reply = Reply(451, "4.5.0", f"Error in processing, id={arrival.log_id}, try again later")
            return self._same(reply, arrival, reply_each=reply_each)
        except Exception:
            log.exception("(%s) (!!)TROUBLE in processing; the mail stays with the client", arrival.log_id)
            reply = Reply(451, "4.5.0", f"Error in processing, id={arrival.log_id}")
            return self._same(reply, arrival, reply_each=reply_each)
        self._record(handled)
        return handled.replies

    @staticmethod
    def _same(reply: Reply, arrival: Arrival, *, reply_each: bool) -> tuple[Reply, ...]:
        return (reply,) * (len(arrival.envelope.recipients) if reply_each else 1)

    async def _handle(self, arrival: Arrival, started: float, *, reply_each: bool) -> Handled:
        self._refuse_loops(arrival)
        served = await self._served_before(arrival)
        waiting = [a for a in arrival.recipients if a not in served]
        resent_id = await self._released_as(arrival, waiting)
        if resent_id:
            report, outcome = await self._pass_on(
                arrival, waiting, resent_id, reply_each=reply_each, others_served=bool(served)
            )
        else:
            report, outcome = await self._examine_and_deliver(
                arrival, waiting, reply_each=reply_each, others_served=bool(served)
            )
        replies = {a: Reply.parse(text) for a, text in served.items()} | outcome.replies
        if not reply_each and outcome.deferred and outcome.served:
            await self._remember(arrival, outcome)
        took_ms = (time.perf_counter() - started) * 1000
        entry = entry_of(
            arrival,
            report,
            [_final(v, outcome.replies.get(a)) for a, v in outcome.verdicts.items()],
            outcome.replies,
            dsn_sent=outcome.dsn_sent,
            took_ms=took_ms,
        )
        await self._write(entry, outcome)
        if reply_each:
            answers = tuple(replies[a] for a in arrival.envelope.addresses)
        else:
            answers = (one_reply(replies, list(outcome.verdicts.values())),)
        return Handled(entry, arrival.envelope, answers, tuple(outcome.queued_as), outcome.stored)

    async def _examine_and_deliver(
        self, arrival: Arrival, waiting: Sequence[str], *, reply_each: bool, others_served: bool
    ) -> tuple[Report, Outcome]:
        if not waiting:
            return Report(), Outcome({})
        # Before the work: a message whose policies cannot be read is tried again.
        guidance = await self._policies.of(waiting, arrival.message, arrival.envelope.sender)
        scan = Scan(arrival.message, arrival.session, arrival.envelope, arrival.time)
        report = await self._examiner.examine(scan)
        situation = self._situation(arrival)
        verdicts = [
            decide(report, a, guidance.policy(a), situation, self._standing(a, guidance, report, arrival))
            for a in waiting
        ]
        if any(verdict.keep or verdict.action is Action.MARK for verdict in verdicts):
            report = self._examiner.explained(report, scan)
        todo = plan(verdicts, reply_each=reply_each, others_served=others_served)
        if todo.deferred:
            outcome = Outcome({v.recipient: v for v in verdicts})
            deferral = next(v for v in verdicts if v.action is Action.DEFER)
            outcome.replies = {v.recipient: own_reply(deferral, arrival.log_id) for v in verdicts}
            return report, outcome
        outcome = await self._courier.carry_out(
            todo, arrival, report, reply_each=reply_each, others_served=others_served
        )
        if self._autolearn and not outcome.deferred:
            self._autolearn.consider(arrival, report, verdicts)
        return report, outcome

    @staticmethod
    def _standing(recipient: str, guidance: Guidance, report: Report, arrival: Arrival) -> Standing:
        # Without XFORWARD the peer is the MTA, and says nothing about where the message comes from.
        client_ip = arrival.session.client_ip if arrival.session.forwarded else ""
        return guidance.standing(recipient, report, client_ip=client_ip, now=arrival.time)

    def _situation(self, arrival: Arrival) -> Situation:
        return Situation(
            role=arrival.session.role,
            originating=arrival.originating,
            sender_local=self._lookup.is_local(arrival.envelope.sender),
            mailing_list="List-Id" in arrival.message.header,
            keep_killed=self._rules.keep_killed,
            observe=self._rules.observe,
            size=len(arrival.octets),
        )

    def _refuse_loops(self, arrival: Arrival) -> None:
        hops = arrival.message.header.values("Received")
        own = sum(self._is_ours(h) for h in hops) if len(hops) >= MAX_OWN_HOPS else 0
        if len(hops) >= MAX_HOPS or own >= MAX_OWN_HOPS:
            detail = f"loop: {len(hops)} Received fields, {own} of them ours; refused"
            raise MailError(Reply(554, "5.4.6", f"Reject: Too many hops: {len(hops)}"), detail)

    def _is_ours(self, hop: bytes) -> bool:
        return b"(%b, " % self._site.name.encode() in hop and self._site.hostname.encode() in hop

    async def _released_as(self, arrival: Arrival, waiting: Sequence[str]) -> str:
        """The Resent-Message-ID of our own release on its way through us, or the Message-ID of our own
        digest, which nobody can forge; else ""."""
        own = self._own_id(arrival) if waiting else None
        if own is None:
            return ""
        own_id = own["id"].decode("ascii", "replace")
        digest = hashlib.sha256(arrival.octets[own.end() :]).digest()
        return own_id if await self._journal.released_copy(own_id, digest, waiting) else ""

    @staticmethod
    def _own_id(arrival: Arrival) -> re.Match[bytes] | None:
        header = arrival.message.header
        if resent := header.places("resent-message-id"):
            return _OWN_RESENT_ID.match(arrival.octets, header.spans[resent[0]][0])
        ids = header.places("message-id")
        return _OWN_DIGEST_ID.match(arrival.octets, header.spans[ids[0]][0]) if ids else None

    async def _pass_on(
        self,
        arrival: Arrival,
        waiting: Sequence[str],
        resent_id: str,
        *,
        reply_each: bool,
        others_served: bool,
    ) -> tuple[Report, Outcome]:
        if resent_id.startswith(MESSAGE_ID):
            reason = "our own digest, which is not filtered"
        else:
            reason = "released from the quarantine by a person, and not filtered again"
        verdicts = [
            Verdict(a, Category.CLEAN, Action.DELIVER, 0.0, self._lookup.policy_for(a), reason)
            for a in waiting
        ]
        outcome = await self._courier.pass_on(
            arrival, verdicts, reply_each=reply_each, others_served=others_served
        )
        deferred = [a for a, reply in outcome.replies.items() if reply.transient]
        if deferred:
            await self._journal.expect_again(resent_id, deferred)
        return Report(), outcome

    async def _served_before(self, arrival: Arrival) -> Mapping[str, str]:
        return await self._journal.done_before(
            arrival.session.queue_id, arrival.envelope.sender, arrival.digest
        )

    async def _remember(self, arrival: Arrival, outcome: Outcome) -> None:
        await self._journal.remember_done(
            arrival.session.queue_id, arrival.envelope.sender, arrival.digest, outcome.served
        )

    async def _write(self, entry: Entry, outcome: Outcome) -> None:
        """What is done is done: a record that cannot be completed is no reason to have it done again."""
        if not entry.recipients:
            return  # all were served by an earlier attempt, which has its row
        if not outcome.stored:
            self._journal.note(entry)
            return
        try:
            await self._journal.answered(
                entry.mail_id, entry.recipients, dsn_sent=entry.dsn_sent, durable=False
            )
        except StoreUnavailable as e:
            log.error("(%s) (!)the record of the delivery could not be completed: %s", entry.log_id, e)


def is_originating(session: Session, own_networks: NetworkSet) -> bool:
    """Whether it is mail of our own users.

    Without XFORWARD the peer is the MTA, and says nothing about who wrote the message.
    """
    if session.role is Role.ORIGINATING or session.source == "LOCAL":
        return True
    return session.forwarded and session.client_ip in own_networks


def _final(verdict: Verdict, reply: Reply | None) -> Verdict:
    """The verdict as it is recorded, when the next hop had the last word."""
    if reply is None or reply.positive or not verdict.action.delivers:
        return verdict
    action = Action.DEFER if reply.transient else Action.REJECT
    return replace(verdict, action=action, category=Category.MTA, reason=f"the next hop answered: {reply}")
