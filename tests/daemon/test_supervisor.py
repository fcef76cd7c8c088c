"""The service as processes: whatever is killed comes back, and no client is refused meanwhile."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.support.next_hop import HopThread
from tests.support.service import Client, Service, send, service, until, write_config


@pytest.fixture(scope="module")
def _lasting(
    tmp_path_factory: pytest.TempPathFactory, hop: HopThread, free_port: Callable[[], int]
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with service(folder, smtp=free_port(), hop=hop.port, stuck_s=4.0) as lasting:
        yield lasting


@pytest.fixture
def running(_lasting: Service, hop: HopThread) -> Service:
    """A service that several tests share, because a start costs a second; none of them ends it."""
    write_config(_lasting.folder, smtp=_lasting.smtp, hop=hop.port)
    until(lambda: len(_lasting.children()) == 4 and send(_lasting.smtp).startswith("250"))
    hop.hop.received.clear()
    _lasting.forget_log()
    return _lasting


@pytest.fixture
def own(tmp_path: Path, hop: HopThread, free_port: Callable[[], int]) -> Iterator[Service]:
    """A service that the test may end, or change for good."""
    hop.hop.received.clear()
    with service(tmp_path, smtp=free_port(), hop=hop.port) as own:
        yield own


def alive(pid: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_worker_that_is_killed_is_back_within_two_seconds_and_nobody_is_refused(
    running: Service, hop: HopThread
):
    before = running.children()
    assert 4 == len(before)

    def three_messages_s() -> float:
        begun = time.monotonic()
        for _ in range(3):
            assert send(running.smtp).startswith("250 2.0.0 from MTA(")
        return time.monotonic() - begun

    # What a busy machine takes while nothing has died is not the supervisor's.
    usual = max(three_messages_s() for _ in range(3))
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert three_messages_s() < 2.0 + 10 * usual
    until(lambda: len(running.children()) == 4)
    assert not set(before) & set(running.children())
    assert "ended by signal 9; another one starts" in running.log()
    assert 12 == len(hop.hop.received)


def test_what_is_quarantined_survives_its_worker(own: Service, hop: HopThread):
    with Client(own.smtp) as client:
        assert client.mail("wonder pills").startswith("250 2.7.0 Ok, discarded, id=")
    for pid in own.children():
        os.kill(pid, signal.SIGKILL)
    assert 0 == own.end()
    assert "Blocked SPAM {DiscardedInbound,Quarantined}, [127.0.0.1]:" in own.log()
    assert [] == hop.hop.received


def test_all_children_end_with_the_supervisor(own: Service):
    children = own.children()
    own.process.kill()
    own.process.wait()
    until(lambda: not any(map(alive, children)))


def test_a_broken_configuration_changes_nothing_and_is_logged(running: Service):
    children = running.children()
    config = running.folder / "lazaret.toml"
    config.write_text(config.read_text() + "\n[levels]\nmark = 'high'\n")
    running.reload()
    assert "mark" in running.wait_for_log("reload refused, the old configuration stays in force")
    assert send(running.smtp).startswith("250")
    assert children == running.children()


@pytest.mark.parametrize("trouble", ["address", "log", "rules", "database"])
def test_a_reload_is_all_or_nothing(running: Service, trouble: str, free_port: Callable[[], int]):
    """A new listener beside what cannot be done: neither comes."""
    port = free_port()
    children = running.children()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = taken.getsockname()[1] if trouble == "address" else free_port()
        config = write_config(
            running.folder,
            smtp=running.smtp,
            hop=1,
            listen=f'before_queue = ["127.0.0.1:{port}", "127.0.0.1:{other}"]',
        )
        text = config.read_text()
        if trouble == "log":
            text += '[log]\nto = "missing/folder/log"\n'
        if trouble == "rules":
            text = text.replace('["rules"]', '["no-rules"]')
        if trouble == "database":
            (running.folder / "file").write_text("no database")
            text = text.replace("[store]", '[store]\nurl = "sqlite:///../file"')
        config.write_text(text)
        running.reload()
        running.wait_for_log("the old configuration stays in force")
        with pytest.raises(ConnectionRefusedError):
            send(port)
        assert send(running.smtp).startswith("250 2.0.0")
        assert children == running.children()
        assert running.process.poll() is None


def test_a_reload_makes_no_new_database_in_the_place_of_one_that_is_gone(own: Service):
    """What was kept in the new one would be lost to sight when the old one is back, as a disk is mounted."""
    data, away = own.folder / "data", own.folder / "away"
    assert 1 == own.log().count(
        f"database {data / 'lazaret.db'}: there was none of ours, its tables were made"
    )
    away.mkdir()
    for file in data.glob("lazaret.db*"):
        file.rename(away / file.name)
    own.reload()
    log = own.wait_for_log("reload refused, the old configuration stays in force")
    assert f"there is no database {data / 'lazaret.db'}" in log
    assert not (data / "lazaret.db").exists()
    assert send(own.smtp, "wonder pills").startswith("4")

    for file in away.iterdir():
        file.rename(data / file.name)
    until(lambda: send(own.smtp, "wonder pills").startswith("250 "))


def test_a_reload_opens_a_new_listener_and_closes_one_that_is_gone(
    own: Service, hop: HopThread, free_port: Callable[[], int]
):
    first, second = own.smtp, free_port()
    old = own.children()
    write_config(
        own.folder,
        smtp=second,
        hop=hop.port,
        listen=f'before_queue = ["127.0.0.1:{first}"]',
    )
    own.reload()
    own.wait_for_log("reload: done")
    until(lambda: not set(old) & set(own.children()))
    assert "reload: listen.smtp: " in own.log()
    assert send(first).startswith("250")
    assert send(second).startswith("250")

    write_config(own.folder, smtp=second, hop=hop.port)
    own.reload()
    until(lambda: own.log().count("reload: done") == 2)
    until(lambda: refuses(first))
    assert send(second).startswith("250")


def refuses(port: int) -> bool:
    """A client that connects in the moment of closing is told to come again."""
    try:
        with Client(port) as client:
            assert client.greeting.startswith(("220", "421")), client.greeting
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("act", ["reload", "end"])
def test_who_comes_to_a_place_that_is_given_up_is_told_so(
    own: Service, hop: HopThread, free_port: Callable[[], int], act: str
):
    """While the workers that listened there still have a message under way, and nobody accepts."""
    arrived, until_told = [], asyncio.Event()

    def wait(message: object) -> Awaitable[object]:
        arrived.append(message)
        return until_told.wait()

    hop.hop.pause = wait
    given_up = own.smtp
    old = own.children()
    with Client(own.smtp) as client:
        client.say("EHLO client.example")
        client.say("MAIL FROM:<a@out.example>", "RCPT TO:<ann@home.example>", "DATA")
        client.socket.sendall(b"Subject: x\r\n\r\nlate\r\n.\r\n")
        until(lambda: arrived)
        if act == "reload":
            write_config(own.folder, smtp=free_port(), hop=hop.port)
            own.reload()
            own.wait_for_log("reload: done")
        else:
            own.process.terminate()
        until(lambda: len([pid for pid in old if alive(pid)]) == 1)
        for _ in range(3):
            with Client(given_up) as late:
                assert "421 4.3.2 Service shutting down, closing channel" == late.greeting
                assert "" == late.reply()
        hop.loop.call_soon_threadsafe(until_told.set)
        assert client.reply().startswith("250")
        assert client.reply().startswith("421")
    hop.hop.pause = lambda message: None


def test_nobody_is_reset_by_a_reload(running: Service, hop: HopThread):
    """Clients that come all the time, and talk at once, hear 220 and an answer, or 421: never nothing."""
    heard: list[str] = []
    over = threading.Event()

    def come_again() -> None:
        while not over.is_set():
            try:
                with Client(running.smtp) as client:
                    client.socket.sendall(b"EHLO client.example\r\n" + b"NOOP\r\n" * 20)
                    heard.append(client.greeting[:3] + client.reply()[:3])
            except OSError as error:
                heard.append(str(error))

    clients = [threading.Thread(target=come_again) for _ in range(6)]
    for client in clients:
        client.start()
    for mark in (3.1, 3.2, 3.3):
        config = write_config(running.folder, smtp=running.smtp, hop=hop.port)
        config.write_text(config.read_text() + f"[levels]\nmark = {mark}\n")
        running.forget_log()
        running.reload()
        running.wait_for_log("reload: done")
        until(lambda: len(running.children()) == 4)
    over.set()
    for client in clients:
        client.join()
    assert {"220250"} <= set(heard) <= {"220250", "220421", "421"}


def test_the_end_waits_for_the_message_that_is_under_way(own: Service, hop: HopThread):
    async def slowly() -> None:
        await asyncio.sleep(0.7)

    hop.hop.pause = lambda message: slowly()
    idle = Client(own.smtp)
    with Client(own.smtp) as client:
        client.say("EHLO client.example")
        client.say("MAIL FROM:<a@out.example>", "RCPT TO:<ann@home.example>", "DATA")
        client.socket.sendall(b"Subject: x\r\n\r\nlate\r\n.\r\n")
        time.sleep(0.2)
        own.process.terminate()
        assert "421 4.3.2 Service shutting down, closing channel" == idle.reply()
        idle.close()
        assert client.reply().startswith("250 2.0.0 from MTA(")
        assert client.reply().startswith("421 4.3.2")
        assert "" == client.reply()
    hop.hop.pause = lambda message: None
    assert 0 == own.process.wait(10)
    assert 1 == len(hop.hop.received)
    with pytest.raises(ConnectionRefusedError):
        send(own.smtp)


def test_a_worker_that_is_stuck_is_replaced(running: Service):
    stuck = running.children()
    for pid in stuck:
        os.kill(pid, signal.SIGSTOP)
    assert send(running.smtp).startswith("250")
    until(lambda: 4 == running.log().count("gave no sign of life for"))
    until(lambda: not set(stuck) & set(running.children()))


def test_a_worker_that_is_stuck_keeps_no_client_waiting(running: Service):
    """The other one takes what it does not, however many connections that one has."""
    desk, one, _other, _learner = running.children()
    others = [Client(running.smtp) for _ in range(4)]
    for pid in (one, desk):
        os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    more = [Client(running.smtp) for _ in range(6)]
    assert time.monotonic() - started < 5.0
    for client in (*others, *more):
        client.close()
    for pid in (one, desk):
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass  # On a busy machine it has been replaced by now.


def test_both_workers_take_part(running: Service):
    """A client that keeps few connections must not keep one worker busy and the other idle."""
    clients = [Client(running.smtp) for _ in range(8)]
    ids = set()
    for client in clients:
        reply = client.mail("wonder pills")
        ids.add(reply.partition("id=")[2].partition("-")[0])
        client.close()
    assert 2 == len(ids)


def test_a_start_on_a_taken_address_names_it_and_leaves_nothing_behind(
    tmp_path: Path, hop: HopThread, free_port: Callable[[], int]
):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError) as failed, service(tmp_path, smtp=port, hop=hop.port):
            pass
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in str(failed.value)
    assert [] == list((tmp_path / "data").glob("*.sock"))


def test_a_new_service_can_listen_while_workers_of_a_killed_one_still_end(own: Service, hop: HopThread):
    """A message waits for a slow next hop when the supervisor is killed: the door is free all the same."""
    hop.hop.pause = lambda message: asyncio.sleep(30)
    with Client(own.smtp) as client:
        client.say("EHLO client.example")
        client.say("MAIL FROM:<a@out.example>", "RCPT TO:<ann@home.example>", "DATA")
        client.socket.sendall(b"Subject: slow\r\n\r\nslow\r\n.\r\n")
        own.process.kill()
        own.process.wait()

        def is_free() -> bool:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", own.smtp))
                    probe.listen()
                except OSError:
                    return False
                return True

        until(is_free, 20.0)
    hop.hop.pause = lambda message: None
