"""What all tests of the flows share."""

import pytest

from lazaret.store import writer


@pytest.fixture(autouse=True)
def _history_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of history waits half a second for company; a test would wait for it."""
    monkeypatch.setattr(writer, "HISTORY_S", 0.01)
