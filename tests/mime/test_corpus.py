"""Real mail, good and bad, is read without an exception and in time."""

import time
from pathlib import Path

from tests.mime.test_hostile import look

from lazaret.mime import message

EVERY = 7
"""Of the messages every so many-th; bench/mime.py reads them all."""
MS_PER_100_KB = 50.0


def test_real_mail_is_read_without_exception_and_in_time(corpus: Path) -> None:
    paths = [corpus / line.split("\t")[1] for line in (corpus / "INDEX.tsv").read_text("utf-8").splitlines()]
    slow = []
    for path in sorted(paths)[::EVERY]:
        raw = path.read_bytes()
        budget = MS_PER_100_KB / 1000 * max(1.0, len(raw) / 100_000)
        # The best of three: a process that shares its core may lose a time slice.
        for _ in range(3):
            before = time.process_time()
            look(message.parse(raw))
            took = time.process_time() - before
            if took < budget:
                break
        else:
            slow.append(f"{took * 1000:.0f} ms: {path.name}")
    assert [] == slow
