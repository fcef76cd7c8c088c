"""Scores one message after the other as the filter would, with parts that are loaded once."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lazaret import app
from lazaret.checks import Check, Scan
from lazaret.checks.examine import Examiner
from lazaret.config.options import Config
from lazaret.mime import message as mime
from lazaret.mime.trust import Networks
from lazaret.mime.uri_variants import Sites
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.model.verdict import Policy, Report, Verdict
from lazaret.policy.decide import Situation, decide


@dataclass(frozen=True)
class Scanner:
    """What is the same for all messages: loaded once, however many there are."""

    config: Config
    checks: Sequence[Check]
    sender: str | None
    """None: the message is asked."""
    recipient: str
    client_ip: str
    """"": the message is asked."""
    now: float | None
    networks: Networks = field(default_factory=Networks)
    """Whose Received fields are believed."""
    sites: Sites | None = None
    """What the rules know of the hosts in links."""

    async def scan(self, octets: bytes) -> dict[str, Any]:
        """Score, action and hits of one message, as they are printed."""
        started = time.perf_counter()
        report = await self._examiner.examine(self._examined(octets))
        verdict = decide(report, self.recipient, self._policy, Situation())
        return _result(report, verdict, (time.perf_counter() - started) * 1000)

    @cached_property
    def _examiner(self) -> Examiner:
        return Examiner(self.checks, budget_s=self.config.limits.scan_time_s)

    def _examined(self, octets: bytes) -> Scan:
        return Scan(
            mime.parse(octets, envelope_from=self.sender, networks=self.networks, sites=self.sites),
            Session(client_ip=self.client_ip, peer_ip=self.client_ip),
            Envelope(self.sender or "", (Recipient(self.recipient),) if self.recipient else ()),
            time.time() if self.now is None else self.now,
        )

    @cached_property
    def _policy(self) -> Policy:
        if not self.recipient:
            return app.policy_of(self.config)
        return app.lookup_of(self.config).policy_for(self.recipient)


def _result(report: Report, verdict: Verdict, took_ms: float) -> dict[str, Any]:
    hits = sorted(report.hits, key=lambda h: (-abs(h.score), h.symbol))
    return {
        "score": report.score,
        "action": str(verdict.action),
        "category": verdict.category.word,
        "hits": [
            {"symbol": h.symbol, "score": h.score, "description": h.description, "detail": h.detail}
            for h in hits
        ],
        "unavailable": [u.check for u in report.unavailable],
        "took_ms": round(took_ms, 3),
    }
