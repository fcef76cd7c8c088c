"""`lazaret scan`: scores messages; no mail, database or model changes."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from lazaret import app
from lazaret.checks import Check, Scan
from lazaret.checks.examine import examine
from lazaret.cli.context import Command, Given, as_owner, pass_given, print_json, rule_progress, run_async
from lazaret.config.options import Config
from lazaret.mime import message as mime
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.model.errors import UserError
from lazaret.model.verdict import Report, Verdict
from lazaret.policy.decide import Situation, decide

EX_NOINPUT = 66


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a message besides its octets; None and "" where the message itself is asked."""

    sender: str | None
    recipient: str
    client_ip: str
    now: float | None


@click.command(cls=Command)
@click.argument("files", metavar="[FILE…|-]", nargs=-1)
@click.option("--files-from", "listing", metavar="LIST", help="Take the paths from this file, one a line.")
@click.option("--from", "sender", metavar="ADDR", help="Envelope sender; else read from the message.")
@click.option("--rcpt", "recipient", metavar="ADDR", default="", help="Whose policy decides.")
@click.option("--client-ip", metavar="IP", default="", help="The client; else read from the message.")
@click.option("--now", type=float, metavar="EPOCH", help="The time of reception, for repeatable results.")
@click.option("--no-learn", is_flag=True, help="Without what a learner would add.")
@pass_given
def scan(
    given: Given,
    files: Sequence[str],
    listing: str | None,
    sender: str | None,
    recipient: str,
    client_ip: str,
    now: float | None,
    no_learn: bool,
) -> None:
    """Score messages and print a JSON object a line, in the order of the files.

    Reads stdin without a FILE, or for `-`. Exit status 66 when a file could not be read.
    """
    config = as_owner(given.load())
    checks = app.checks(app.load_rules(config, rule_progress()))
    facts = Facts(sender, recipient, client_ip, now)

    async def scan_all() -> int:
        status = 0
        for name in _names(files, listing):
            try:
                octets = _read(name)
            except (OSError, ValueError) as e:
                print_json({"file": name, "error": getattr(e, "strerror", None) or str(e)})
                status = EX_NOINPUT
                continue
            print_json({"file": name} | await _scan(octets, config, checks, facts))
        return status

    sys.exit(run_async(scan_all()))


def _names(files: Sequence[str], listing: str | None) -> Iterator[str]:
    if listing is None:
        yield from files or ("-",)
        return
    try:
        with open(listing, encoding="utf-8", errors="surrogateescape") as lines:
            yield from (name for line in lines if (name := line.rstrip("\n")))
    except OSError as e:
        raise UserError(f"cannot read {listing}: {e.strerror}", EX_NOINPUT) from e


def _read(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


async def _scan(octets: bytes, config: Config, checks: Sequence[Check], facts: Facts) -> dict[str, object]:
    started = time.perf_counter()
    message = mime.parse(octets, envelope_from=facts.sender, networks=app.trusted_networks(config))
    examined = Scan(
        message,
        Session(client_ip=facts.client_ip, peer_ip=facts.client_ip),
        Envelope(facts.sender or "", (Recipient(facts.recipient),)),
        time.time() if facts.now is None else facts.now,
    )
    report = await examine(examined, checks, budget_s=config.limits.scan_time_s)
    lookup = app.lookup_of(config)
    policy = lookup.policy_for(facts.recipient) if facts.recipient else app.policy_of(config)
    verdict = decide(report, facts.recipient, policy, Situation())
    return _result(report, verdict, (time.perf_counter() - started) * 1000)


def _result(report: Report, verdict: Verdict, took_ms: float) -> dict[str, object]:
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
