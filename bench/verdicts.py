"""How good are rules and learner together? What a site would quarantine wrongly, and what it would miss.

Usage: verdicts.py INDEX.tsv [--rules DIR]… [--seed N] [--level 5.0]: the first half of the shuffled index
is learned, each message judged before it; the second half is judged by the checks of the service, and not
learned. Without --rules: the rules that Lazaret ships.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lazaret.checks import Check, Scan
from lazaret.checks.learn import LearnCheck
from lazaret.checks.rules import RulesCheck
from lazaret.learn import trial, zones
from lazaret.learn.features import Hasher
from lazaret.learn.known import Fixed
from lazaret.learn.model import Model, Private
from lazaret.learn.points import Feedback, Scale
from lazaret.mime import message
from lazaret.mime.message import Message
from lazaret.model.envelope import Envelope, Session
from lazaret.rules import RuleSet, load
from lazaret.rules.evaluate import Findings

HASHER = Hasher(b"bench")
PATIENCE_S = 30.0
"""For the rules of a message: a busy machine must not change what is found."""


class Mail(NamedTuple):
    spam: bool
    octets: bytes


def read(index: Path, seed: int) -> list[Mail]:
    lines = [line.partition("\t") for line in index.read_text().splitlines()]
    found = [
        Mail(label == "spam", (index.parent / path).read_bytes())
        for label, _, path in lines
        if label in ("spam", "ham")
    ]
    random.Random(seed).shuffle(found)
    return found


def teach(mails: Iterable[Mail], memory: Private) -> None:
    """As the learner of the service does: what it thought of each message first, then the lesson."""
    model, feedback = Model(memory), Feedback()
    for mail in mails:
        parsed = message.parse(mail.octets)
        trial.touch(parsed)
        features = HASHER.features(zones.view(parsed))
        feedback.note(model.judge(features).score, spam=mail.spam)
        model.learn(features, spam=mail.spam)
    feedback.fit(memory.counters)


class Once(RuleSet):
    """Rules that are run once over a message, however many checks price what they find."""

    _last: tuple[Message, Findings] | None = None

    def evaluate(self, message: Message, now: float, **_: object) -> Findings:
        if self._last is None or self._last[0] is not message:
            self._last = message, super().evaluate(message, now, seconds=PATIENCE_S)
        return self._last[1]


def judged(ways: Mapping[str, Sequence[Check]], mails: Iterable[Mail]) -> dict[str, list[tuple[bool, float]]]:
    """For each way to put checks together: whether a message is spam, and its points."""
    now, envelope = time.time(), Envelope(sender="", recipients=())
    found: dict[str, list[tuple[bool, float]]] = {way: [] for way in ways}
    for mail in mails:
        scan = Scan(message.parse(mail.octets), Session(), envelope, now=now)
        for way, checks in ways.items():
            points = [c.symbols[hit.symbol].score * hit.weight for c in checks for hit in c.run(scan)]
            found[way].append((mail.spam, sum(points)))
    return found


def row(name: str, found: list[tuple[bool, float]], level: float) -> None:
    ham = [score for spam, score in found if not spam]
    spam = [score for spam, score in found if spam]
    wrong, missed = sum(s >= level for s in ham), sum(s < level for s in spam)
    print(
        f"{name}: wrongly quarantined {wrong} of {len(ham)} ham ({100 * wrong / len(ham):.2f} %), "
        f"missed {missed} of {len(spam)} spam ({100 * missed / len(spam):.2f} %)",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("--rules", type=Path, action="append", default=[])
    parser.add_argument("--cache", type=Path, help="where compiled rules are kept")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--level", type=float, default=5.0)
    options = parser.parse_args()
    mails = read(options.index, options.seed)
    half = len(mails) // 2
    memory = Private()
    teach(mails[:half], memory)
    print(f"{half} messages learned, {len(mails) - half} judged; {Scale.of(memory)}")
    with tempfile.TemporaryDirectory() as folder:
        cache = options.cache or Path(folder)
        ruleset = Once(load(options.rules, shipped=not options.rules, cache_dir=cache).program)
        learner = LearnCheck(Fixed(memory, HASHER))
        alone, beside = RulesCheck(ruleset), RulesCheck(ruleset, beside_learner=lambda: learner.is_ready)
        ways = {
            "rules alone": [alone],
            "learner alone": [learner],
            "scores for no learner, and learner": [alone, learner],
            "scores for beside a learner, and learner": [beside, learner],
        }
        for way, found in judged(ways, mails[half:]).items():
            row(way, found, options.level)


if __name__ == "__main__":
    main()
