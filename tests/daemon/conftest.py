"""What the tests of running services share."""

from collections.abc import Iterator

import pytest
from tests.support.next_hop import HopThread


@pytest.fixture(scope="module")
def hop() -> Iterator[HopThread]:
    """Where a service sends its mail."""
    thread = HopThread()
    thread.start()
    yield thread
    thread.end()
