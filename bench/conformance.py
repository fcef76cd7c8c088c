"""Do the stock rules of SpamAssassin hit here as they hit there?

    .venv/bin/python bench/conformance.py CONFORMANCE CORPUS [--names N]

CONFORMANCE is the folder with config/ and hits-*.jsonl, made with the real SpamAssassin; CORPUS the unpacked
corpora. Prints, for each set of messages, how many agree in every rule that can run here, sub-rules and their
counts included, and the rules that disagree most often.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lazaret.mime import message
from lazaret.rules import RuleSet, expression, load
from lazaret.rules.book import Kind
from lazaret.rules.evals import functions
from lazaret.rules.expression import ExpressionError

RECORDED_AT = 1_732_000_000
SETS = {
    "hits-sa-repo.jsonl": ("sa-repo/", "messages-sa-repo"),
    "hits-corpus-sample650.jsonl": ("", None),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("conformance", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--names", type=int, default=20, help="so many disagreeing rules are listed")
    parser.add_argument("--cache", type=Path, default=None, help="where compiled rules are kept")
    parser.add_argument(
        "--all", action="store_true", help="compare rules too whose eval functions are missing"
    )
    given = parser.parse_args()
    config = given.conformance / "config"
    ruleset = load(
        [config / "rules", config / "site"], shipped=False, cache_dir=given.cache, keep_subrules=True
    )
    for name, (prefix, folder) in SETS.items():
        root = given.conformance / folder if folder else given.corpus
        compare(ruleset, given.conformance / name, prefix, root, given.names, every=given.all)


def compare(ruleset: RuleSet, recorded: Path, prefix: str, root: Path, names: int, *, every: bool) -> None:
    can_run = runnable(ruleset)
    too_much, missing = Counter[str](), Counter[str]()
    messages = agreeing = 0
    spent = 0.0
    for raw, expected in _messages(recorded, prefix, root):
        started = time.process_time()
        found = ruleset.values(message.parse(raw), RECORDED_AT).values
        spent += time.process_time() - started
        different = 0
        for rule in found.keys() | expected.keys():
            if not every and not can_run(rule):
                continue
            here, there = found.get(rule, 0), expected.get(rule, 0)
            if not rule.startswith("__") or ruleset.book.max_hits(rule) == 1:
                here, there = bool(here), bool(there)
            if here != there:
                different += 1
                (too_much if here > there else missing)[rule] += 1
        messages += 1
        agreeing += not different
    print(f"{recorded.name}: {agreeing} of {messages} agree; {spent / messages * 1000:.2f} ms a message")
    for title, rules in (("only here", too_much), ("only there", missing)):
        print(
            f"  {title}:", ", ".join(f"{rule} {count}" for rule, count in rules.most_common(names)) or "none"
        )


def runnable(ruleset: RuleSet):  # type: ignore[no-untyped-def]
    """A test whether a rule, with all that it depends on, can run here."""
    rules = ruleset.book.rules

    @cache
    def can_run(name: str) -> bool:
        rule = rules.get(name)
        if rule is None:
            return True
        if rule.kind is Kind.EVAL:
            flags = ruleset.book.flags.get(name, ())
            return "net" in flags or "learn" in flags or rule.function in functions()
        if rule.kind is not Kind.META:
            return True
        try:
            return all(map(can_run, expression.names(expression.parse(rule.text))))
        except ExpressionError:
            return False

    return can_run


def _messages(recorded: Path, prefix: str, root: Path) -> Iterator[tuple[bytes, dict[str, float]]]:
    for line in recorded.read_text().splitlines():
        record = json.loads(line)
        expected = dict(record["subtests"]) | dict.fromkeys(record["hits"], 1)
        path = root / record["message"].removeprefix(prefix)
        if not path.is_file():
            path = next(root.rglob(Path(record["message"]).name), path)
        yield path.read_bytes(), expected


if __name__ == "__main__":
    main()
