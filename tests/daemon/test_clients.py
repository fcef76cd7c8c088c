"""What one client may take, counted over all workers."""

import logging

import pytest

from lazaret.daemon import quiet
from lazaret.daemon.clients import SLOTS, ClientBoard, ClientLimits, Clients
from lazaret.daemon.quiet import Quiet


class Clock:
    """Seconds since 1970."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def crew(limits: ClientLimits, clock: Clock | None = None) -> tuple[Clients, Clients]:
    """Two workers of one service."""
    board, clock = ClientBoard(), clock or Clock()
    return Clients(board, (3, 4), 3, limits, clock), Clients(board, (3, 4), 4, limits, clock)


def test_without_limits_everybody_is_let_in():
    one, _ = crew(ClientLimits())
    for _ in range(10_000):
        one.opened("192.0.2.1")
    one.failed("192.0.2.1", 10_000)
    assert one.refusal("192.0.2.1") is None


def test_connections_count_over_all_workers():
    one, other = crew(ClientLimits(connections=2))
    one.opened("192.0.2.1")
    assert one.refusal("192.0.2.1") is None
    other.opened("192.0.2.1")
    assert "421 4.7.0 Error: too many connections" == str(one.refusal("192.0.2.1"))
    assert other.refusal("192.0.2.1") is not None
    other.closed("192.0.2.1")
    assert one.refusal("192.0.2.1") is None


def test_a_minute_later_new_connections_and_errors_are_forgiven():
    clock = Clock()
    one, other = crew(ClientLimits(rate=2, errors=3), clock)
    one.opened("192.0.2.1")
    other.opened("192.0.2.1")
    one.closed("192.0.2.1")
    assert "421 4.7.0 Error: too many new connections" == str(one.refusal("192.0.2.1"))
    clock.now += 60
    assert one.refusal("192.0.2.1") is None
    one.failed("192.0.2.1", 2)
    assert one.refusal("192.0.2.1") is None
    other.failed("192.0.2.1", 1)
    assert "421 4.7.0 Error: too many errors" == str(one.refusal("192.0.2.1"))
    clock.now += 60
    assert one.refusal("192.0.2.1") is None


def test_another_client_and_a_unix_socket_pay_for_nobody():
    one, _ = crew(ClientLimits(connections=1))
    one.opened("192.0.2.1")
    others = [f"198.51.100.{n}" for n in range(50)]
    let_in = sum(one.refusal(ip) is None for ip in others)
    assert let_in > 40  # a few may share its slot
    one.opened("")
    assert one.refusal("") is None


def test_a_network_of_ipv6_is_one_client_and_a_mapped_address_its_ipv4_one():
    one, _ = crew(ClientLimits(connections=1))
    one.opened("2001:db8::1")
    assert one.refusal("2001:db8::ffff:1") is not None
    one.opened("192.0.2.1")
    assert one.refusal("::ffff:192.0.2.1") is not None
    assert one.refusal("fe80::1%eth0") is None


def test_what_a_dead_worker_left_behind_is_gone_with_its_successor():
    board, limits = ClientBoard(), ClientLimits(connections=1)
    Clients(board, (0, 1), 0, limits).opened("192.0.2.1")
    Clients(board, (0, 1), 0, limits)
    assert Clients(board, (0, 1), 1, limits).refusal("192.0.2.1") is None


def test_a_row_takes_as_much_as_its_slots():
    assert SLOTS * 4 == len(ClientBoard().row(0))


def test_a_flood_makes_one_line_a_second(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    monkeypatch.setattr(quiet.time, "monotonic", lambda: now)
    said = Quiet(logging.getLogger("lazaret.test"))
    for _ in range(1000):
        said.warning("refused %s", "a")
    now += 1
    said.warning("refused %s", "b")
    assert ["refused a", "refused b (and 999 more such lines)"] == caplog.messages
