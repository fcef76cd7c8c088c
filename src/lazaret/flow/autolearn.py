"""What the learner concludes by itself: from mail that rules alone have judged beyond doubt.

A conclusion is a lesson like any other, but of little weight; it overturns nobody, and is named after the
sender's domain, so that it can be taken back (`lazaret forget --who auto:DOMAIN`). What would let a sender
teach at will is left out: mail of our own users, mail that somebody released, allowed or blocked, ham whose
sender nobody has authenticated, more than a few messages a day of one domain, and more than three times as
much of one kind as there is of the other.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lazaret.flow.arrival import Arrival
from lazaret.flow.needs import Lessons
from lazaret.learn.known import Known
from lazaret.learn.lesson import lesson_of
from lazaret.learn.model import Counter
from lazaret.learn.points import CLASS_FROM
from lazaret.model import address as addresses
from lazaret.model.errors import StoreUnavailable
from lazaret.model.lesson import Lesson, Limit
from lazaret.model.verdict import Report, Verdict

log = logging.getLogger("lazaret.autolearn")

SPAM_FROM, HAM_TO = 12.0, 0.1
"""Points of everything but the learner itself; between them nothing is concluded."""
EACH_SIDE = 3.0
"""Spam has so many points from header fields alone, and as many from the text alone."""
SURE, AGAINST = 4.0, 2.0
"""Points of the learner: what it knows so well teaches nothing, and what it denies by so many is in doubt."""
RATIO = 3.0
WEIGHT = 0.3
DAILY = Limit(daily=3, less=0.0)
"""Of one sender's domain."""

LEARNERS = ("BAYES_SPAM", "BAYES_HAM")
PROOFS = frozenset({"DKIM_VALID_AU", "DMARC_PASS", "DKIM_VALID_EF", "SPF_PASS"})
"""Symbols that say that the sender is himself."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a message is taken for, and whose it is."""

    spam: bool
    who: str


class Autolearn:
    """Looks at each message that was examined, and teaches in the background: no reply waits for it."""

    def __init__(self, lessons: Lessons, known: Known, sides: Mapping[str, str]) -> None:
        """`sides`: rule -> `header` or `body`, for rules that look at one of them alone."""
        self._lessons = lessons
        self._known = known
        self._sides = sides
        self._under_way: set[asyncio.Task[None]] = set()

    def consider(self, arrival: Arrival, report: Report, verdicts: Sequence[Verdict]) -> None:
        """Concludes from one message, if anything can be concluded."""
        counters = self._known.memory.counters
        spam, ham = float(counters[Counter.SPAM_SEEN]), float(counters[Counter.HAM_SEEN])
        if min(spam, ham) < CLASS_FROM:
            return
        found = conclude(arrival, report, verdicts, self._sides)
        if found is None or (spam if found.spam else ham) > RATIO * (ham if found.spam else spam):
            return
        task = asyncio.get_running_loop().create_task(self._teach(arrival, found))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def settled(self) -> None:
        """Waits for what is under way."""
        await asyncio.gather(*self._under_way)

    async def _teach(self, arrival: Arrival, found: Conclusion) -> None:
        learned = lesson_of(arrival.message, self._known.hasher)
        lesson = Lesson(learned.digest, found.spam, found.who, learned.features, WEIGHT, arrival.mail_id)
        try:
            (fate,) = await self._lessons.teach([lesson], DAILY)
        except StoreUnavailable as e:
            log.warning("(%s) nothing is learned of it: %s", arrival.log_id, e)
        else:
            log.debug("(%s) %s as %s: %s", arrival.log_id, found.who, "spam" if found.spam else "ham", fate)


def conclude(
    arrival: Arrival, report: Report, verdicts: Sequence[Verdict], sides: Mapping[str, str]
) -> Conclusion | None:
    """What the report leaves no doubt about. Pure."""
    own = sum([hit.score for hit in report.hits if hit.symbol in LEARNERS])
    points = report.score - own
    if HAM_TO < points < SPAM_FROM:
        return None  # nearly all mail
    domain = addresses.split(addresses.normalise(arrival.envelope.sender))[1]
    if arrival.originating or not domain or report.over_budget or report.unavailable:
        return None
    if any(verdict.allowed or verdict.blocked for verdict in verdicts):
        return None
    if points >= SPAM_FROM:
        return Conclusion(True, f"auto:{domain}") if _is_spam(report, own, sides) else None
    if -SURE < own < AGAINST and any(hit.symbol in PROOFS for hit in report.hits):
        return Conclusion(False, f"auto:{domain}")
    return None


def _is_spam(report: Report, own: float, sides: Mapping[str, str]) -> bool:
    """Whether header and text say so, each for itself, and the learner does not know or deny it."""
    points = {"header": 0.0, "body": 0.0}
    for hit in report.hits:
        side = sides.get(hit.symbol)
        if side:
            points[side] += hit.score
    return min(points.values()) >= EACH_SIDE and -AGAINST < own < SURE
