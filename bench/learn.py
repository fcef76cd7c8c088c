"""How good is the learner under attack, beside bogofilter and SpamAssassin's Bayes, and what does it cost?

Usage: learn.py INDEX.tsv [--seed N …]: the first half of the shuffled index is learned, the rest is judged.
Of one order, two or three ham set the threshold: with several seeds all are compared, and the first attacked.
"""

import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lazaret.learn import form, trial, zones
from lazaret.learn.features import Features, Hasher
from lazaret.learn.model import Model, Private
from lazaret.learn.roc import missed_pct, roca_pct
from lazaret.mime import message

HASHER = Hasher(b"bench")
LOST = 0.005
"""Share of ham that may be lost at the threshold of the attacks."""
PADDING_WORDS = 300
PADDING_TEXT = 2000
ATTACKED = 500
POISON = 100
SIZE = (8_500, 11_500)


class Mail(NamedTuple):
    spam: bool
    path: Path
    message: message.Message
    view: zones.View
    features: Features


def read(index: Path) -> list[Mail]:
    found = []
    for line in index.read_text().splitlines():
        label, _, path = line.partition("\t")
        if label in ("spam", "ham"):
            mail = message.parse((index.parent / path).read_bytes())
            trial.touch(mail)
            view = zones.view(mail)
            found.append(Mail(label == "spam", index.parent / path, mail, view, HASHER.features(view)))
    return found


def shuffled(mails: list[Mail], seed: int) -> tuple[list[Mail], list[Mail]]:
    """What is learned, and what is judged."""
    mails = list(mails)
    random.Random(seed).shuffle(mails)
    half = len(mails) // 2
    return mails[:half], mails[half:]


def teach(mails: list[Mail]) -> Model:
    model = Model(Private())
    for mail in mails:
        model.learn(mail.features, spam=mail.spam)
    return model


def text_of(mail: Mail) -> bytes:
    return b"\n".join(p.octets for p in mail.view.pieces if p.zone == zones.Zone.TEXT and p.name == "text")


def padded(mail: Mail, padding: bytes, *, before: bool) -> Features:
    """The features of the message with the padding below or above what its reader sees."""
    pieces = list(mail.view.pieces)
    at = [n for n, p in enumerate(pieces) if p.zone == zones.Zone.TEXT and p.name == "text"]
    if not at:
        pieces.append(zones.Piece(int(zones.Zone.TEXT), "text", b""))
        at = [len(pieces) - 1]
    place = at[0] if before else at[-1]
    old = pieces[place].octets
    new = padding + b"\n" + old if before else old + b"\n" + padding
    pieces[place] = pieces[place]._replace(octets=new[: zones.TEXT_OCTETS])
    grams = b"\n".join(p.octets for n, p in enumerate(pieces) if n in at)[: zones.TEXT_GRAM_OCTETS]
    runs = [r._replace(octets=grams) if r.zone == zones.Zone.TEXT_GRAMS else r for r in mail.view.runs]
    text = b"\n".join(p.octets for n, p in enumerate(pieces) if n in at)
    facts = tuple(
        f._replace(told=form.of_body(mail.message, form.written(mail.message), text))
        if f.zone == zones.Zone.BODY_FORM
        else f
        for f in mail.view.facts
    )
    return HASHER.features(zones.View(zones.Pieces.of(pieces), zones.Pieces.of(runs), facts))


def attack(learned: list[Mail], rest: list[Mail], seed: int) -> None:
    model = teach(learned)
    draw = random.Random(seed)
    texts = [text_of(mail) for mail in learned if not mail.spam]
    words = sorted({word for text in texts for word in re.findall(rb"[A-Za-z]{3,14}", text)})
    long_texts = [text for text in texts if len(text) >= PADDING_TEXT]
    ham = sorted((model.judge(m.features).score for m in rest if not m.spam), reverse=True)
    threshold = ham[int(LOST * len(ham))]
    spam = [mail for mail in rest if mail.spam][:ATTACKED]

    def some_words() -> bytes:
        return b" ".join(draw.choice(words) for _ in range(PADDING_WORDS))

    def some_text() -> bytes:
        return draw.choice(long_texts)[:PADDING_TEXT]

    def missed(change: Callable[[Mail], Features]) -> float:
        return 100 * sum(model.judge(change(m)).score <= threshold for m in spam) / len(spam)

    plain = missed(lambda m: m.features)
    print(f"attacks on {len(spam)} spams at {100 * LOST:g} % of ham lost; missed without: {plain:.1f} %")
    for name, make in (("300 ham words", some_words), ("2 KB of ham text", some_text)):
        for before in (False, True):
            extra = missed(lambda m, make=make, before=before: padded(m, make(), before=before)) - plain
            print(f"  {name} {'before' if before else 'after'} the text: {extra:+.1f} points missed")
    poisoned = teach(learned)
    teachers = [mail for mail in learned if mail.spam]
    for _ in range(POISON):
        poison = padded(draw.choice(teachers), some_words() + b" " + some_words(), before=True)
        poisoned.learn(poison, spam=True)
    honest = [mail for mail in rest if not mail.spam]
    for name, at in (("log-odds 0", 0.0), ("that threshold", threshold)):
        lost = [sum(m.judge(h.features).score > at for h in honest) for m in (model, poisoned)]
        print(
            f"  {POISON} poisoned lessons, ham lost at {name}: "
            f"{100 * lost[0] / len(honest):.2f} -> {100 * lost[1] / len(honest):.2f} %"
        )


def cost(mails: list[Mail], model: Model) -> None:
    some = [m for m in mails if SIZE[0] <= len(m.message.raw) <= SIZE[1]][:200]
    if not some:
        return

    def each(work: Callable[[Mail, bool], object]) -> float:
        """CPU milliseconds, for each message the best of five; it is taught as spam and as ham by turns.

        What is known already is not learned again, and would cost less.
        """
        total = 0.0
        for mail in some:
            best = float("inf")
            for turn in range(5):
                began = time.process_time()
                work(mail, turn % 2 == 0)
                best = min(best, time.process_time() - began)
            total += best
        return 1000 * total / len(some)

    print(f"CPU of {len(some)} messages of {SIZE[0]} to {SIZE[1]} octets, parsed; best of five, mean:")
    print(f"  pieces {each(lambda m, _: zones.view(m.message)):.3f} ms")
    print(f"  pieces and features {each(lambda m, _: HASHER.features(zones.view(m.message))):.3f} ms")
    print(f"  classify {each(lambda m, _: model.judge(HASHER.features(zones.view(m.message)))):.3f} ms")
    print(
        "  learn "
        f"{each(lambda m, spam: model.learn(HASHER.features(zones.view(m.message)), spam=spam)):.3f} ms"
    )


class Figures(NamedTuple):
    """Of one filter on the judged half."""

    roca: float
    ms: float
    missed: float
    missed_more: float

    def __str__(self) -> str:
        return (
            f"1-ROCA {self.roca:.4f} %, {self.ms:.2f} ms CPU a message, "
            f"missed {self.missed:.2f} % at 0.1 % and {self.missed_more:.2f} % at 0.5 % of ham lost"
        )


def figures(rest: list[Mail], scores: list[float], ms: float) -> Figures:
    ham = [s for s, m in zip(scores, rest, strict=True) if not m.spam]
    spam = [s for s, m in zip(scores, rest, strict=True) if m.spam]
    return Figures(roca_pct(ham, spam), ms, missed_pct(ham, spam, 0.001), missed_pct(ham, spam, 0.005))


def lazaret(learned: list[Mail], rest: list[Mail]) -> Figures:
    model = teach(learned)
    began = time.process_time()
    scores = [model.judge(HASHER.features(zones.view(m.message))).score for m in rest]
    return figures(rest, scores, 1000 * (time.process_time() - began) / len(rest))


def bogofilter(learned: list[Mail], rest: list[Mail]) -> Figures | None:
    """The same halves; bogofilter reads its messages in bulk, which is its quickest way."""
    program = shutil.which("bogofilter")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "-C", "-d", folder]
        for flag, kind in (("-sb", True), ("-nb", False)):
            names = "\n".join(str(m.path) for m in learned if m.spam == kind)
            subprocess.run([*command, flag], input=names.encode(), check=True)
        before = os.times()
        told = subprocess.run(
            [*command, "-TT", "-b"],
            input="\n".join(str(m.path) for m in rest).encode(),
            stdout=subprocess.PIPE,
            check=False,
        ).stdout.decode()
        after = os.times()
    ms = 1000 * (after[2] + after[3] - before[2] - before[3]) / len(rest)
    return figures(rest, [float(line.split()[-1]) for line in told.splitlines()], ms)


def spamassassin(learned: list[Mail], rest: list[Mail]) -> Figures | None:
    """The same halves; SpamAssassin's Bayes alone, without any rule. Debian has it in `spamassassin`."""
    perl = shutil.which("perl")
    there = (
        perl and subprocess.run([perl, "-MMail::SpamAssassin", "-e1"], capture_output=True).returncode == 0
    )
    if not perl or not there:
        return None
    lines = [f"{'spam' if m.spam else 'ham'}\t{m.path}" for m in learned]
    lines += [f"test\t{m.path}" for m in rest]
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            [perl, Path(__file__).with_name("bayes.pl"), folder],
            input="\n".join(lines).encode(),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout.decode()
    *scored, cpu = told.splitlines()
    return figures(rest, [float(line) for line in scored], 1000 * float(cpu.split()[1]) / len(rest))


FILTERS = {"lazaret": lazaret, "bogofilter": bogofilter, "SpamAssassin's Bayes": spamassassin}


def compare(mails: list[Mail], seeds: list[int]) -> None:
    """All filters on the same halves, and the means of several halves."""
    found: dict[str, list[Figures]] = {name: [] for name in FILTERS}
    for seed in seeds:
        learned, rest = shuffled(mails, seed)
        print(f"seed {seed}, {len(learned)} messages learned, {len(rest)} judged and not learned:")
        for name, judged in FILTERS.items():
            one = judged(learned, rest)
            print(f"  {name}: {one or 'is not installed'}", flush=True)
            found[name] += [one] if one else []
    if len(seeds) > 1:
        print("mean:")
        for name, all_of_it in found.items():
            if all_of_it:
                print(f"  {name}: {Figures(*map(statistics.fmean, zip(*all_of_it, strict=True)))}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("index", type=Path)
    arguments.add_argument("--seed", type=int, nargs="+", default=[7])
    options = arguments.parse_args()
    mails = read(options.index)
    compare(mails, options.seed)
    learned, rest = shuffled(mails, options.seed[0])
    attack(learned, rest, options.seed[0])
    cost(mails, teach(learned))


if __name__ == "__main__":
    main()
