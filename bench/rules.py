"""How long do rules take to compile, to load and to run?

    .venv/bin/python bench/rules.py CORPUS [--rules PATH]… [--every N]

CORPUS is a folder of messages. Without --rules the shipped rules are measured, with it those files alone. The
views of each message (text, links, header values) are made before the clock runs.
"""

import argparse
import tempfile
import time
from pathlib import Path

from lazaret.mime import message
from lazaret.mime.message import Message
from lazaret.rules import RuleSet, load


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--rules", type=Path, action="append", default=[])
    parser.add_argument("--every", type=int, default=10, help="take each Nth message")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ruleset = timed("compile", given.rules, Path(folder))
        ruleset = timed("load from the cache", given.rules, Path(folder))
    paths = sorted(p for p in given.corpus.rglob("*") if p.is_file())[:: given.every]
    messages = [prepared(path.read_bytes()) for path in paths]
    for label in ("first pass", "second pass"):
        wall, started = [], time.process_time()
        for parsed in messages:
            before = time.perf_counter()
            ruleset.evaluate(parsed, time.time())
            wall.append(time.perf_counter() - before)
        spent = (time.process_time() - started) / len(messages)
        wall.sort()
        print(
            f"{label}: {len(messages)} messages, {spent * 1e6:.0f} us CPU each;"
            f" wall p50 {wall[len(wall) // 2] * 1e6:.0f}, p99 {wall[int(len(wall) * 0.99)] * 1e6:.0f} us"
        )


def timed(title: str, rules: list[Path], cache: Path) -> RuleSet:
    wall, cpu = time.perf_counter(), time.process_time()
    ruleset = load(rules, shipped=not rules, cache_dir=cache)
    print(f"{title}: {time.perf_counter() - wall:.2f} s, {time.process_time() - cpu:.2f} s CPU")
    return ruleset


def prepared(raw: bytes) -> Message:
    parsed = message.parse(raw)
    for view in ("body", "rawbody", "uris", "links", "html", "relays", "parts"):
        getattr(parsed, view)
    return parsed


if __name__ == "__main__":
    main()
