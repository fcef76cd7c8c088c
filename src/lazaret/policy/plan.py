"""From verdicts to a plan: what is stored, what goes out in which form, and what is answered.

One SMTP reply serves all recipients (RFC 5321, section 4.1.1.4), so a refusal stands only when
every recipient is refused; otherwise the refused copy is quarantined. LMTP answers each recipient
(RFC 2033, section 4.2), so there every refusal stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lazaret.model.errors import Reply
from lazaret.model.frozen import frozen
from lazaret.model.verdict import Action, Category, Verdict


@frozen
class Delivery:
    """Recipients whose copies carry the same header fields: one transaction with the next hop."""

    verdicts: tuple[Verdict, ...]

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(v.recipient for v in self.verdicts)


@frozen
class Plan:
    """What is to be done with one message. Every recipient is in `verdicts` exactly once, in order."""

    verdicts: tuple[Verdict, ...]
    deliveries: tuple[Delivery, ...]
    deferred: bool
    """A check that must answer could not: nothing is done, the client is told to come again."""

    @property
    def kept(self) -> tuple[Verdict, ...]:
        """Recipients whose copy goes into the quarantine, committed before anything is delivered."""
        return tuple(v for v in self.verdicts if v.keep)


def plan(verdicts: Sequence[Verdict], *, reply_each: bool, others_served: bool = False) -> Plan:
    """The plan for all recipients of a message that are still to be served.

    `reply_each`: the client speaks LMTP. `others_served`: an earlier attempt has served some
    already, so that a refusal would tell the sender of a failure that was none for them.
    """
    actions = {v.action for v in verdicts}
    if Action.DEFER in actions:
        return Plan(tuple(verdicts), (), deferred=True)
    refusals_stand = reply_each or (actions == {Action.REJECT} and not others_served)
    final = tuple(verdicts if refusals_stand else map(_without_refusal, verdicts))
    return Plan(final, _deliveries(final), deferred=False)


def _without_refusal(verdict: Verdict) -> Verdict:
    if verdict.action is not Action.REJECT:
        return verdict
    reason = f"{verdict.reason}; quarantined instead of refused, because another recipient gets the message"
    return replace(verdict, action=Action.QUARANTINE, reason=reason, keep=True)


def _deliveries(verdicts: Sequence[Verdict]) -> tuple[Delivery, ...]:
    groups: dict[tuple[object, ...], list[Verdict]] = {}
    for v in verdicts:
        if v.action.delivers:
            groups.setdefault(_appearance(v), []).append(v)
    return tuple(Delivery(tuple(group)) for group in groups.values())


def _appearance(v: Verdict) -> tuple[object, ...]:
    """What makes the header fields of two copies differ."""
    if not v.policy.local:
        return (False,)
    if not v.tagged:
        return (True, v.action, v.subject_tag)
    levels = v.policy.levels
    return (True, v.action, v.subject_tag, levels.tag, levels.mark, v.score, v.allowed, v.blocked)


_STATUS = {
    Action.REJECT: (554, "5.7.0", "Reject"),
    Action.QUARANTINE: (250, "2.7.0", "Ok, discarded"),
    Action.DISCARD: (250, "2.7.0", "Ok, discarded"),
    Action.DEFER: (450, "4.7.0", "Temporary failure"),
}
_TOO_LARGE = {
    Action.REJECT: (552, "5.3.4", "Reject"),
    Action.QUARANTINE: (250, "2.3.4", "Ok, discarded"),
}
_REASONS = {
    Category.SPAM: "spam",
    Category.SPAMMY: "spammy",
    Category.UNCHECKED: "UNCHECKED: over limits",
    Category.CLEAN: "CLEAN",
    Category.OVERSIZED: "Message size exceeds recipient's size limit",
}


def own_reply(verdict: Verdict, log_id: str) -> Reply:
    """Our word on a recipient whose copy does not go to the next hop; texts as amavis words them."""
    known = _TOO_LARGE if verdict.category is Category.OVERSIZED else _STATUS
    code, enhanced, verb = known.get(verdict.action, _STATUS[verdict.action])
    reason = _REASONS.get(verdict.category, verdict.category.word)
    return Reply(code, enhanced, f"{verb}, id={log_id} - {reason}")


def one_reply(replies: Mapping[str, Reply], verdicts: Sequence[Verdict]) -> Reply:
    """The single SMTP reply for all recipients; `replies` has one for each.

    A 4xx for anyone makes the client come again; a 5xx stands when nobody was served; otherwise the
    next hop's 250 is passed on, with a word on those who did not get the message.
    """
    deferred = next((r for r in replies.values() if r.transient), None)
    if deferred is not None:
        return deferred
    served = [replies[v.recipient] for v in verdicts if v.action.delivers and replies[v.recipient].positive]
    if served and len(served) == len(verdicts):
        return served[0]
    if all(r.permanent for r in replies.values()):
        return next(iter(replies.values()))
    if not served:
        return next(r for r in replies.values() if r.positive)
    fates = [_fate(v, replies[v.recipient]) for v in verdicts]
    counts = ", and ".join(
        f"{fates.count(word)} {word}" for word in ("REJECT", "BOUNCE", "DISCARD") if word in fates
    )
    if not counts:
        return served[0]
    return replace(served[0], text=f"{served[0].text}, but {counts}")


def _fate(verdict: Verdict, reply: Reply) -> str:
    """amavis' word for what became of a copy."""
    if reply.permanent:
        return "REJECT"
    if verdict.action is Action.REJECT:
        return "BOUNCE"  # refused, and its sender has been told
    return "PASS" if verdict.action.delivers else "DISCARD"
