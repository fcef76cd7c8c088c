"""What is the dearest message? CPU and memory of a whole scan, of bombs made here or of files.

    .venv/bin/python bench/torture.py [FOLDER] [--data-dir DIR] [--json]

FOLDER is searched for files, one message each; without it the bombs of the tests are scanned. The rules
are the shipped ones. Memory is the most that a process held that scanned this message alone, Python and
rules (about 70 MB) included. CPU grows by half and more while others use the machine.
"""

import argparse
import asyncio
import json
import logging
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.bombs import BOMBS

from lazaret import app
from lazaret.cli.scanner import Scanner
from lazaret.config.load import load

SHOWN = 10


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--data-dir", type=Path, help="where the compiled rules are kept")
    parser.add_argument("--json", action="store_true", help="a line for each message")
    given = parser.parse_args()
    logging.disable()  # what a bomb costs too much of is told by the row
    with tempfile.TemporaryDirectory() as folder:
        rows = scan_all(given.data_dir or Path(folder), messages(given.folder))
    if given.json:
        print("\n".join(map(json.dumps, rows)))
        return
    print(f"{len(rows)} messages, at most {max(r['memory_mb'] for r in rows)} MB")
    for row in sorted(rows, key=lambda r: -r["cpu_s"])[:SHOWN]:
        print(f"{row['cpu_s']:6.3f} s  {row['octets']:10,} octets  {row['name']}")


def messages(folder: Path | None) -> Iterator[tuple[str, bytes]]:
    """(name, octets) of each, made when it is its turn."""
    if folder is None:
        yield from ((name, make()) for name, make in BOMBS.items())
        return
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        yield str(file.relative_to(folder)), file.read_bytes()


def scan_all(data_dir: Path, mails: Iterator[tuple[str, bytes]]) -> list[dict[str, object]]:
    config = load(None, [f"store.data_dir={data_dir}", "learn.enabled=false"])
    rules = app.load_rules(config)
    networks = app.trusted_networks(config, rules)
    scanner = Scanner(config, app.checks(config, rules), None, "", "", None, networks, rules.sites)
    asyncio.run(scanner.scan(b"From: a@b.example\r\nSubject: warm\r\n\r\nhello http://x.example/\r\n"))
    return list(each_alone(scanner, mails))


def each_alone(scanner: Scanner, mails: Iterator[tuple[str, bytes]]) -> Iterator[dict[str, object]]:
    """Each in a process of its own, so that no message pays for what the one before it has left behind."""
    for name, octets in mails:
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            before = time.process_time()
            found = asyncio.run(scanner.scan(octets))
            row = {
                "name": name,
                "octets": len(octets),
                "cpu_s": round(time.process_time() - before, 3),
                "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "unavailable": found["unavailable"],
                "score": found["score"],
            }
            os.write(writing, json.dumps(row).encode())
            os._exit(0)
        os.close(writing)
        with open(reading, "rb") as answer:
            yield json.loads(answer.read())
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
