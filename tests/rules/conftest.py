"""A rule set from the text of a file, and a message from its header fields and body."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lazaret.mime import message
from lazaret.mime.message import Message
from lazaret.rules import RuleSet, load

Rules = Callable[[str], RuleSet]
Values = Callable[..., dict[str, float]]


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    """Loads a rule file with that text, sub-rules included."""

    def load_text(text: str) -> RuleSet:
        (tmp_path / "test.cf").write_bytes(text.encode("latin-1"))
        return load([tmp_path / "test.cf"], shipped=False, cache_dir=None, keep_subrules=True)

    return load_text


def mail(body: str = "hello\n", **fields: str) -> Message:
    """A message; `Reply_To="…"` is the field Reply-To."""
    header = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in fields.items())
    return message.parse(f"{header}\n{body}".encode())


@pytest.fixture
def values(rules: Rules) -> Values:
    """What hits in a message, with its count, under rules given as text."""

    def run(text: str, body: str = "hello\n", **fields: str) -> dict[str, float]:
        return dict(rules(text).evaluate(mail(body, **fields), 0).values)

    return run
