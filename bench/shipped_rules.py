"""What do the shipped rules catch and lose, untrained and offline? The curve per corpus, each share.

Usage: shipped_rules.py INDEX.tsv [--every N] [--rules N] [--show ham|spam --from SCORE --to SCORE]
INDEX.tsv: a line per message, label (ham or spam) <TAB> path below the folder of the index; the first part of
the path names the corpus. Other labels are passed over.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lazaret.mime import message
from lazaret.rules import RuleSet, load

LEVELS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0)


@dataclass(frozen=True, slots=True)
class Scored:
    label: str
    corpus: str
    path: str
    score: float
    symbols: tuple[str, ...]


def read_index(index: Path, every: int) -> Iterator[tuple[str, str]]:
    """Label and path of each message that counts; `every` = 10: each tenth."""
    lines = (line.split("\t", 1) for line in index.read_text(encoding="utf-8").splitlines() if "\t" in line)
    wanted = [(label, path) for label, path in lines if label in ("ham", "spam")]
    yield from wanted[::every]


def score_all(rules: RuleSet, index: Path, every: int) -> list[Scored]:
    now = time.time()
    scored = []
    for label, path in read_index(index, every):
        found = rules.evaluate(message.parse((index.parent / path).read_bytes()), now)
        names = tuple(name for name, _ in found.hits)
        total = round(sum(rules.symbols[name].score for name in names), 3)
        scored.append(Scored(label, path.partition("/")[0], path, total, names))
    return scored


def print_curve(scored: Sequence[Scored]) -> None:
    print(f"{'corpus':20} {'label':5} {'n':>6} " + " ".join(f"{f'>={level:g}':>8}" for level in LEVELS))
    for corpus in sorted({item.corpus for item in scored}):
        for label in ("spam", "ham"):
            scores = [item.score for item in scored if (item.corpus, item.label) == (corpus, label)]
            if scores:
                shares = (100 * sum(score >= level for score in scores) / len(scores) for level in LEVELS)
                row = " ".join(f"{share:7.2f}%" for share in shares)
                print(f"{corpus:20} {label:5} {len(scores):6} {row}")


def print_rules(scored: Sequence[Scored], rules: RuleSet, limit: int) -> None:
    """The rules that hit most spam, with their share of each corpus's spam and ham."""
    totals = Counter((item.corpus, item.label) for item in scored)
    hits: Mapping[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for item in scored:
        for name in item.symbols:
            hits[name][item.corpus, item.label] += 1
    columns = sorted(totals, key=lambda column: (column[0], column[1] == "ham"))
    print("\nshare of messages in percent: " + ", ".join(f"{corpus} {label}" for corpus, label in columns))
    by_spam = sorted(
        hits, key=lambda name: -sum(n for (_, label), n in hits[name].items() if label == "spam")
    )
    for name in by_spam[:limit]:
        row = " ".join(f"{100 * hits[name][column] / totals[column]:7.2f}" for column in columns)
        print(f"{name:28} {rules.symbols[name].score:6.1f} {row}")


def print_messages(scored: Sequence[Scored], rules: RuleSet, label: str, low: float, high: float) -> None:
    chosen = [item for item in scored if item.label == label and low <= item.score < high]
    for item in sorted(chosen, key=lambda item: -item.score):
        points = sorted(((rules.symbols[name].score, name) for name in item.symbols), reverse=True)
        print(f"{item.score:6.1f} {item.path}  " + " ".join(f"{name}={score:g}" for score, name in points))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("index", type=Path)
    parser.add_argument("--every", type=int, default=1, help="score each Nth message only")
    parser.add_argument("--rules", type=int, default=40, help="how many rules to list")
    parser.add_argument("--show", choices=("ham", "spam"), help="only list the messages of this label")
    parser.add_argument("--from", dest="low", type=float, default=5.0)
    parser.add_argument("--to", dest="high", type=float, default=float("inf"))
    arguments = parser.parse_args()
    rules = load([], shipped=True, cache_dir=None)
    before = time.process_time()
    scored = score_all(rules, arguments.index, arguments.every)
    spent = time.process_time() - before
    if arguments.show:
        print_messages(scored, rules, arguments.show, arguments.low, arguments.high)
        return
    print_curve(scored)
    print_rules(scored, rules, arguments.rules)
    print(f"\n{len(scored)} messages, {1000 * spent / max(1, len(scored)):.2f} ms CPU each, reading included")


if __name__ == "__main__":
    main()
