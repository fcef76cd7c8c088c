"""What a report means for one recipient: a category, an action, and the reason in words."""

from dataclasses import dataclass

from lazaret.model.envelope import Role
from lazaret.model.verdict import Action, Category, Policy, Report, Verdict


@dataclass(frozen=True, slots=True)
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

    @property
    def client_is_sender(self) -> bool:
        """Whether a refusal reaches the sending client, instead of becoming a bounce to a forged address."""
        return self.role is Role.BEFORE_QUEUE


@dataclass(frozen=True, slots=True)
class _Outcome:
    action: Action
    reason: str
    keep: bool = False


def decide(report: Report, recipient: str, policy: Policy, situation: Situation) -> Verdict:
    """The verdict for one recipient. Pure: the same report gives the same verdict."""
    category = _category(report, policy)
    outcome = _deferred(report) or _outcome(report.score, policy, situation)
    if situation.observe and not outcome.action.delivers:
        outcome = _Outcome(Action.DELIVER, f'mode is "observe"; else: {outcome.reason}')
    elif situation.observe:
        outcome = _Outcome(Action.DELIVER, outcome.reason)
    return Verdict(
        recipient=recipient,
        category=category,
        action=outcome.action,
        score=report.score,
        policy=policy,
        reason=outcome.reason,
        keep=outcome.keep,
    )


def _category(report: Report, policy: Policy) -> Category:
    if report.over_budget:
        return Category.UNCHECKED
    if report.score >= policy.levels.quarantine:
        return Category.SPAM
    if report.score >= policy.levels.mark:
        return Category.SPAMMY
    return Category.CLEAN


def _deferred(report: Report) -> _Outcome | None:
    waiting = next((u for u in report.unavailable if u.defer), None)
    if waiting is None:
        return None
    reason = f"the check {waiting.check} must answer and could not: {waiting.reason}"
    return _Outcome(Action.DEFER, reason)


def _outcome(score: float, policy: Policy, situation: Situation) -> _Outcome:
    levels = policy.levels
    if score < levels.mark:
        below = f"score {_points(score)} is below the mark level {_points(levels.mark)}"
        return _Outcome(Action.DELIVER, below)
    if situation.originating and (situation.sender_local or score < levels.quarantine):
        return _own_mail(score, policy)
    if score < levels.quarantine:
        return _marked(score, policy, _reached("mark", score, levels.mark))
    if policy.always_deliver:
        return _marked(score, policy, "the address is in policy.always_deliver: marked at most")
    if levels.kill is not None and score >= levels.kill:
        return _killed(score, policy, situation)
    return _quarantined(score, policy, situation)


def _own_mail(score: float, policy: Policy) -> _Outcome:
    """Never marked, never silently quarantined: at quarantine or kill its writer is told by a refusal."""
    if score < policy.levels.quarantine or policy.always_deliver:
        return _Outcome(Action.DELIVER, f"score {_points(score)}; mail of our own users is never marked")
    reached = _reached("quarantine", score, policy.levels.quarantine)
    return _Outcome(Action.REJECT, f"{reached}; mail of our own users is refused, so that its writer knows")


def _marked(score: float, policy: Policy, reason: str) -> _Outcome:
    if policy.local:
        return _Outcome(Action.MARK, reason)
    return _Outcome(Action.DELIVER, f"score {_points(score)}; only mail to local.domains is marked")


def _killed(score: float, policy: Policy, situation: Situation) -> _Outcome:
    assert policy.levels.kill is not None
    reached = _reached("kill", score, policy.levels.kill)
    refuse = policy.kill_action == "reject" or (policy.kill_action == "auto" and situation.client_is_sender)
    if not refuse:
        return _Outcome(Action.DISCARD, reached, keep=situation.keep_killed)
    if situation.mailing_list:
        return _spared(reached)
    return _Outcome(Action.REJECT, reached)


def _quarantined(score: float, policy: Policy, situation: Situation) -> _Outcome:
    reached = _reached("quarantine", score, policy.levels.quarantine)
    if not (policy.quarantine_reply == "reject" and situation.client_is_sender):
        return _Outcome(Action.QUARANTINE, reached, keep=True)
    if situation.mailing_list:
        return _spared(reached)
    return _Outcome(Action.REJECT, f"{reached}; quarantined, and the sender is told", keep=True)


def _spared(reached: str) -> _Outcome:
    reason = f"{reached}; quarantined instead of refused, because a refusal would unsubscribe a list's reader"
    return _Outcome(Action.QUARANTINE, reason, keep=True)


def _reached(name: str, score: float, level: float) -> str:
    above = score - level
    distance = f"{_points(above)} above" if above else "exactly at"
    return f"score {_points(score)} is {distance} the {name} level {_points(level)}"


def _points(value: float) -> str:
    """Points as people write them: at least one decimal, at most three."""
    text = f"{value:.3f}".rstrip("0")
    return text + "0" if text.endswith(".") else text
