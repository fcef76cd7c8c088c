"""Lazaret beside amavisd-new, Rspamd and SpamAssassin: the same messages, in turns, in one run.

    .venv/bin/python bench/peers.py INDEX.tsv [--messages N] [--rounds N] [--workers N[,N]] [--connections N]
        [--only NAME,…]

INDEX.tsv lists labelled messages (label, tab, path). Of the shuffled list one half is learned by every
learner, the other is measured. Lazaret goes the whole road, SMTP in to SMTP out, with the stock rules of
SpamAssassin and its own and a learner that has been taught; so does amavisd-new, without Bayes.
It installs nothing: a program that is not there is said and left out. It needs root, because the peers
change to users of their own. CPU is user and system time of the whole process tree, PostgreSQL or Redis
included.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import amavisd
import rspamd
from processes import cpu_s, pss_mb, serving
from road import as_on_the_wire, send_all
from tests.support import databases

from lazaret.cli.demo_sink import Sink
from rules import in_perl

PORT, SINK_PORT, DATABASE_PORT = 12124, 12125, 12126
KINDS = ("sqlite", "postgresql")
WARMING = 200
"""So many others come first: what a program makes ready at first use is not measured."""
STOCK_RULES = [Path("/usr/share/spamassassin"), Path("/etc/spamassassin")]

Send = Callable[[Sequence[bytes], int], list[float]]
Start = Callable[[Path], "contextmanager[Sequence[int]]"]  # type: ignore[type-arg]


class Peer(NamedTuple):
    name: str
    workers: int
    start: Start
    send: Send


class Figures(NamedTuple):
    """One round of one peer."""

    cpu_ms: float
    per_s: float
    p50_ms: float
    p99_ms: float
    memory_mb: float
    start_s: float


class Mail(NamedTuple):
    spam: bool
    path: Path
    octets: bytes


def main() -> None:
    given = arguments()
    mails = labelled(given.index)
    half = len(mails) // 2
    lessons, measured = mails[:half][: given.lessons], mails[half:][: given.messages]
    warming = mails[half:][given.messages :][:WARMING]
    with tempfile.TemporaryDirectory() as folder, Sink("127.0.0.1", SINK_PORT):
        os.chmod(folder, 0o755)
        peers = [p for p in all_peers(Path(folder), lessons, given.workers) if wanted(p.name, given.only)]
        for kind in KINDS:
            if any(peer.name == on_kind(kind) for peer in peers):
                prepare(Path(folder), kind, lessons)
        found: dict[str, list[Figures]] = {}
        for round_ in range(given.rounds):
            for number, peer in enumerate(peers):
                own = Path(folder, f"{round_}-{number}")
                own.mkdir()
                title = f"{peer.name}, {peer.workers} worker{'s' if peer.workers > 1 else ''}"
                figures = one_round(
                    peer,
                    own,
                    [mail.octets for mail in warming],
                    [mail.octets for mail in measured],
                    given.connections,
                )
                found.setdefault(title, []).append(figures)
                print(f"round {round_ + 1}: {title}: {figures.cpu_ms:.2f} ms CPU a message", file=sys.stderr)
            if wanted("SpamAssassin", given.only):
                found.setdefault("SpamAssassin alone (a loop in Perl)", []).append(perl(measured))
        show(found)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("index", type=Path)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--lessons", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2])
    parser.add_argument("--connections", type=int, default=2, help="for each worker")
    parser.add_argument("--only", default="", help="names of peers, by their beginnings")
    return parser.parse_args()


def labelled(index: Path) -> list[Mail]:
    lines = [line.split("\t")[:2] for line in index.read_text().splitlines()]
    random.Random(1).shuffle(lines)
    paths = [(label == "spam", index.parent / path) for label, path in lines if label in ("ham", "spam")]
    return [Mail(spam, path, as_on_the_wire(path.read_bytes())) for spam, path in paths]


def all_peers(folder: Path, lessons: Sequence[Mail], workers: Sequence[int]) -> Iterator[Peer]:
    taught = [(mail.spam, mail.octets) for mail in lessons]
    for count in workers:
        for kind in KINDS:
            if kind == "postgresql" and not databases.POSTGRESQL:
                say_missing("PostgreSQL")
                continue
            yield Peer(on_kind(kind), count, partial(lazaret, folder, kind, count), over_smtp(PORT))
        if absent := amavisd.missing():
            say_missing(absent)
        else:
            start = partial(amavisd.running, workers=count, next_port=SINK_PORT)
            yield Peer("amavisd-new with SpamAssassin", count, start, over_smtp(amavisd.PORT))
        for bayes in (False, True):
            if absent := rspamd.missing(bayes):
                say_missing(absent)
                continue
            start = partial(rspamd.running, workers=count, lessons=taught if bayes else ())
            named = " with Bayes" if bayes else ""
            yield Peer(f"Rspamd{named}, scan only", count, start, rspamd.scan)
            yield Peer(f"Rspamd{named}, as a milter", count, start, rspamd.over_milter)


def on_kind(kind: str) -> str:
    return "Lazaret" if kind == "sqlite" else f"Lazaret on {kind}"


def wanted(name: str, only: str) -> bool:
    return not only or name.startswith(tuple(only.split(",")))


def say_missing(program: str) -> None:
    print(f"{program} is not installed and left out", file=sys.stderr)


def over_smtp(port: int) -> Send:
    return lambda messages, connections: asyncio.run(send_all(messages, port, connections))


def prepare(folder: Path, kind: str, lessons: Sequence[Mail]) -> None:
    """Compiles the rules and teaches the learner, once for all rounds."""
    (folder / kind).mkdir()
    command = [sys.executable, "-m", "lazaret"]
    with kept_database(folder, kind) as (url, _):
        settings = set_up(folder / kind, url, 1)
        subprocess.run([*command, "db", "init", *settings], check=True, stdout=subprocess.DEVNULL)
        for spam in (True, False):
            paths = [str(mail.path) for mail in lessons if mail.spam == spam]
            if not paths:
                continue
            teach = [*command, "learn", "spam" if spam else "ham", *paths, *settings]
            subprocess.run(teach, check=True, stdout=subprocess.DEVNULL)
    with lazaret(folder, kind, 1, folder / kind):
        pass


def set_up(state: Path, url: str, workers: int) -> list[str]:
    paths = ",".join(f'"{path}"' for path in STOCK_RULES if path.is_dir())
    settings = [
        f"store.data_dir={state}",
        f"store.url={url}",
        "store.min_free=0",
        f'listen.smtp=["127.0.0.1:{PORT}"]',
        "listen.http=",
        f"relay.next_hop=smtp:[127.0.0.1]:{SINK_PORT}",
        f"rules.paths=[{paths}]",
        f"workers.count={workers}",
        f"log.to={state}/log",
        "levels.quarantine=1000.0",
        "levels.kill=1000.0",
    ]
    if not url.startswith("sqlite:"):
        password = state / "password"
        password.touch(0o600)
        password.write_text(databases.PASSWORD)
        settings.append(f"store.password_file={password}")
    return [word for setting in settings for word in ("--set", setting)]


@contextmanager
def kept_database(folder: Path, kind: str) -> Iterator[tuple[str, list[int]]]:
    """Its URL, and the pid of its server if it has one; what is in it stays for the next time."""
    if kind == "sqlite":
        yield "sqlite:///lazaret.db", []
        return
    home = folder / f"{kind}-server"
    is_new = not home.exists()
    home.mkdir(exist_ok=True)
    server = databases.Server(kind, home, DATABASE_PORT)
    if is_new:
        server.make()
    server.start(careful=True)
    assert server.process is not None
    try:
        if is_new:
            server.make_user()
            server.admin(f"CREATE DATABASE mail OWNER {databases.USER}")
        yield databases.Running(kind, server.port, 0, "").url("mail"), [server.process.pid]
    finally:
        server.process.terminate()
        server.process.wait()


@contextmanager
def lazaret(folder: Path, kind: str, workers: int, own: Path) -> Iterator[Sequence[int]]:
    with kept_database(folder, kind) as (url, pids):
        command = [sys.executable, "-m", "lazaret", "serve", *set_up(folder / kind, url, workers)]
        with serving(command, PORT, own / "serve.log") as pid:
            yield [pid, *pids]


def one_round(
    peer: Peer, folder: Path, warming: Sequence[bytes], messages: Sequence[bytes], connections: int
) -> Figures:
    """`connections`: for each worker."""
    began = time.perf_counter()
    with peer.start(folder) as pids:
        started = time.perf_counter() - began
        connections *= peer.workers
        # Each worker makes ready for itself what it meets for the first time.
        peer.send([*warming] * peer.workers, connections)
        before, began = cpu_s(*pids), time.perf_counter()
        waits = sorted(peer.send(messages, connections))
        wall, spent = time.perf_counter() - began, cpu_s(*pids) - before
        return Figures(
            spent / len(messages) * 1000,
            len(messages) / wall,
            waits[len(waits) // 2] * 1000,
            waits[int(len(waits) * 0.99)] * 1000,
            pss_mb(*pids),
            started,
        )


def perl(mails: Sequence[Mail]) -> Figures:
    spent = sorted(in_perl(STOCK_RULES, [mail.path for mail in mails]))
    mean = sum(spent) / len(spent)
    return Figures(mean, 1000 / mean, spent[len(spent) // 2], spent[int(len(spent) * 0.99)], 0, 0)


def show(found: dict[str, list[Figures]]) -> None:
    """Medians, the range of CPU of a message, and how many times as much CPU as Lazaret with one worker."""
    print("| program | CPU ms (range) | of ours | messages/s | p50 ms | p99 ms | PSS MB | start s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    ours = next((median(rounds).cpu_ms for title, rounds in found.items() if title.startswith("Lazaret")), 0)
    for title, rounds in found.items():
        middle, cpu = median(rounds), sorted(figures.cpu_ms for figures in rounds)
        print(
            f"| {title} | {middle.cpu_ms:.2f} ({cpu[0]:.2f} to {cpu[-1]:.2f})"
            f" | {middle.cpu_ms / ours if ours else 0:.2f} | {middle.per_s:.0f} | {middle.p50_ms:.1f}"
            f" | {middle.p99_ms:.1f} | {middle.memory_mb:.0f} | {middle.start_s:.1f} |"
        )


def median(rounds: Sequence[Figures]) -> Figures:
    return Figures(*(statistics.median(column) for column in zip(*rounds, strict=True)))


if __name__ == "__main__":
    main()
