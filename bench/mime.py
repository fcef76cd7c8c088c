"""What does reading a message cost? CPU microseconds per message by view, over a directory of messages.

Usage: mime.py DIRECTORY [--profile] [--slow MS]: the views are made one after the other, as the filter does.
"""

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable
from pathlib import Path

from lazaret.mime import message, selectors

VIEWS: dict[str, Callable[[message.Message], object]] = {
    "header": lambda mail: mail.header,
    "parts": lambda mail: mail.parts,
    "rendered": lambda mail: mail.rendered,
    "body": lambda mail: mail.body,
    "rawbody": lambda mail: mail.rawbody,
    "html": lambda mail: mail.html,
    "visible_text": lambda mail: mail.visible_text,
    "links": lambda mail: mail.links,
    "attachments": lambda mail: mail.attachments,
    "subject": lambda mail: mail.decoded("Subject"),
    "relays": lambda mail: mail.relays,
    "uris": lambda mail: mail.uris,
    "From:addr": lambda mail: selectors.get(mail, "From:addr"),
    "ALL": lambda mail: selectors.get(mail, "ALL"),
}


def measure(paths: list[Path], slow_ms: float) -> dict[str, float]:
    spent = dict.fromkeys(VIEWS, 0.0)
    for path in paths:
        raw = path.read_bytes()
        mail = message.parse(raw)
        whole = 0.0
        for name, view in VIEWS.items():
            before = time.process_time_ns()
            view(mail)
            took = (time.process_time_ns() - before) / 1000
            spent[name] += took
            whole += took
        if whole > slow_ms * 1000 * max(1.0, len(raw) / 100_000):
            print(f"slow: {whole / 1000:.1f} ms for {len(raw)} octets: {path}")
    return spent


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--profile", action="store_true")
    arguments.add_argument(
        "--slow", type=float, default=50.0, help="milliseconds for each 100 KB that are too many"
    )
    options = arguments.parse_args()
    paths = [path for path in options.directory.rglob("*") if path.is_file() and path.name != "INDEX.tsv"]
    measure(paths[:200], 1e9)
    with cProfile.Profile() as profile:
        if not options.profile:
            profile.disable()
        spent = measure(paths, options.slow)
    for name, micros in spent.items():
        print(f"{name:14} {micros / len(paths):8.1f} us")
    print(f"{'all':14} {sum(spent.values()) / len(paths):8.1f} us a message, {len(paths)} messages")
    if options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
