"""Promise 3: a check that cannot answer is reported, and decides nothing unless it is told to defer."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from tests.support.mailroom import ANN, BOB, SPAM, Points, mail, mailroom
from tests.support.next_hop import next_hop

from lazaret.checks import Check, CheckUnavailable, OverBudget, Scan, Symbol
from lazaret.flow.explain import why
from lazaret.flow.filter import Rules
from lazaret.model.verdict import Hit


class Unreachable(Points):
    """Its service is down."""

    name = "service"

    def run(self, scan: Scan, /) -> Iterator[Hit]:
        raise CheckUnavailable("no answer from [192.0.2.1]:3310")
        yield


class Broken(Points):
    """It has a defect, and has found something before it shows."""

    name = "broken"
    symbols: ClassVar[Mapping[str, Symbol]] = {"EARLY": Symbol(1.0, "found before the defect")}

    def run(self, scan: Scan, /) -> Iterator[Hit]:
        yield Hit("EARLY")
        raise ZeroDivisionError


class Slow(Points):
    """It waits for a service that does not answer."""

    name = "slow"

    async def run(self, scan: Scan, /) -> AsyncIterator[Hit]:  # type: ignore[override]
        await asyncio.sleep(30)
        yield Hit("POINTS", weight=100.0)


class Endless(Points):
    """The message is built so that it would look for ever."""

    name = "endless"

    def run(self, scan: Scan, /) -> Iterator[Hit]:
        raise OverBudget("100000 matches")
        yield


def send(
    folder: Path, octets: bytes, *checks: Check, rules: Rules | None = None
) -> tuple[str, list[str], str]:
    """The reply, what `show` says of the message, and the symbols."""

    async def main() -> tuple[str, list[str], str]:
        async with next_hop() as hop, mailroom(folder, hop.at, checks=checks, rules=rules) as room:
            reply = await room.send(octets, ANN, BOB)
            [item] = await room.find()
            assert (2 if reply.startswith("250 2.0.0") else 0) == hop.copies.total()
            return reply, why(await room.desk.show(item.mail_id)), " ".join(item.symbols)

    return asyncio.run(main())


def test_a_check_whose_service_is_down_lets_the_message_pass_and_is_shown(tmp_path: Path):
    reply, said, _ = send(tmp_path, mail(), Unreachable(), Points())

    assert reply.startswith("250 2.0.0")
    assert "Could not be asked: service: no answer from [192.0.2.1]:3310." in said


def test_the_other_checks_decide_as_if_it_were_not_there(tmp_path: Path):
    reply, said, _ = send(tmp_path, mail(SPAM), Unreachable(), Broken(), Points())

    assert reply.startswith("250 2.7.0 Ok, discarded")
    assert any("reaches" in s or "above the quarantine level" in s for s in said)


def test_a_check_with_a_defect_is_unavailable_and_keeps_what_it_found(tmp_path: Path):
    reply, said, symbols = send(tmp_path, mail(), Broken())

    assert reply.startswith("250 2.0.0")
    assert "EARLY" == symbols
    assert "Could not be asked: broken: internal error: ZeroDivisionError." in said


def test_a_service_that_does_not_answer_in_time_costs_the_message_no_points(tmp_path: Path):
    """A dead name server must not push all mail over a level."""
    reply, said, symbols = send(tmp_path, mail(), Slow(), Points(), rules=Rules(scan_time_s=0.05))

    assert reply.startswith("250 2.0.0")
    assert "" == symbols
    assert "Could not be asked: slow: no answer within 0.05 s." in said


def test_a_check_that_must_answer_defers_the_message(tmp_path: Path):
    rules = Rules(on_unavailable={"service": "defer"})
    reply, said, _ = send(tmp_path, mail(), Points(), Unreachable(), rules=rules)

    assert reply.startswith("450 4.7.0 Temporary failure, id=")
    assert any("the check service must answer and could not" in s.lower() for s in said)


def test_a_message_that_exhausts_a_budget_is_another_thing(tmp_path: Path):
    """Otherwise evasion would be a recipe."""
    reply, _, symbols = send(tmp_path, mail(), Endless(), Points())

    assert reply.startswith("250 2.7.0 Ok, discarded")
    assert "LAZARET_OVER_BUDGET" == symbols
