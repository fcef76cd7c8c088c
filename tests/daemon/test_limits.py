"""A real service under clients that want too much: each is told why, and the others are served."""

import select
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.next_hop import HopThread
from tests.support.service import Client, Service, send, service, until

LIMITS = """
[limits]
connections = 20
client_connections = 6
client_errors = 30
errors = 3
command_time_s = 3
message_time_s = 4
memory = "1 MiB"
"""


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, hop: HopThread, free_port: Callable[[], int]
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("limits")
    with service(folder, smtp=free_port(), hop=hop.port, more=LIMITS) as it:
        yield it


@pytest.fixture(autouse=True)
def fresh(running: Service) -> None:
    running.forget_log()


def clients(running: Service, number: int, stack: ExitStack, first: int) -> list[Client]:
    """So many, each from an address of its own, and greeted or turned away."""
    return [stack.enter_context(Client(running.smtp, source=f"127.0.{first}.{n + 1}")) for n in range(number)]


def test_one_client_cannot_take_all_connections(running: Service):
    with ExitStack() as stack:
        mine = [stack.enter_context(Client(running.smtp, source="127.0.1.1")) for _ in range(7)]
        assert [True] * 6 == [c.greeting.startswith("220 ") for c in mine[:6]]
        assert "421 4.7.0 Error: too many connections" == mine[6].greeting
        running.wait_for_log("refused a connection from [127.0.1.1] to ")
        assert send(running.smtp).startswith("250 ")


def test_too_many_connections_are_told_so_and_those_that_are_open_go_on(running: Service):
    with ExitStack() as stack:
        mine = clients(running, 20, stack, 2)
        assert ["220"] * 20 == [c.greeting[:3] for c in mine]
        with Client(running.smtp, source="127.0.3.1") as late:
            assert "421 4.3.2 Error: too many connections" == late.greeting
        assert mine[7].mail("Hello.").startswith("250 ")
    until(lambda: is_let_in(running))


def is_let_in(running: Service) -> bool:
    with Client(running.smtp) as client:
        return client.greeting.startswith("220 ")


def test_a_client_with_too_many_errors_is_not_let_in_again_for_a_while(running: Service):
    for _ in range(9):
        with Client(running.smtp, source="127.0.4.1") as client:
            if client.greeting.startswith("421 "):
                break
            client.say("HELP", *["rubbish"] * 4)
            assert "421 4.7.0 Error: too many errors" == client.reply()
    else:
        raise AssertionError("never turned away")
    assert "421 4.7.0 Error: too many errors" == client.greeting
    assert send(running.smtp).startswith("250 ")


@pytest.mark.parametrize("octets", [b"", b"EHLO client.example", b"MAIL FROM:<a@out.example>\r\nRCPT TO:<b@"])
def test_a_slow_client_is_cut_off_and_the_log_says_why(running: Service, octets: bytes):
    with Client(running.smtp, source="127.0.5.1") as client:
        client.say("EHLO client.example")
        client.socket.sendall(octets)
        last = client.reply()
        while last.startswith("250"):
            last = client.reply()
        assert "421 4.4.2 Error: timeout exceeded" == last
    running.wait_for_log("is cut off: silent for ")


def test_a_client_that_drips_is_cut_off(running: Service):
    with Client(running.smtp, source="127.0.6.1") as client:
        client.say("EHLO x", "MAIL FROM:<a@out.example>", "RCPT TO:<b@home.example>", "DATA")
        client.socket.settimeout(0.2)
        heard = ""
        for _ in range(60):
            client.socket.sendall(b"x\r\n")
            try:
                heard = client.socket.recv(100).decode()
                break
            except TimeoutError:
                continue
        assert "421 4.4.2 Error: timeout exceeded\r\n" == heard
    running.wait_for_log("is cut off: no whole message (")


def test_a_message_without_end_is_dropped_when_memory_is_short(running: Service):
    with Client(running.smtp, source="127.0.7.1") as client:
        client.say("EHLO x", "MAIL FROM:<a@out.example>", "RCPT TO:<b@home.example>", "DATA")
        client.socket.sendall((b"x" * 998 + b"\r\n") * 5000)
        assert send(running.smtp).startswith("250 ")
        assert "452 4.3.1 Insufficient system storage" == client.say(".")
    running.wait_for_log("octets and more dropped: limits.memory")


def test_who_stood_still_makes_room_for_who_comes(
    tmp_path: Path, hop: HopThread, free_port: Callable[[], int]
):
    """One second of silence instead of the twenty of service."""
    with (
        service(
            tmp_path,
            smtp=free_port(),
            hop=hop.port,
            prelude="from lazaret.daemon import worker; worker.STILL_S = 1.0",
            more="[limits]\nconnections = 4\n",
        ) as running,
        ExitStack() as stack,
    ):
        idle = clients(running, 4, stack, 5)
        assert ["220"] * 4 == [c.greeting[:3] for c in idle]
        time.sleep(1.5)
        assert send(running.smtp).startswith("250 ")
        assert "makes room: it stood still" in running.log()
        assert 1 <= sum(c.reply().startswith("421 4.3.2") for c in idle if is_told(c)) <= 2


def is_told(client: Client) -> bool:
    """Whether something was said to a client that did not ask."""
    return bool(select.select([client.socket], [], [], 0.5)[0])
