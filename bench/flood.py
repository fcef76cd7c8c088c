"""Do hostile clients keep mail waiting? 500 connections, half of them slow, silent, endless or garbage.

    .venv/bin/python bench/flood.py [--connections N] [--seconds S] [--rate MESSAGES] [--workers N]

Runs twice, without the hostile half and with it, and prints what the good half waited for the reply to a
message, the memory of the largest worker, and how long the service was ready to run and had no processor:
that part of the waits is the machine's. The load comes from this machine and takes its share of it.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from processes import cpu_s, rss_mb, tree, waited_s
from road import running, serve
from tests.support.flood import good_mail, hostile_clients

from lazaret.cli.demo_sink import Sink

PORT, SINK_PORT = 12224, 12225
BODY = b"From: a@out.example\r\nSubject: news\r\n\r\n" + b"Nothing of interest happened today.\r\n" * 50


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=50.0, help="good messages a second, all together")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kind", action="append", help="of hostile clients; without it all at once")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Sink("127.0.0.1", SINK_PORT):
        command = serve(folder, PORT, SINK_PORT, given.workers, given.settings)
        with running(command) as pid:
            half = given.connections // 2
            measure(pid, given, "all good")
            for kind in given.kind or ["all"]:
                with hostile_clients(PORT, half, kind):
                    measure(pid, given, f"hostile: {kind}")


def measure(pid: int, given: argparse.Namespace, name: str) -> None:
    half = given.connections // 2
    spent, waited = cpu_s(pid), waited_s(pid)
    outcome = asyncio.run(
        good_mail(PORT, connections=half, seconds=given.seconds, pause_s=half / given.rate, body=BODY)
    )
    waits = [f"p{share * 100:g} {outcome.percentile(share) * 1000:.0f} ms" for share in (0.5, 0.99, 1)]
    print(
        f"{name:12}: {len(outcome.seconds)} messages, {', '.join(waits)};"
        f" not taken: {dict(outcome.refused) or 'none'}; CPU of the service {cpu_s(pid) - spent:.1f} s,"
        f" waited for a processor {waited_s(pid) - waited:.1f} s;"
        f" RSS {max(rss_mb(child) for child in tree(pid)):.0f} MB"
    )


if __name__ == "__main__":
    main()
