"""What is learned without anybody's saying so, and above all what is not."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.flow.lessons import School
from tests.support.mailroom import ANN, SENDER, SESSION, Mailroom, mailroom
from tests.support.next_hop import next_hop

from lazaret.checks import Scan, Symbol
from lazaret.flow.autolearn import DAILY, Autolearn, Conclusion, conclude
from lazaret.learn.known import Fixed, Known
from lazaret.learn.model import Counter, Private
from lazaret.model.envelope import Role, Session
from lazaret.model.lesson import Figures
from lazaret.model.verdict import Hit

SIDES = {"HEAD": "header", "TEXT": "body"}
SPAM = {"HEAD": 6.0, "TEXT": 7.0}
HAM = {"SPF_PASS": -0.1}


class Says:
    """A check that gives what a test says."""

    name = "says"
    symbols: Mapping[str, Symbol] = {
        name: Symbol(1.0, name) for name in ("HEAD", "TEXT", "META", "SPF_PASS", "BAYES_SPAM", "BAYES_HAM")
    }

    def __init__(self, points: Mapping[str, float]) -> None:
        self._points = points

    def run(self, scan: Scan, /) -> Iterator[Hit]:
        yield from (Hit(symbol, weight=points) for symbol, points in self._points.items())


def known_of(school: School, spam: float, ham: float) -> Known:
    memory = Private(4)
    memory.counters[Counter.SPAM_SEEN], memory.counters[Counter.HAM_SEEN] = spam, ham
    return Fixed(memory, school.hasher)


def learned(
    tmp_path: Path,
    points: Mapping[str, float],
    *,
    seen: tuple[float, float] = (100, 100),
    session: Session = SESSION,
    senders: Sequence[str] = (SENDER,),
) -> Figures:
    """What was learned by itself of messages that got these points."""

    async def main() -> Figures:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, checks=(Says(points),)) as room:
            school = await asyncio.to_thread(School, room.store, tmp_path)
            await handed_in(room, Autolearn(room.store.lessons, known_of(school, *seen), SIDES))
            return await room.store.lessons.figures()

    async def handed_in(room: Mailroom, autolearn: Autolearn) -> None:
        room.filter._autolearn = autolearn
        for number, sender in enumerate(senders):
            octets = b"From: <%b>\r\nMessage-ID: <%d@x>\r\n\r\ntext\r\n" % (sender.encode(), number)
            await room.send(octets, ANN, sender=sender, session=session)
        await autolearn.settled()

    return asyncio.run(main())


def test_beyond_doubt_it_is_learned_a_little(tmp_path):
    found = learned(tmp_path, SPAM)

    assert (1, 0, 1, 0) == (found.spam, found.ham, found.automatic, found.by_people)
    assert 1 == learned(tmp_path / "ham", HAM).ham


@pytest.mark.parametrize(
    "points",
    [
        {"HEAD": 5.0, "TEXT": 6.0},
        {"HEAD": 20.0},
        {"META": 20.0},
        {"HEAD": 20.0, "TEXT": 2.0},
        {"HEAD": 6.0, "TEXT": 5.0, "BAYES_SPAM": 3.0},
        SPAM | {"BAYES_SPAM": 4.5},
        SPAM | {"BAYES_HAM": -3.0},
        {"META": 0.05},
        HAM | {"META": 1.0},
        HAM | {"BAYES_HAM": -6.0},
        HAM | {"BAYES_SPAM": 3.0},
        HAM | {"META": 4.0, "BAYES_HAM": -5.0},
    ],
    ids=[
        "too few points",
        "header alone",
        "neither header nor text",
        "little text",
        "only with the learner's points",
        "spam that is known well",
        "spam that the learner denies",
        "ham of a sender who is not authenticated",
        "not quite ham",
        "ham that is known well",
        "ham that the learner denies",
        "ham only with the learner's points",
    ],
)
def test_in_doubt_nothing_is_learned(tmp_path, points):
    assert 0 == learned(tmp_path, points).automatic


@pytest.mark.parametrize("seen", [(24, 100), (100, 24), (0, 0)])
def test_nothing_is_learned_before_people_have_taught_both_kinds(tmp_path, seen):
    assert 0 == learned(tmp_path, SPAM, seen=seen).automatic


def test_one_kind_does_not_outgrow_the_other(tmp_path):
    assert 0 == learned(tmp_path, SPAM, seen=(301, 100)).automatic
    assert 0 == learned(tmp_path / "ham", HAM, seen=(100, 301)).automatic
    assert 1 == learned(tmp_path / "less", HAM, seen=(301, 100)).automatic


def test_mail_of_our_own_users_teaches_nothing(tmp_path):
    assert 0 == learned(tmp_path, HAM, session=replace(SESSION, role=Role.ORIGINATING)).automatic


def test_a_bounce_teaches_nothing(tmp_path):
    assert 0 == learned(tmp_path, SPAM, senders=[""]).automatic


def test_one_domain_teaches_a_few_messages_a_day(tmp_path):
    senders = [f"a{n}@shop.example" for n in range(DAILY.daily + 3)] + ["b@other.example"]

    assert DAILY.daily + 1 == learned(tmp_path, SPAM, senders=senders).automatic


def test_who_is_on_a_list_teaches_nothing(tmp_path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, checks=(Says(SPAM),)) as room:
            considered = []
            room.filter._autolearn = Considers(considered)
            await room.send(b"From: <%b>\r\n\r\ntext\r\n" % SENDER.encode(), ANN)
            ((arrival, report, verdicts),) = considered

            assert conclude(arrival, report, verdicts, SIDES) == Conclusion(True, "auto:out.example")
            for standing in ({"allowed": True}, {"blocked": True}):
                listed = [replace(verdict, **standing) for verdict in verdicts]
                assert conclude(arrival, report, listed, SIDES) is None

    asyncio.run(main())


def test_what_was_released_is_not_even_looked_at(tmp_path):
    async def main() -> None:
        async with next_hop() as hop, mailroom(tmp_path, hop.at, checks=(Says({"META": 6.0}),)) as room:
            considered = []
            room.filter._autolearn = Considers(considered)
            await room.send(b"From: <%b>\r\n\r\ntext\r\n" % SENDER.encode(), ANN)
            (item,) = await room.find()
            await room.desk.release(item.mail_id, who="test")
            await room.send(hop.received[-1].octets, ANN)

            assert 2 == len(room.handled)
            assert 1 == len(considered)

    asyncio.run(main())


class Considers:
    """Remembers what it was asked to conclude from."""

    def __init__(self, considered: list) -> None:
        self._considered = considered

    def consider(self, *given: object) -> None:
        self._considered.append(given)
