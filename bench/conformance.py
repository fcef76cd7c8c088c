"""Does a message come out here as it comes out of SpamAssassin, with the same rules?

    .venv/bin/python bench/conformance.py CONFORMANCE [--corpus CORPUS] [--cache DIR] [--names N]

CONFORMANCE is a folder recorded from the real SpamAssassin: config/, hits-*.jsonl, layers/, cases/. CORPUS
holds the public corpora; without it they are unpacked from corpora/dev.tar.xz, two folders above CONFORMANCE.
Printed are: how far the texts agree that rules look at; for each set of messages how many have the same hits
and score, and how many the same sub-rules with their counts; how many cases agree; and all that differs. Exit
status 1 when something differs that is not explained in EXPLAINED.
"""

import argparse
import json
import re
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cases
import layers

from lazaret.mime import message
from lazaret.rules import RuleSet, load

SETS = {
    "sa-repo": ("hits-sa-repo.jsonl", "layers-sa-repo.jsonl.gz"),
    "corpus": ("hits-corpus-sample650.jsonl", "layers-corpus-sample650.jsonl.gz"),
}
FREEZE = "SpamAssassin keeps the %{TAG} of the first message of a process; here each message has its own"
STRIPPED = "SpamAssassin's FreeMail takes addresses out of the text that rules after it look at"
EXPLAINED = {
    "GB_CUSTOM_HTM_URI": FREEZE,
    "__GB_CUSTOM_HTM_URI2": FREEZE,
    **dict.fromkeys(("MIXED_ES", "__LOWER_E", "__E_LIKE_LETTER", "__HAS_ANY_EMAIL"), STRIPPED),
    **dict.fromkeys(("__UPPERCASE_25_50", "__FILL_THIS_FORM_FRAUD_PHISH1"), STRIPPED),
}
"""Rules that may differ, and why."""
EXPLAINED_CASES = {
    **{f"phishing-{number:02}": "the lists of addresses are not among the material" for number in (1, 2)},
}
ABOUT_BOUNCES = re.compile("BOUNCE|MY_SERVERS_FOUND|CHALLENGE")
ROUNDING = 0.0015


@dataclass(slots=True)
class Agreement:
    """How a set of messages came out."""

    messages: int = 0
    hits: int = 0
    """Messages with the same hits and the same score."""
    whole: int = 0
    """Those with the same sub-rules and counts too."""
    seconds: float = 0.0
    rules: Counter[str] = field(default_factory=Counter)
    """`+NAME`: hit only here; `-NAME`: only there; `~NAME`: another count."""
    differing: dict[str, list[str]] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("conformance", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--names", type=int, default=20, help="so many differing rules are listed")
    parser.add_argument("--cache", type=Path, default=None, help="where compiled rules are kept")
    given = parser.parse_args()
    folder: Path = given.conformance
    rules = load(
        [folder / "config" / "rules", folder / "config" / "site"],
        shipped=False,
        cache_dir=given.cache,
        keep_subrules=True,
    )
    with corpora(folder, given.corpus) as corpus:
        roots = {"sa-repo": layers.index(folder / "messages-sa-repo")}
        if corpus:
            roots["corpus"] = layers.index(corpus)
        fine = True
        for name, paths in roots.items():
            hits, layer = SETS[name]
            layers.report(folder / "layers" / layer, paths)
            fine &= show(name, compare(rules, folder / hits, paths), given.names)
        fine &= show_cases(folder, rules)
    sys.exit(0 if fine else 1)


@contextmanager
def corpora(folder: Path, given: Path | None) -> Iterator[Path | None]:
    """The folder of the public corpora; None when there is none."""
    archive = folder.parents[1] / "corpora" / "dev.tar.xz"
    if given is not None or not archive.is_file():
        yield given
        return
    with tempfile.TemporaryDirectory() as unpacked:
        with tarfile.open(archive) as tar:
            # Python has the filter since 3.11.4.
            tar.extractall(unpacked, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        yield Path(unpacked)


def compare(rules: RuleSet, recorded: Path, paths: Mapping[str, Path]) -> Agreement:
    result = Agreement()
    for line in recorded.read_text().splitlines():
        record = json.loads(line)
        raw = layers.find(record, paths).read_bytes()
        started = time.process_time()
        mail = message.parse(raw, networks=rules.networks, sites=rules.sites)
        found = rules.evaluate(mail, cases.RECORDED_AT, seconds=cases.PATIENCE_S).values
        result.seconds += time.process_time() - started
        note(result, rules, record, found)
    return result


def note(result: Agreement, rules: RuleSet, record: dict[str, Any], found: Mapping[str, float]) -> None:
    expected = dict(record["subtests"]) | dict.fromkeys(record["hits"], 1)
    different = list(differences(rules, found, expected))
    score = sum(round(rules.symbols[name].score, 3) for name in found if name in rules.symbols)
    same_score = abs(score - record["score"]) < ROUNDING
    result.messages += 1
    result.whole += not different and same_score
    result.hits += same_score and not any(not name.startswith("__", 1) for name in different)
    result.rules.update(different)
    if different or not same_score:
        result.differing[record["message"]] = different or [f"score {score:g}, not {record['score']:g}"]


def differences(rules: RuleSet, found: Mapping[str, float], expected: Mapping[str, float]) -> Iterator[str]:
    for name in sorted(found.keys() | expected.keys()):
        here, there = found.get(name, 0), expected.get(name, 0)
        counted = name.startswith("__") and rules.book.max_hits(name) != 1
        if bool(here) != bool(there):
            yield f"{'+' if here else '-'}{name}"
        elif counted and here != there:
            yield f"~{name}"


def show(name: str, result: Agreement, names: int) -> bool:
    """Prints it; False when something differs that is not explained."""
    total = result.messages
    print(f"{name}: hits and score agree in {result.hits} of {total}; with all sub-rules in {result.whole}")
    print(f"  {result.seconds / total * 1000:.2f} ms a message")
    for rule, count in result.rules.most_common(names):
        print(f"  {rule} {count}: {EXPLAINED.get(rule[1:], 'NOT EXPLAINED')}")
    unexplained = {m: d for m, d in result.differing.items() if any(r[1:] not in EXPLAINED for r in d)}
    for different, what in result.differing.items():
        if different in unexplained or any(not r.startswith("__", 1) for r in what):
            print(f"  {different}: {', '.join(what)}")
    return not unexplained


def records(path: Path) -> dict[str, set[str]]:
    """SHA-256 of a message -> the rules that hit."""
    lines = map(json.loads, path.read_text().splitlines())
    return {record["sha256"]: set(record["hits"]) | set(record["subtests"]) for record in lines}


def disagreements(case: cases.Case, recorded: Mapping[str, set[str]]) -> set[str]:
    """Stock rules on which the two recordings of the same message differ: neither can be a measure.

    Rules about bounces do not count among them: only the cases say over which hosts our mail goes out.
    """
    if not cases.is_stock(case):
        return set()
    actual = set(case["actual"]["hits"]) | set(case["actual"]["subtests"])
    differing = actual ^ recorded.get(case["message_sha256"], actual)
    return {name for name in differing if not ABOUT_BOUNCES.search(name)}


def show_cases(folder: Path, stock: RuleSet) -> bool:
    total = agreeing = 0
    fine = True
    recorded = records(folder / SETS["sa-repo"][0])
    for case in cases.read(folder / "cases"):
        is_stock = cases.is_stock(case)
        rules = cases.with_settings(stock, case) if is_stock else cases.ruleset(case, folder / "config")
        doubtful = EXPLAINED.keys() | disagreements(case, recorded)
        left = [name for name in cases.differences(case, rules) if name not in doubtful]
        total += 1
        agreeing += not left
        if left:
            why = EXPLAINED_CASES.get(case["id"], "")
            fine = fine and bool(why)
            print(f"  {case['id']}: {', '.join(left)}: {why or 'NOT EXPLAINED'}")
    print(f"cases: {agreeing} of {total} agree")
    return fine


if __name__ == "__main__":
    main()
