"""How good are rules and learner together? What a site would quarantine wrongly, and what it would miss.

Usage: verdicts.py INDEX.tsv [--rules DIR]… [--seed N] [--level 5.0]: the first half of the shuffled index
is learned, each message judged before it; the second half is judged by the checks of the service, and not
learned. Without --rules: the rules that Lazaret ships.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterable
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
from lazaret.model.envelope import Envelope, Session
from lazaret.rules import load

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


def points(checks: Iterable[Check], scan: Scan) -> float:
    total = 0.0
    for check in checks:
        total += sum(check.symbols[hit.symbol].score * hit.weight for hit in check.run(scan))
    return total


def judged(checks: list[Check], mails: Iterable[Mail]) -> list[tuple[bool, float]]:
    now, envelope = time.time(), Envelope(sender="", recipients=())
    scans = ((m.spam, Scan(message.parse(m.octets), Session(), envelope, now=now)) for m in mails)
    return [(spam, points(checks, scan)) for spam, scan in scans]


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
        ruleset = load(options.rules, shipped=not options.rules, cache_dir=cache)
        learner = LearnCheck(Fixed(memory, HASHER))
        for name, checks in (
            ("rules alone", [RulesCheck(ruleset, seconds=PATIENCE_S)]),
            ("learner alone", [learner]),
            ("scores for no learner, and learner", [RulesCheck(ruleset, seconds=PATIENCE_S), learner]),
            (
                "scores for beside a learner, and learner",
                [RulesCheck(ruleset, beside_learner=lambda: learner.is_ready, seconds=PATIENCE_S), learner],
            ),
        ):
            row(name, judged(list(checks), mails[half:]), options.level)


if __name__ == "__main__":
    main()
