"""Takes the configuration out of docs/postfix.md and examples/, so that what admins copy is what is tested.

A block counts for the set-ups that stand behind the file name in the line that opens it:
three backticks, then `master.cf after-queue-lmtp after-queue-smtp`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "postfix.md"
LEARNING = ROOT / "docs" / "learning.md"
CONFIG = ROOT / "examples" / "lazaret.toml"
SIEVE = ROOT / "examples" / "sieve"

_BLOCK = re.compile(r"^```(main\.cf|master\.cf|dovecot\.conf) ([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one set-up, all on 127.0.0.1; each field names what stands in the documents instead."""

    smtp: int
    """`smtp inet`: the world."""
    submission: int
    """`submission inet`: our users."""
    feed: int
    """10024, `listen.smtp`."""
    reinjection: int
    """10025, Postfix takes the mail back."""
    originating: int
    """10026, `listen.originating`."""
    before_queue: int
    """10027, `listen.before_queue`."""
    ampdp: int
    """`listen.ampdp` over TCP."""
    http: int
    """8025, `listen.http`."""
    milter: int = 0
    """10029, amavisd-milter."""

    def substitutions(self) -> dict[str, str]:
        """What stands in the documents -> what takes its place in a test."""
        return {
            "\nsmtp      inet": f"\n127.0.0.1:{self.smtp} inet",
            "\nsubmission inet": f"\n127.0.0.1:{self.submission} inet",
            "127.0.0.1:10024": f"127.0.0.1:{self.feed}",
            "127.0.0.1:10025": f"127.0.0.1:{self.reinjection}",
            "127.0.0.1:10026": f"127.0.0.1:{self.originating}",
            "127.0.0.1:10027": f"127.0.0.1:{self.before_queue}",
            "[127.0.0.1]:10024": f"[127.0.0.1]:{self.feed}",
            "[127.0.0.1]:10025": f"[127.0.0.1]:{self.reinjection}",
            "[127.0.0.1]:10026": f"[127.0.0.1]:{self.originating}",
            "127.0.0.1:8025": f"127.0.0.1:{self.http}",
            "127.0.0.1:10029": f"127.0.0.1:{self.milter}",
        }


def setups() -> set[str]:
    """The names of all set-ups that the pages have blocks for."""
    return {name for _, names, _ in _found() for name in names.split()}


def blocks(file: str, *names: str) -> str:
    """All blocks of the pages for `file` ("main.cf", "master.cf") that count for one of the set-ups."""
    found = [
        text for kind, counts_for, text in _found() if kind == file and set(names) & set(counts_for.split())
    ]
    return "".join(found)


def _found() -> list[tuple[str, str, str]]:
    """File, names and text of each block."""
    return [block for page in (PAGE, LEARNING) for block in _BLOCK.findall(page.read_text())]


def substitute(text: str, values: Mapping[str, str]) -> str:
    """`text` with each key replaced by its value, in one pass, so that no value is replaced again."""
    pattern = re.compile("|".join(re.escape(key) for key in values))
    return pattern.sub(lambda match: values[match[0]], "\n" + text).removeprefix("\n")
