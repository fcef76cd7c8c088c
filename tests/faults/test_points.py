"""Every fault at every point of the road: messages wait there while it begins, then go on into it.

Each message has two recipients, whose copies differ and are sent one after the other. What is printed
(pytest -s) is the table of docs/reliability.md.
"""

import time
from collections.abc import Callable

import pytest
from tests.support.service import until
from tests.support.small_disk import small_disk

from . import faults
from .conftest import Hurt, thorough
from .faults import Fault
from .points import POINTS_OF_THE_ROAD
from .traffic import ANN, OUTSIDE, Account, Traffic, check

LASTS_S = 0.7
"""A fault, after those who waited went on."""
AT_ONCE = 8
MESSAGES = 10 * AT_ONCE * len(POINTS_OF_THE_ROAD)
"""More than are needed: the traffic ends when each point was met."""

OF_ANY: dict[str, Fault] = {
    "supervisor dies": faults.supervisor_dies,
    "database locked": faults.database_is_locked,
    "database away": faults.database_is_away,
    "next hop gone": faults.next_hop_is_gone,
    "next hop 4xx to the recipients": faults.next_hop_defers,
    "next hop 4xx to one recipient": faults.next_hop_defers_one,
    "next hop 4xx to the message": faults.next_hop_defers_the_message,
    "next hop 5xx to one recipient": faults.next_hop_refuses_one,
    "next hop hangs": faults.next_hop_hangs,
    "next hop closes in mid-DATA": faults.next_hop_closes_in_data,
    "next hop closes after the final dot": faults.next_hop_closes_after_the_dot,
    "clients vanish": faults.clients_vanish,
    "no file descriptors": faults.no_descriptors,
    "no memory": faults.no_memory,
}
ONLY_WAITS = ("database locked", "database answers nothing", "next hop hangs", "the clock jumps")
"""What is over before we or the client lose patience; all else makes somebody bring his message again."""
OF_SERVERS: dict[str, Fault] = {
    "database dies": faults.database_dies,
    "database stopped": faults.database_stops,
    "database answers nothing": faults.database_answers_nothing,
    "database read-only": faults.database_is_read_only,
}


def at_every_point(hurt: Hurt, name: str, fault: Fault) -> Account:
    """Hurts the service with the fault at one point after the other; every point is met."""

    def hurts(hurt: Hurt, traffic: Traffic) -> None:
        for point in POINTS_OF_THE_ROAD:
            hurt.hold(point)
            until(lambda point=point: hurt.held(point) or not traffic.running, 60)
            assert hurt.held(point), f"no message came to {point}"
            time.sleep(0.1)  # others come there too
            with fault(hurt, traffic):
                hurt.let_go(point)
                time.sleep(LASTS_S)
            before = len(traffic.taken)
            until(lambda before=before: len(traffic.taken) > before + 3 or not traffic.running, 60)
        traffic.enough()

    account = hurt.through(
        hurts,
        count=MESSAGES,
        pause_s=0.05,
        at_once=AT_ONCE,
        recipients=(ANN, OUTSIDE),
        padding=300_000 if name == "no memory" else 0,  # a small message finds room still
    )
    if name.partition(" (")[0] not in ONLY_WAITS:
        assert 1 <= account.again, "the fault was not felt"
    # What was under way is brought again, to both recipients, after each fault.
    check(account, what=f"{name}, at each point", duplicates=2 * AT_ONCE * len(POINTS_OF_THE_ROAD))
    return account


@thorough
@pytest.mark.parametrize("name", OF_ANY)
def test_a_fault_at_every_point_of_the_road(hurt: Hurt, name: str):
    account = at_every_point(hurt, name, OF_ANY[name])

    if name == "next hop 5xx to one recipient":
        assert account.told >= 1
        assert 0 == account.duplicates


@thorough
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
@pytest.mark.parametrize("name", OF_SERVERS)
def test_a_fault_of_the_server_at_every_point_of_the_road(
    hurt_on: Callable[[str], Hurt], kind: str, name: str
):
    at_every_point(hurt_on(kind), f"{name} ({kind})", OF_SERVERS[name])


@thorough
def test_the_clock_jumps_at_every_point_of_the_road(hurt: Hurt):
    faults.clock_of_its_own(hurt)
    at_every_point(hurt, "the clock jumps", faults.clock_jumps)


@thorough
def test_the_disk_is_full_at_every_point_of_the_road(hurt: Hurt):
    hurt.stop()
    with small_disk(hurt.folder / "small", "24m") as hurt.disk:
        (hurt.folder / "data").rename(hurt.folder / "before")
        (hurt.folder / "data").symlink_to(hurt.disk)
        hurt.start()
        try:
            at_every_point(hurt, "disk full", faults.disk_is_full)
        finally:
            hurt.stop()


@thorough
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_the_database_is_full_at_every_point_of_the_road(hurt_on: Callable[..., Hurt], kind: str):
    at_every_point(hurt_on(kind, size="250m"), f"database full ({kind})", faults.disk_is_full)
