"""Messages that are examined beside each other: in one another's company, and not in one another's way."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.learn.mail import HASHER, features, mail

from lazaret.checks import Check, Scan, Symbol
from lazaret.checks.examine import Examiner
from lazaret.checks.learn import LearnCheck
from lazaret.checks.lockstep import MOST, OCTETS, Lockstep
from lazaret.checks.rules import RulesCheck
from lazaret.learn.known import Fixed
from lazaret.learn.model import Model, Private
from lazaret.mime import message as mime
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.model.steps import END, Meanwhile
from lazaret.model.verdict import Hit, Report
from lazaret.rules import load

RULES = """
body SEVERAL /\\b(?:money|meeting|offer)\\b/
tflags SEVERAL multiple
body EVIL /^(?:a+)+!(?!\\s)/
header FROM_EXAMPLE From =~ /example/
header __TO To =~ /(?<WHOM>\\w+)@/
body TO_YOU /dear %{WHOM}/
uri LINK /shop/
meta BOTH FROM_EXAMPLE && LINK
"""


def scan(raw: bytes) -> Scan:
    return Scan(mime.parse(raw), Session(), Envelope("a@b.example", (Recipient("ann@home.example"),)), 1e9)


def together(examiner: Examiner, raws: Sequence[bytes]) -> list[Report]:
    async def examine() -> list[Report]:
        return await asyncio.gather(*(examiner.examine(scan(raw)) for raw in raws))

    return asyncio.run(examine())


def one_by_one(examiner: Examiner, raws: Sequence[bytes]) -> list[Report]:
    return [together(examiner, [raw])[0] for raw in raws]


@pytest.fixture(scope="module")
def examiner(tmp_path_factory: pytest.TempPathFactory, rules_cache: Path) -> Examiner:
    """Rules, and a learner that knows something."""
    path = tmp_path_factory.mktemp("rules") / "a.cf"
    path.write_text(RULES)
    memory = Private(16)
    for seed in range(60):
        Model(memory).learn(features(mail("spam", seed)), spam=True)
        Model(memory).learn(features(mail("ham", seed)), spam=False)
    learner = LearnCheck(Fixed(memory, HASHER), always_explains=True)
    shipped = load([], shipped=True, cache_dir=rules_cache)
    own = load([path], shipped=False, cache_dir=None)
    rules = [RulesCheck(ruleset, beside_learner=lambda: learner.is_ready) for ruleset in (shipped, own)]
    return Examiner([*rules, learner], budget_s=20)


HOSTILE = [
    b"",
    b"\r\n",
    b"Subject: s\r\n\r\n" + b"a" * 1800 + b"!\r\n",
    b"From: " + b"<" * 20_000 + b"\r\n\r\n",
    b"Received: from x\r\n" * 500 + b"\r\n",
    b"Content-Type: text/html\r\n\r\n" + b"<div><a href='http://shop.example/" * 2000,
    b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(500)),
    bytes(range(256)) * 40,
    b"Subject: large\r\n\r\n" + b"an offer of money\r\n" * (OCTETS // 19),
]


def letter(name: str, seed: int) -> bytes:
    return b"To: %b@home.example\r\nSubject: s\r\n\r\ndear %b, http://shop.example/%d\r\n" % (
        name.encode(),
        b"ann",
        seed,
    )


def ordinary() -> list[bytes]:
    written = [letter(name, seed) for seed, name in enumerate(("ann", "bob", "ann", "eve"))]
    return [*written, *(mail(kind, seed) for seed in range(900, 912) for kind in ("spam", "ham"))]


def facts(reports: Sequence[Report]) -> list[object]:
    return [(sorted(r.hits, key=lambda hit: hit.symbol), r.unavailable, r.over_budget) for r in reports]


@pytest.mark.parametrize("size", [2, 3, 7, 40])
def test_what_is_found_is_the_same_as_one_by_one(examiner: Examiner, size: int) -> None:
    raws = ordinary()
    for place, raw in enumerate(HOSTILE):
        raws.insert(3 * place, raw)
    alone = facts(one_by_one(examiner, raws))

    assert any("EVIL" in str(each) or "OVER_BUDGET" in str(each) for each in alone)
    for at in range(0, len(raws), size):
        assert alone[at : at + size] == facts(together(examiner, raws[at : at + size]))


def test_what_is_found_in_real_mail_is_the_same_as_one_by_one(examiner: Examiner, corpus: Path) -> None:
    paths = sorted(path for path in (corpus / "spamassassin").rglob("*") if path.is_file())
    raws = [path.read_bytes() for path in paths[::60]]
    assert facts(one_by_one(examiner, raws)) == facts(together(examiner, raws))


class Stepping:
    """A check in three steps, which notes who was there when."""

    name = "stepping"
    symbols = {"A": Symbol(1.0, "an A")}  # noqa: RUF012

    def __init__(self) -> None:
        self.order: list[str] = []

    def run(self, scan: Scan, /) -> Iterator[Hit | int]:
        subject = scan.message.decoded("Subject")
        for step in range(3):
            yield step
            if subject == "bad":
                raise KeyError(subject)
            if subject == "slow":
                time.sleep(0.06)
            if subject != "short" or step < 1:
                self.order.append(f"{subject}{step}")
        yield Hit("A", subject)


def subjects(*names: str) -> list[bytes]:
    return [f"Subject: {name}\r\n\r\n".encode() for name in names]


def test_each_step_is_done_for_all_before_the_next_one() -> None:
    check = Stepping()
    together(Examiner([check], budget_s=5), subjects("x", "y", "short"))
    assert ["short0", "x0", "y0", "x1", "y1", "x2", "y2"] == sorted(check.order, key=lambda o: (o[-1], o))
    assert list("0001122") == [did[-1] for did in check.order]


class Going(Stepping):
    """The same, but it goes on as far as it is told to; a dash says that it waited."""

    def __init__(self, order: list[str], steps: int = 3) -> None:
        self.order = order
        self._steps = steps

    def run(self, scan: Scan, /) -> Iterator[Hit | int]:
        for step in range(self._steps):
            if scan.meanwhile.until < step:
                self.order.append("-")
                yield step
            self.order.append(f"{scan.message.decoded('Subject')}{step}")


def test_of_two_messages_at_the_same_step_the_last_goes_on_to_the_next() -> None:
    check = Going([])
    together(Examiner([check], budget_s=5), subjects("x", "y"))
    assert "- y0 - x0 x1 - y1 y2 x2" == " ".join(check.order)


def test_no_message_goes_past_another_to_the_next_check() -> None:
    order: list[str] = []
    together(Examiner([Going(order, 2), Going(order, 2)], budget_s=5), subjects("x", "y", "z"))
    assert list("000111000111") == [did[-1] for did in order if did != "-"]


def test_who_is_ahead_is_waited_for_by_nobody() -> None:
    """Who has fewer steps to take waits until the others are where he is; they do not stop on the way."""

    class Far(Going):
        def run(self, scan: Scan, /) -> Iterator[Hit | int]:
            if scan.message.decoded("Subject") == "far":
                yield 2
                self.order.append("far2")
            else:
                yield from super().run(scan)

    check = Far([])
    together(Examiner([check], budget_s=5), subjects("far", "x"))
    assert "x0 x1 x2 far2" == " ".join(check.order)


def test_a_message_is_told_whether_others_come_along() -> None:
    class Asking(Stepping):
        def run(self, scan: Scan, /) -> Iterator[Hit | int]:
            for step in super().run(scan):
                self.order.append(str(scan.meanwhile.until < END))
                yield step

    alone, check = Asking(), Asking()
    together(Examiner([alone], budget_s=5), subjects("x"))
    assert {"x0", "x1", "x2", "False"} == set(alone.order)
    together(Examiner([check], budget_s=5), subjects("x", "y"))
    # The last one is alone when the other has come to its end.
    told = [word for word in check.order if word in ("True", "False")]
    assert ["True", "False"] == [told[0], told[-1]]


def test_rules_are_cut_into_steps_only_for_others(tmp_path: Path) -> None:
    (tmp_path / "a.cf").write_text("body A /foo/\nheader B Subject =~ /x/\n")
    ruleset = load([tmp_path / "a.cf"], shipped=False, cache_dir=None)
    message = mime.parse(b"Subject: x\r\n\r\nfoo\r\n")
    numbers = list(ruleset.steps(message, 1e9, meanwhile=Meanwhile(until=-1)))
    assert numbers
    assert numbers == sorted(numbers)
    assert numbers[2:] == list(ruleset.steps(message, 1e9, meanwhile=Meanwhile(until=numbers[1])))
    assert [] == list(ruleset.steps(message, 1e9, meanwhile=Meanwhile()))


def test_a_failure_stays_with_its_message() -> None:
    good, bad, other = together(Examiner([Stepping()], budget_s=5), subjects("x", "bad", "y"))
    assert (["x"], [], ["y"]) == tuple([hit.detail for hit in r.hits] for r in (good, bad, other))
    assert (0, 1, 0) == tuple(len(r.unavailable) for r in (good, bad, other))


def test_a_slow_message_uses_up_its_own_time_and_no_other() -> None:
    reports = together(Examiner([Stepping(), Stepping()], budget_s=0.1), subjects("x", "slow", "y"))
    assert [False, True, False] == [report.over_budget for report in reports]
    assert reports[0].took_ms < 50 < reports[1].took_ms


def test_others_are_answered_while_a_slow_message_is_still_examined() -> None:
    check, answered = Stepping(), []

    async def examine(examiner: Examiner, raw: bytes) -> None:
        report = await examiner.examine(scan(raw))
        answered.append(report.hits[0].detail)

    async def examine_all() -> None:
        examiner = Examiner([check], budget_s=5)
        await asyncio.gather(*(examine(examiner, raw) for raw in subjects("slow", "x", "y")))

    asyncio.run(examine_all())
    assert ("slow", {"x", "y"}) == (answered.pop(), set(answered))


def test_rules_count_their_own_time_alone(tmp_path: Path) -> None:
    (tmp_path / "a.cf").write_text("body A /foo/\nheader B Subject =~ /x/\n")
    check = RulesCheck(load([tmp_path / "a.cf"], shipped=False, cache_dir=None), seconds=0.05)

    class Working(Stepping):
        def run(self, scan: Scan, /) -> Iterator[Hit | int]:
            if scan.message.decoded("Subject") != "hostile":
                yield from check.run(scan)
                return
            for step in range(8_000_000):
                if step % 1_000_000 == 0:
                    yield step
                    end = time.thread_time() + 0.03
                    while time.thread_time() < end:
                        pass

    class Both(Working):
        symbols = check.symbols  # type: ignore[assignment]

    raws = [b"Subject: hostile\r\n\r\n", *[b"Subject: x\r\n\r\nfoo\r\n"] * 3]
    _, *others = together(Examiner([Both()], budget_s=5), raws)
    assert [(["A", "B"], False)] * 3 == [(sorted(h.symbol for h in r.hits), r.over_budget) for r in others]


def batches(sizes: Sequence[int]) -> list[list[int]]:
    """Which of the works, of so many octets, were under way together."""
    found: list[list[int]] = []

    def steps(number: int) -> Iterator[int]:
        if not found or found[-1] == [-1]:
            found.append([])
        found[-1].append(number)
        yield 0
        if found[-1] != [-1]:
            found.append([-1])

    async def finish() -> None:
        lockstep = Lockstep()
        await asyncio.gather(
            *(lockstep.finish(steps(n), octets, Meanwhile()) for n, octets in enumerate(sizes))
        )

    asyncio.run(finish())
    return [numbers for numbers in found if numbers != [-1]]


def test_batches_are_bounded_and_a_large_message_goes_alone() -> None:
    assert [[*range(MOST)], [MOST, MOST + 1]] == batches([10] * (MOST + 2))
    assert [[0, 1], [2], [3, 4]] == batches([10, 10, OCTETS + 1, 10, 10])
    assert [[0, 1], [2]] == batches([OCTETS // 2] * 3)


def test_a_message_that_nobody_waits_for_any_more_is_dropped() -> None:
    check: Check = Stepping()

    async def examine() -> list[str]:
        examiner = Examiner([check], budget_s=5)
        gone = asyncio.create_task(examiner.examine(scan(subjects("gone")[0])))
        await asyncio.sleep(0)
        gone.cancel()
        return [hit.detail for hit in (await examiner.examine(scan(subjects("x")[0]))).hits]

    assert ["x"] == asyncio.run(examine())
    assert ["x0", "x1", "x2"] == check.order  # type: ignore[attr-defined]
