"""What does the worst megabyte cost that a view can be given?

    .venv/bin/python bench/hostile.py [--rules PATH]…

For each view a message of a megabyte that gives it as much to do as we could think of: parsed and examined
anew, the best of three, CPU time. Without --rules the shipped rules are measured, with it those files alone.
A scan must stay below a second.
"""

import argparse
import base64
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from lazaret.mime import message
from lazaret.rules import RuleSet, load

SIZE = 1_000_000
ROUNDS = 3
HTML = b"Content-Type: text/html\r\n\r\n"
WORDS = [
    *b"dear friend click here now free money million dollars bank account account viagra unsubscribe".split(),
    *b"urgent reply password verify your e-mail address winner lottery transfer beneficiary".split(),
]
"""Such as rules look for, so that many of them have something to confirm."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rules", type=Path, action="append", default=[])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ruleset = load(given.rules, shipped=not given.rules, cache_dir=Path(folder))
    for name, make in KINDS.items():
        raw = b"From: a@example.org\r\nSubject: s\r\n" + make()
        print(f"{name:24} {1000 * min(cost(ruleset, raw) for _ in range(ROUNDS)):6.0f} ms")


def cost(ruleset: RuleSet, raw: bytes) -> float:
    before = time.process_time()
    ruleset.evaluate(message.parse(raw), time.time())
    return time.process_time() - before


def filled(piece: bytes) -> bytes:
    return piece * (SIZE // len(piece))


def prose() -> bytes:
    """Words, and an end of line after every twelfth."""
    lines = (b" ".join(islice(words, 12)) for words in [cycle(WORDS)] for _ in range(SIZE // 80))
    return b"\r\n".join(lines)


def parts() -> bytes:
    one = b"--b\r\nContent-Type: text/plain; name=a.exe\r\n\r\nfree money\r\n"
    return b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + filled(one)


KINDS: dict[str, Callable[[], bytes]] = {
    "a header field": lambda: b"X-Long: " + filled(b"free money ") + b"\r\n\r\n",
    "header fields": lambda: filled(b"X-A: b\r\n") + b"\r\n",
    "Received": lambda: (
        filled(b"Received: from a.example (b.example [192.0.2.1]) by c.example; now\r\n") + b"\r\n"
    ),
    "body: one line": lambda: b"\r\n" + filled(b"a"),
    "body: prose": lambda: b"\r\n" + prose(),
    "body: paragraphs": lambda: b"\r\n" + filled(b"free money\r\n\r\n"),
    "body: high octets": lambda: b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + filled(b"\xd0\xb0\xff"),
    "rawbody: base64": lambda: (
        b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(prose()[: SIZE * 3 // 4])
    ),
    "links in text": lambda: b"\r\n" + filled(b"http://a.example/free?e=b@example.net "),
    "links in HTML": lambda: HTML + filled(b'<a href="http://a.example/x?y">http://b.example/</a> '),
    "HTML: open tags": lambda: HTML + filled(b"<a href="),
    "HTML: styles": lambda: HTML + filled(b'<font size=1 style="color:#fefefe;font-size:1px">v</font>'),
    "HTML: comments": lambda: HTML + filled(b"vi<!-- x -->agra "),
    "MIME parts": parts,
}


if __name__ == "__main__":
    main()
