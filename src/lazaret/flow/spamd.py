"""What spamc and its like are told: score and tests of a message that its owner keeps.

Nothing is stored, delivered or learned: what becomes of the message is the client's business.
"""

import logging
import re
import time
from collections.abc import Callable, Sequence

from lazaret.checks import Check, Scan
from lazaret.checks.examine import Examiner
from lazaret.flow.filter import Rules
from lazaret.flow.policies import Guidance, Held, PolicyBook
from lazaret.mime import message as mime
from lazaret.model.address import is_valid
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.model.errors import StoreUnavailable
from lazaret.model.verdict import Report
from lazaret.policy.decide import Situation, decide
from lazaret.rules.book import Book
from lazaret.rules.markup import mark_up
from lazaret.rules.tags import Marks, Place, Tags, template
from lazaret.wire.spamd import (
    PONG,
    Judged,
    SpamdRequest,
    Status,
    message_answer,
    refusal,
    text_answer,
    verdict_answer,
)

log = logging.getLogger("lazaret.spamd")

_HEADER_END = re.compile(rb"\n\r?\n")


class SpamdRequests:
    """Answers requests; one object serves all connections."""

    def __init__(
        self,
        checks: Sequence[Check],
        policies: PolicyBook,
        rules: Rules,
        book: Book,
        host: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`book`: how the rule files want a message to be marked. `host`: our name."""
        self._examiner = Examiner(checks, budget_s=rules.scan_time_s)
        self._policies = policies
        self._rules = rules
        self._book = book
        self._host = host
        self._clock = clock

    async def answer(self, request: SpamdRequest) -> bytes:
        """The answer's octets; none for SKIP. Never an exception."""
        match request.command:
            case "PING":
                return PONG
            case "SKIP":
                return b""
            case "TELL":
                log.warning("spamd: TELL is not served; `lazaret learn` teaches")
                return refusal(Status.EX_UNAVAILABLE, "Service Unavailable: TELL is not served here")
        try:
            return await self._judge(request)
        except Exception:
            log.exception("spamd: %s of %d octets", request.command, len(request.octets))
            return refusal(Status.EX_SOFTWARE, "Error in processing")

    async def _judge(self, request: SpamdRequest) -> bytes:
        started = time.perf_counter()
        user = request.fields.get("user", "")
        recipient = user if is_valid(user) else ""
        now = self._clock()
        message = mime.parse(request.octets, networks=self._rules.trusted, sites=self._rules.sites)
        scan = Scan(message, Session(), Envelope("", (Recipient(recipient),) if recipient else ()), now)
        report = await self._examiner.examine(scan)
        if request.command not in ("CHECK", "SYMBOLS"):
            report = self._examiner.explained(report, scan)
        guidance = await self._guidance(recipient, message)
        standing = guidance.standing(recipient, report, client_ip="", now=now)
        situation = Situation(size=len(request.octets))
        verdict = decide(report, recipient, guidance.policy(recipient), situation, standing)
        marks = _marks(message, report, verdict.score, verdict.policy.levels.mark)
        log.info(
            "spamd: %s for %s: %s, score %.1f of %.1f, tests=[%s], %d octets, %.0f ms",
            request.command,
            recipient or "nobody in particular",
            "spam" if marks.is_spam else "clean",
            marks.score,
            marks.required,
            ",".join(marks.hits),
            len(request.octets),
            (time.perf_counter() - started) * 1000,
        )
        return self._said(request, marks, Place(self._host, now))

    async def _guidance(self, recipient: str, message: mime.Message) -> Guidance:
        """What holds for him; for nobody in particular, and while the database is away, what the
        configuration says: the client would let the message pass if it got no answer."""
        if recipient:
            try:
                return await self._policies.of([recipient], message, "")
            except StoreUnavailable as e:
                log.error("spamd: database: %s; the levels of the configuration hold", e)
        return Guidance({recipient: Held(self._policies.lookup.policy_for(recipient))})

    def _said(self, request: SpamdRequest, marks: Marks, place: Place) -> bytes:
        judged = Judged(marks.is_spam, marks.score, marks.required)
        match request.command:
            case "CHECK":
                return verdict_answer(judged)
            case "SYMBOLS":
                return text_answer(request, judged, ",".join(marks.hits).encode("latin-1", "replace"))
            case "REPORT_IFSPAM" if not marks.is_spam:
                return text_answer(request, judged, b"")
            case "REPORT" | "REPORT_IFSPAM":
                text = template(self._book, "report", Tags(self._book, marks, place))
                return text_answer(request, judged, text.encode("latin-1", "replace"))
        marked = mark_up(self._book, marks, place)
        if request.command == "HEADERS":
            end = _HEADER_END.search(marked)
            marked = marked[: end.end()] if end else marked
        return message_answer(request, judged, marked)


def _marks(message: mime.Message, report: Report, score: float, required: float) -> Marks:
    return Marks(
        message,
        score,
        required,
        tuple(sorted(hit.symbol for hit in report.hits)),
        details={hit.symbol: hit.detail for hit in report.hits if hit.detail},
        scores={hit.symbol: hit.score for hit in report.hits},
        descriptions={hit.symbol: hit.description for hit in report.hits},
    )
