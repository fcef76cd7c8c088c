"""One running service, which all tests of a file share, and installations without one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.installation import Installation, hop_beside
from tests.support.next_hop import Hop
from tests.support.ports import free_ports


@dataclass(frozen=True)
class House:
    """A service, and the next hop that it hands mail to."""

    lazaret: Installation
    hop: Hop


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running service; tests find their own mail by its subject."""
    home = tmp_path_factory.mktemp("house")
    with hop_beside() as hop:
        smtp, http = free_ports(2)
        lazaret = Installation(home, next_hop=hop.at.endpoint.port, smtp=smtp, http=http)
        with lazaret.service():
            yield House(lazaret, hop)


@pytest.fixture
def bare(tmp_path: Path) -> Installation:
    """An installation without a service and without a database."""
    return Installation(tmp_path)
