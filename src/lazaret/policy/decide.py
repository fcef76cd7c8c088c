"""What a report means for one recipient: a category, an action, and the reason in words."""

from dataclasses import replace

from lazaret.model.envelope import Role
from lazaret.model.frozen import frozen
from lazaret.model.verdict import Action, Category, Policy, Report, Verdict
from lazaret.policy.senders import UNKNOWN, Standing


@frozen
class Situation:
    """Facts of the message and of the site that hold for all its recipients."""

    role: Role = Role.AFTER_QUEUE
    originating: bool = False
    """Mail of our own users."""
    sender_local: bool = False
    """The envelope sender lies in `local.domains`, so that a refusal reaches its writer."""
    mailing_list: bool = False
    """It carries List-Id: a 5xx would unsubscribe its reader."""
    keep_killed: bool = True
    """`quarantine.keep_killed_days` is not 0."""
    observe: bool = False
    """`mode = "observe"`: whatever is found, the message goes on unchanged."""
    size: int = 0
    """Octets as on the wire."""

    @property
    def client_is_sender(self) -> bool:
        """Whether a refusal reaches the sending client, instead of becoming a bounce to a forged address."""
        return self.role is Role.BEFORE_QUEUE


@frozen
class _Outcome:
    action: Action
    reason: str
    keep: bool = False
    category: Category | None = None
    """Where it is another than the score's."""


def decide(
    report: Report, recipient: str, policy: Policy, situation: Situation, standing: Standing = UNKNOWN
) -> Verdict:
    """The verdict for one recipient, whose lists say `standing` of the sender. Pure."""
    score = round(report.score + standing.points, 3) + 0.0
    outcome = _deferred(report) or _outcome(report, score, policy, situation, standing)
    if situation.observe and not outcome.action.delivers:
        outcome = replace(
            outcome, action=Action.DELIVER, reason=f'mode is "observe"; else: {outcome.reason}', keep=False
        )
    elif situation.observe:
        outcome = replace(outcome, action=Action.DELIVER)
    judged = Category.SPAM not in policy.bypasses
    tagged = policy.local and judged and (standing.blocked or score >= policy.levels.tag)
    return Verdict(
        recipient=recipient,
        category=outcome.category or _category(report, score, policy, standing),
        action=outcome.action,
        score=score,
        policy=policy,
        reason=outcome.reason,
        keep=outcome.keep,
        hits=standing.hits,
        allowed=standing.allowed,
        blocked=standing.blocked,
        tagged=tagged,
        subject_tag=_subject_tag(outcome.action, score, policy, clean=tagged and not situation.originating),
    )


def _category(report: Report, score: float, policy: Policy, standing: Standing) -> Category:
    if report.over_budget:
        return Category.UNCHECKED
    if standing.allowed or Category.SPAM in policy.bypasses:
        return Category.CLEAN
    if standing.blocked or score >= policy.levels.quarantine:
        return Category.SPAM
    if score >= policy.levels.mark:
        return Category.SPAMMY
    return Category.CLEAN


def _subject_tag(action: Action, score: float, policy: Policy, *, clean: bool) -> str:
    if action is Action.DELIVER:
        return policy.clean_subject_tag if clean else ""
    if action is not Action.MARK:
        return ""
    strong = policy.strong_level is not None and score >= policy.strong_level
    return (strong and policy.strong_subject_tag) or policy.subject_tag


def _deferred(report: Report) -> _Outcome | None:
    waiting = next((u for u in report.unavailable if u.defer), None)
    if waiting is None:
        return None
    reason = f"the check {waiting.check} must answer and could not: {waiting.reason}"
    return _Outcome(Action.DEFER, reason)


def _outcome(
    report: Report, score: float, policy: Policy, situation: Situation, standing: Standing
) -> _Outcome:
    outcome = _by_content(report, score, policy, situation, standing)
    if policy.size_limit and situation.size > policy.size_limit and outcome.action.delivers:
        return _oversized(outcome, policy, situation)
    if standing.points and standing.reason:
        return replace(outcome, reason=f"{outcome.reason}; {standing.reason}")
    return outcome


def _by_content(
    report: Report, score: float, policy: Policy, situation: Situation, standing: Standing
) -> _Outcome:
    if Category.SPAM in policy.bypasses:
        by = _by(policy, "bypass_spam_checks")
        return _Outcome(Action.DELIVER, f"mail to this recipient is not judged by its score{by}")
    if standing.allowed:
        return _Outcome(Action.DELIVER, f"{standing.reason}: not judged by its score {_points(score)}")
    if standing.blocked:
        return _blocked(policy, situation, standing)
    return _by_score(report, score, policy, situation)


def _by_score(report: Report, score: float, policy: Policy, situation: Situation) -> _Outcome:
    levels = policy.levels
    if score < levels.mark:
        below = f"score {_points(score)} is below the mark level {_points(levels.mark)}"
        return _Outcome(Action.DELIVER, below + _by(policy, "mark"))
    if situation.originating and (situation.sender_local or score < levels.quarantine):
        return _own_mail(score, policy)
    if score < levels.quarantine:
        return _marked(policy, _reached("mark", score, levels.mark) + _by(policy, "mark"), score)
    exempt = _exempt(report, policy)
    if exempt:
        return _marked(policy, exempt, score)
    if levels.kill is not None and score >= levels.kill:
        return _killed(_reached("kill", score, levels.kill) + _by(policy, "kill"), policy, situation)
    reached = _reached("quarantine", score, levels.quarantine) + _by(policy, "quarantine")
    return _quarantined(reached, policy, situation)


def _exempt(report: Report, policy: Policy) -> str:
    """Why this recipient gets what others do not; "" when he does not."""
    if policy.always_deliver:
        return "the address is in policy.always_deliver: marked at most"
    if Category.SPAM in policy.lovers:
        return f"this recipient wants spam too: marked at most{_by(policy, 'spam_lover')}"
    if report.over_budget and Category.UNCHECKED in policy.lovers:
        by = _by(policy, "unchecked_lover")
        return f"this recipient wants what could not be examined to its end: marked at most{by}"
    return ""


def _blocked(policy: Policy, situation: Situation, standing: Standing) -> _Outcome:
    """As if the score had reached every level."""
    if policy.always_deliver or Category.SPAM in policy.lovers:
        return _marked(policy, standing.reason)
    if situation.originating and situation.sender_local:
        refused = f"{standing.reason}; mail of our own users is refused, so that its writer knows"
        return _Outcome(Action.REJECT, refused)
    if policy.levels.kill is not None:
        return _killed(standing.reason, policy, situation)
    return _quarantined(standing.reason, policy, situation)


def _oversized(outcome: _Outcome, policy: Policy, situation: Situation) -> _Outcome:
    """Its sender is told, unless he may be forged or reads a list."""
    limit = f"{situation.size} octets are more than {policy.size_limit}, the limit of this recipient"
    reason = limit + _by(policy, "size_limit")
    if outcome.action is Action.MARK or situation.mailing_list:
        return _Outcome(Action.QUARANTINE, reason, keep=True, category=Category.OVERSIZED)
    return _Outcome(Action.REJECT, reason, category=Category.OVERSIZED)


def _own_mail(score: float, policy: Policy) -> _Outcome:
    """Never marked, never silently quarantined: at quarantine or kill its writer is told by a refusal."""
    if score < policy.levels.quarantine or policy.always_deliver or Category.SPAM in policy.lovers:
        return _Outcome(Action.DELIVER, f"score {_points(score)}; mail of our own users is never marked")
    reached = _reached("quarantine", score, policy.levels.quarantine)
    return _Outcome(Action.REJECT, f"{reached}; mail of our own users is refused, so that its writer knows")


def _marked(policy: Policy, reason: str, score: float | None = None) -> _Outcome:
    if policy.local:
        return _Outcome(Action.MARK, reason)
    why = reason if score is None else f"score {_points(score)}"
    return _Outcome(Action.DELIVER, f"{why}; only mail to local.domains is marked")


def _killed(reached: str, policy: Policy, situation: Situation) -> _Outcome:
    refuse = policy.kill_action == "reject" or (policy.kill_action == "auto" and situation.client_is_sender)
    if not refuse:
        return _Outcome(Action.DISCARD, reached, keep=situation.keep_killed and policy.keep)
    if situation.mailing_list:
        return _spared(reached)
    return _Outcome(Action.REJECT, reached)


def _quarantined(reached: str, policy: Policy, situation: Situation) -> _Outcome:
    if not policy.keep:
        return _not_kept(reached, policy, situation)
    if not (policy.quarantine_reply == "reject" and situation.client_is_sender):
        return _Outcome(Action.QUARANTINE, reached, keep=True)
    if situation.mailing_list:
        return _spared(reached)
    return _Outcome(Action.REJECT, f"{reached}; quarantined, and the sender is told", keep=True)


def _not_kept(reached: str, policy: Policy, situation: Situation) -> _Outcome:
    """An explicit policy: this recipient has no quarantine."""
    reason = f"{reached}; this recipient has no quarantine{_by(policy, 'keep_spam')}"
    if situation.client_is_sender and not situation.mailing_list:
        return _Outcome(Action.REJECT, reason)
    return _Outcome(Action.DISCARD, reason)


def _spared(reached: str) -> _Outcome:
    reason = f"{reached}; quarantined instead of refused, because a refusal would unsubscribe a list's reader"
    return _Outcome(Action.QUARANTINE, reason, keep=True)


def _reached(name: str, score: float, level: float) -> str:
    above = score - level
    distance = f"{_points(above)} above" if above else "exactly at"
    return f"score {_points(score)} is {distance} the {name} level {_points(level)}"


def _by(policy: Policy, setting: str) -> str:
    """Who set it, when it was not the configuration."""
    origin = policy.sources.get(setting)
    return f", by the {origin}" if origin else ""


def _points(value: float) -> str:
    """Points as people write them: at least one decimal, at most three."""
    text = f"{value:.3f}".rstrip("0")
    return text + "0" if text.endswith(".") else text
