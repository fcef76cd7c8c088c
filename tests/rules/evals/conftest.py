"""A call of an eval function on a message."""

from collections.abc import Callable

import pytest

from lazaret.mime import message
from lazaret.rules.evals import Answer, Settings, Subject, functions
from lazaret.rules.views import HeaderValues

Call = Callable[..., Answer]


@pytest.fixture
def call() -> Call:
    """`call(raw, "function", *arguments)`; `settings` and `recipients` as keywords."""

    def run(
        raw: bytes,
        function: str,
        *arguments: str,
        settings: dict[str, tuple[str, ...]] | None = None,
        recipients: tuple[str, ...] = (),
    ) -> Answer:
        parsed = message.parse(raw)
        subject = Subject(parsed, Settings(settings or {}), HeaderValues(parsed), 0.0, recipients)
        return functions()[function](subject, *arguments)

    return run
