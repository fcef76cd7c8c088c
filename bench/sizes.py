"""How does the cost of a message grow with its size? Beside Rspamd and SpamAssassin.

    .venv/bin/python bench/sizes.py [--sizes 5000,50000,…] [--rounds N] [--only NAME,…]

Messages are made here, of words that a seeded generator made up: a plain text, an HTML text with links, and a
short text with an attachment that fills the size. Lazaret goes the whole road with the stock rules of
SpamAssassin and its own; Rspamd scans; SpamAssassin runs in a loop. CPU is that of the whole process tree.
"""

import argparse
import base64
import random
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import peers

from lazaret.cli.demo_sink import Sink

LETTERS = "eeeettaaooinnsshrrdlucmfwygpbvk"
HEAD = (
    "From: Anna <anna@brig.example>\r\nTo: Ben <ben@harbour.example>\r\nSubject: {subject}\r\n"
    "Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{number}@brig.example>\r\nMIME-Version: 1.0\r\n"
)
ENOUGH = 2_000_000
"""Octets of a round; at least three messages."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="5000,50000,500000,5000000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="Lazaret,Rspamd,SpamAssassin", help="names, by their beginnings")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    with tempfile.TemporaryDirectory() as name, Sink("127.0.0.1", peers.SINK_PORT):
        folder = Path(name)
        folder.chmod(0o755)
        mails = {(kind, size): list(messages(folder, kind, size)) for kind in BODIES for size in sizes}
        print("| program | message | " + " | ".join(f"{size:,}" for size in sizes) + " |")
        print("| --- | --- |" + " --- |" * len(sizes))
        if peers.wanted("SpamAssassin", given.only):
            show("SpamAssassin, a loop", sizes, in_perl(mails))
        for peer in peers.all_peers(folder, [], [1]):
            if peer.name in ("Lazaret", "Rspamd, scan only") and peers.wanted(peer.name, given.only):
                if peer.name == "Lazaret":
                    peers.prepare(folder, "sqlite", [])
                show(peer.name, sizes, measured(peer, folder, mails, given.rounds))


def messages(folder: Path, kind: str, size: int) -> Iterator[peers.Mail]:
    dice = random.Random(f"{kind} {size}")
    for number in range(max(3, min(50, ENOUGH // size))):
        head = HEAD.format(subject=line(dice, 30).strip(), number=number)
        octets = (head + BODIES[kind](dice, size)).encode("ascii")
        path = folder / f"{kind}-{size}-{number}"
        path.write_bytes(octets)
        yield peers.Mail(False, path, octets)


def line(dice: random.Random, size: int) -> str:
    words: list[str] = []
    while sum(map(len, words)) + len(words) < size:
        words.append("".join(dice.choices(LETTERS, k=dice.randint(2, 10))))
    return " ".join(words) + "\r\n"


def plain(dice: random.Random, size: int) -> str:
    """Paragraphs of eight lines."""
    lines, length = ["Content-Type: text/plain; charset=us-ascii\r\n\r\n"], 0
    while length < size:
        lines.append(line(dice, 68) if dice.random() < 0.88 else "\r\n")
        length += len(lines[-1])
    return "".join(lines)


def html(dice: random.Random, size: int) -> str:
    pieces, length = ["Content-Type: text/html; charset=us-ascii\r\n\r\n<html><body><table>\r\n"], 0
    while length < size:
        text = line(dice, 60)
        host = "".join(dice.choices(LETTERS, k=8))
        pieces.append(
            f'<tr><td style="color:#333333;font-size:14px"><p>{text}</p>'
            f'<a href="https://{host}.example/{dice.randrange(10**6)}">{line(dice, 15)}</a></td></tr>\r\n'
        )
        length += len(pieces[-1])
    return "".join(pieces) + "</table></body></html>\r\n"


def attachment(dice: random.Random, size: int) -> str:
    text = "--b\r\n" + plain(dice, min(2000, size // 2))
    octets = (
        base64.encodebytes(dice.randbytes(max(0, size - len(text)) * 3 // 4)).decode().replace("\n", "\r\n")
    )
    return (
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        f"{text}\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment;"
        f' filename="cargo.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n{octets}--b--\r\n'
    )


BODIES: dict[str, Callable[[random.Random, int], str]] = {
    "plain": plain,
    "HTML": html,
    "attachment": attachment,
}

Costs = dict[tuple[str, int], float]


def measured(
    peer: peers.Peer, folder: Path, mails: dict[tuple[str, int], list[peers.Mail]], rounds: int
) -> Costs:
    """The medians of the rounds, ms of CPU a message."""
    own = folder / peer.name.replace(" ", "-")
    own.mkdir()
    found: dict[tuple[str, int], list[float]] = {}
    with peer.start(own) as pids:
        peer.send([mail.octets for mail in mails["plain", min(size for _, size in mails)]], 2)  # warm
        for _ in range(rounds):
            for shape, ones in mails.items():
                before = peers.cpu_s(*pids)
                peer.send([mail.octets for mail in ones], 2)
                found.setdefault(shape, []).append((peers.cpu_s(*pids) - before) / len(ones) * 1000)
    return {shape: statistics.median(costs) for shape, costs in found.items()}


def in_perl(mails: dict[tuple[str, int], list[peers.Mail]]) -> Costs:
    """One run for each shape, so that what warms it up, 20 messages, is of the same shape."""
    costs = {}
    for shape, ones in mails.items():
        paths = [mail.path for mail in ones]
        warm = (paths * 20)[:20] if shape[1] < 100_000 else []
        spent = peers.in_perl(peers.STOCK_RULES, [*warm, *paths], warm=len(warm))
        costs[shape] = statistics.mean(spent)
    return costs


def show(name: str, sizes: list[int], costs: Costs) -> None:
    for kind in BODIES:
        print(
            f"| {name} | {kind} | " + " | ".join(f"{costs[kind, size]:.1f} ms" for size in sizes) + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
