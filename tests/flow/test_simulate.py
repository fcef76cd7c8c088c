"""What if the levels had been others?"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.mailroom import (
    ANN,
    BOB,
    CLEAN,
    KILLED,
    OUTSIDE,
    SESSION,
    SPAM,
    SPAMMY,
    Mailroom,
    mail,
    mailroom,
)
from tests.support.next_hop import next_hop

from lazaret.flow.policies import PolicyBook
from lazaret.flow.simulate import FATES, Outcome, Simulator, WhatIf, judge
from lazaret.model.envelope import Role
from lazaret.model.errors import UserError
from lazaret.model.simulation import Own, Past
from lazaret.model.verdict import Policy
from lazaret.policy.lookup import Lookup

SITE = WhatIf(3.0, 5.0, 8.0)
STRICT = WhatIf(2.0, 4.0, 6.0)


def play(folder: Path, act: Callable[[Mailroom, Simulator], Awaitable[None]]) -> None:
    async def main() -> None:
        async with next_hop() as hop, mailroom(folder, hop.at, always_deliver=["postmaster@"]) as room:
            spared = ["postmaster@", "@.exempt.example", "bob@x.example"]
            await act(
                room, Simulator(room.store.past, PolicyBook(Lookup(Policy()), room.store.policies), spared)
            )

    asyncio.run(main())


def counts(outcome: Outcome) -> list[tuple[int, int]]:
    return [(outcome.fates[fate].was, outcome.fates[fate].would_be) for fate in FATES]


def test_the_history_is_judged_again(tmp_path: Path):
    async def act(room: Mailroom, simulator: Simulator) -> None:
        for points in (CLEAN, 2.5, SPAMMY, SPAM, SPAM, KILLED):
            await room.send(mail(points), ANN)
        await room.send(mail(SPAM), ANN, BOB)
        await room.find()
        past = await simulator.copies(since=0)

        assert [(2, 2), (1, 1), (4, 4), (1, 1)] == counts(judge(past, SITE))
        strict = judge(past, STRICT)
        assert [(2, 1), (1, 1), (4, 1), (1, 5)] == counts(strict)
        assert 6 == strict.changed
        assert [(2, 2), (1, 5), (4, 1), (1, 0)] == counts(judge(past, WhatIf(4.0, 9.0, None)))
        assert [(0, 0)] * 2 + [(1, 1), (0, 0)] == counts(
            judge(await simulator.copies(since=0, recipient="Bob@home.example"), SITE)
        )
        assert 0 == len(await simulator.copies(since=0, domain="far.example"))
        assert 8 == sum(p.copies for p in await simulator.copies(since=0, domain="example"))
        assert [] == await simulator.copies(since=2_000_000_000)

    play(tmp_path, act)


def test_what_people_said_since_estimates_the_errors(tmp_path: Path):
    async def act(room: Mailroom, simulator: Simulator) -> None:
        for points in (CLEAN, 4.5, 5.5, SPAM):
            await room.send(mail(points), ANN)
        by_score = {item.score: item for item in await room.find()}
        wanted, missed = by_score[5.5], by_score[4.5]
        await room.desk.release(wanted.mail_id, who="cli:test")
        await room.store.writer.run(
            lambda connection: connection.execute(
                "INSERT INTO lz_learned (digest, label, who, time_num, weight, mail_id, features)"
                " VALUES (x'00', 'S', 'user:ann@home.example', 1, 1.0, :id, x'')",
                {"id": missed.mail_id},
            )
        )
        past = await simulator.copies(since=0)

        site = judge(past, SITE)
        assert (1, 1) == (site.false_positives, site.misses)
        assert 0 == judge(past, WhatIf(3.0, 5.8, 8.0)).false_positives
        assert 0 == judge(past, WhatIf(3.0, 4.0, 8.0)).misses
        assert ["", "ham", "spam", ""] == [b.said for b in await simulator.border(5.0, since=0, limit=5)]

    play(tmp_path, act)


def test_what_no_score_has_decided_stays_as_it_was(tmp_path: Path):
    async def act(room: Mailroom, simulator: Simulator) -> None:
        ours = replace(SESSION, role=Role.ORIGINATING)
        await room.send(mail(SPAMMY), OUTSIDE, sender=ANN, session=ours)
        await room.send(mail(KILLED), "postmaster@home.example")
        await room.find()
        past = await simulator.copies(since=0)

        outcome = judge(past, STRICT)
        assert [(1, 1), (1, 1), (0, 0), (0, 0)] == counts(outcome)
        assert (1, 0) == (outcome.unjudged, outcome.changed)

    play(tmp_path, act)


def test_patterns_of_always_deliver_are_those_of_the_filter(tmp_path: Path):
    async def act(room: Mailroom, simulator: Simulator) -> None:
        exempt = ["postmaster@any.example", "x@exempt.example", "y@sub.exempt.example", "bob@x.example"]
        others = ["postmaster2@any.example", "x@notexempt.example", "ann@x.example"]
        for address in (*exempt, *others):
            await room.send(mail(SPAM), address)
        await room.find()
        past = await simulator.copies(since=0)

        assert {True: len(exempt), False: len(others)} == {
            flag: sum(p.copies for p in past if p.exempt is flag) for flag in (True, False)
        }

    play(tmp_path, act)


def test_the_border_is_what_is_nearest_on_each_side(tmp_path: Path):
    async def act(room: Mailroom, simulator: Simulator) -> None:
        for points in (CLEAN, 4.0, 4.9, 5.0, 5.5, KILLED):
            await room.send(mail(points), ANN)
        await room.find()
        near = await simulator.border(5.0, since=0, limit=2)

        assert [5.5, 5.0, 4.9, 4.0] == [b.score for b in near]
        assert ["quarantine", "quarantine", "mark", "mark"] == [b.action for b in near]
        assert (ANN, "news") == (near[0].recipient, near[0].subject)

    play(tmp_path, act)


@pytest.mark.parametrize("levels", [(5, 3, 8), (3, 9, 8), (float("nan"), 5, 8), (3, float("inf"), None)])
def test_levels_must_be_in_their_order(levels: tuple[float, float, float | None]):
    with pytest.raises(UserError, match="mark <= quarantine <= kill"):
        WhatIf(*levels)


finite = st.floats(min_value=-100, max_value=100)
pasts = st.lists(
    st.builds(
        Past,
        finite,
        st.sampled_from(["deliver", "mark", "quarantine", "discard", "reject", "defer"]),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["", "ham", "spam"]),
        st.integers(1, 9),
    )
)


@given(pasts, st.lists(finite, min_size=3, max_size=3).map(sorted))
def test_no_copy_is_lost_or_counted_twice(past: list[Past], levels: list[float]):
    outcome = judge(past, WhatIf(*levels))
    copies = sum(p.copies for p in past if p.action != "defer")
    assert copies == sum(was for was, _ in counts(outcome)) == sum(would for _, would in counts(outcome))


def test_who_has_levels_of_his_own_is_judged_by_those(tmp_path: Path):
    async def act(room: Mailroom, simulator: Simulator) -> None:
        for points in (CLEAN, 2.5, SPAMMY, SPAM, SPAM, KILLED):
            await room.send(mail(points), ANN, BOB)
        await room.find("", everything=True)
        alone = counts(judge(await simulator.copies(since=0), STRICT))
        tables = room.store.policy_tables
        await tables.change(ANN, {"spam_kill_level": 99.0, "spam_tag2_level": 50.0}, local=None)
        found = await simulator.copies(since=0)
        together = counts(judge(found, STRICT))
        # Everything for Ann is below what she has; Bob goes by the site.
        assert 6 + alone[0][1] // 2 == together[0][1]
        of_ann = await simulator.copies(since=0, recipient=ANN)
        assert [6, 0, 0, 0] == [would for _, would in counts(judge(of_ann, STRICT))]
        assert sum(would for _, would in alone) == sum(would for _, would in together) == 12
        of_bob = counts(judge(await simulator.copies(since=0, recipient=BOB), STRICT))
        assert [(2 * was, 2 * would) for was, would in of_bob] == alone
        near = await simulator.border(5.0, since=0, limit=3)
        assert {BOB} == {one.recipient for one in near}

    play(tmp_path, act)


@pytest.mark.parametrize(
    ("own", "fate"),
    [
        (Own(), "killed"),
        (Own(kill=20.0), "quarantined"),
        (Own(quarantine=9.0), "killed"),
        (Own(quarantine=11.0), "marked"),
        (Own(quarantine=12.0, mark=11.0), "delivered"),
        (Own(mark=20.0), "killed"),
        (Own(lover=True), "marked"),
        (Own(unjudged=True), "quarantined"),
    ],
)
def test_what_is_not_said_of_one_s_own_is_the_site_s(own: Own, fate: str):
    past = Past(10.0, "quarantine", judged=True, exempt=False, said="", copies=1, own=own)
    assert fate == SITE.fate(past)
