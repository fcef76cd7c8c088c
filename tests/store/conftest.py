"""A store in a fresh directory, closed after the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lazaret.store.opening import Store, open_store

URL = "sqlite:///lazaret.db"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(URL, tmp_path / "data", create=True, host="mail.home.example")
    yield opened
    opened.close()
