"""A message over which workers die: it is found out alone, kept unread, and nobody else is blamed for it."""

import asyncio
import re
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.next_hop import HopThread
from tests.support.service import Client, Service, send, service, until

DEADLY = """
import os, signal, time
from pathlib import Path
from lazaret.app import for_filter
from lazaret.checks import Symbol
from lazaret.daemon import alone

FOLDER = Path(sys.argv[1]).parent

class Deadly:
    name, symbols = "deadly", {}
    alone = False

    def run(self, scan):
        raw = scan.message.raw
        if b"kills-any-process" in raw or (b"kills-workers" in raw and not self.alone):
            os.kill(os.getpid(), signal.SIGKILL)
        if b"stalls-any-process" in raw:
            time.sleep(1e6)
        if b"is killed from outside" in raw and (kills := list(FOLDER.glob("kill-*"))):
            if self.alone:
                kills[0].unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return iter(())

ordinary, run_alone = for_filter.checks, alone.run
for_filter.checks = lambda ruleset, *more, **keys: [*ordinary(ruleset, *more, **keys), Deadly()]

def run(single):
    Deadly.alone = True
    if (FOLDER / "no-database").exists():
        (FOLDER / "no-database").unlink()
        raise OSError("stands for a database that is gone")
    run_alone(single)

alone.run = run
"""


@pytest.fixture(scope="module")
def _lasting(
    tmp_path_factory: pytest.TempPathFactory, hop: HopThread, free_port: Callable[[], int]
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("poison")
    (folder / "work").mkdir()
    more = f'[ampdp]\nwork_dir = "{folder / "work"}"\n'
    with service(folder, smtp=free_port(), hop=hop.port, stuck_s=3.0, prelude=DEADLY, more=more) as lasting:
        yield lasting


@pytest.fixture
def running(_lasting: Service, hop: HopThread) -> Service:
    until(lambda: send(_lasting.smtp).startswith("250"), 60)
    hop.hop.received.clear()
    _lasting.forget_log()
    return _lasting


def bring(port: int, body: str, *, queued: str = "1") -> str:
    """The reply to a message as its MTA brings it; "" when the connection ends without one."""
    trace = f"Received: from out.example by mx.home.example with ESMTP id {queued}; today"
    try:
        with Client(port) as client:
            client.socket.settimeout(60)
            client.say("EHLO client.example")
            client.say("MAIL FROM:<a@out.example>", "RCPT TO:<ann@home.example>", "DATA")
            return client.say(f"{trace}\r\nSubject: test\r\n\r\n{body}\r\n.")
    except OSError:
        return ""


def ask(running: Service, body: str) -> str:
    """The fate that amavisd-milter is told for a message; "" when the connection ends without a word."""
    file = running.folder / "work" / "email.txt"
    file.write_text(f"Subject: test\n\n{body}\n")
    request = (
        f"request=AM.PDP\r\nsender=<a@out.example>\r\nrecipient=<ann@home.example>\r\nmail_file={file}\r\n"
        "delivery_care_of=client\r\n\r\n"
    )
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(running.folder / "data" / "ampdp.sock"))
        client.sendall(request.encode())
        octets = b""
        while not octets.endswith(b"\r\n\r\n"):
            piece = client.recv(65_536)
            if not piece:
                return ""
            octets += piece
    found = re.search(r"return_value=(\S+)", octets.decode())
    assert found, octets
    return found[1]


def rows(running: Service, body: str) -> list[tuple[str, str, str]]:
    """(id, category, action) of the stored messages with this body."""
    with closing(sqlite3.connect(running.folder / "data" / "lazaret.db")) as database:
        return database.execute(
            "SELECT m.mail_id, m.content, x.action FROM msgs m JOIN quarantine q USING (mail_id)"
            " JOIN lz_msgs l USING (mail_id) JOIN lz_msgrcpt x ON x.msg = l.id"
            " WHERE instr(q.mail_text, CAST(? AS blob)) > 0",
            (body,),
        ).fetchall()


def until_known(running: Service, deaths: int = 1) -> None:
    """The supervisor has seen so many workers die, and what they had under way."""
    until(lambda: running.log().count("messages under way; each is handled alone") >= deaths, 60)


@pytest.mark.parametrize("poison", ["kills-any-process", "stalls-any-process"])
def test_what_fails_alone_too_is_kept_unread_once_and_never_tried_again(
    running: Service, hop: HopThread, poison: str
):
    body = f"{poison} for everybody"
    assert "" == bring(running.smtp, body)
    until_known(running)
    reply = bring(running.smtp, body, queued="2")

    assert re.fullmatch(r"250 2\.7\.0 Ok, discarded, id=\S+ - UNCHECKED: over limits", reply)
    assert [("U", "quarantine")] == [row[1:] for row in rows(running, body)]
    assert "(!!)POISON: from <a@out.example>" in running.log()
    assert [] == hop.hop.received


def test_what_only_kills_in_company_passes_alone(running: Service, hop: HopThread):
    assert "" == bring(running.smtp, "kills-workers, and passes alone")
    until_known(running)

    assert bring(running.smtp, "kills-workers, and passes alone", queued="2").startswith(
        "250 2.0.0 from MTA("
    )
    assert 1 == len(hop.hop.received)
    assert "POISON" not in running.log()


def test_an_innocent_whose_own_process_is_killed_from_outside_twice_is_delivered(
    running: Service, hop: HopThread
):
    body = "hello, and is killed from outside"
    kills = [running.folder / "kill-1", running.folder / "kill-2"]
    for kill in kills:
        kill.touch()
    assert "" == bring(running.smtp, body)
    until_known(running)

    assert bring(running.smtp, body, queued="2").startswith("250 2.0.0 from MTA(")
    assert [] == [kill for kill in kills if kill.exists()]
    assert 1 == len(hop.hop.received)
    assert [] == rows(running, body)


def test_a_process_that_cannot_begin_says_nothing_of_its_message(running: Service, hop: HopThread):
    body = "kills-workers, while the database is away"
    assert "" == bring(running.smtp, body)
    until_known(running)
    (running.folder / "no-database").touch()

    assert bring(running.smtp, body, queued="2").startswith("451 4.3.0")
    assert bring(running.smtp, body, queued="3").startswith("250 2.0.0 from MTA(")
    assert [] == rows(running, body)
    assert "POISON" not in running.log()


def test_a_milter_s_poison_is_kept_unread_and_its_mta_is_told_to_stop(running: Service):
    body = "kills-any-process that a milter brings"
    assert "" == ask(running, body)
    until_known(running)

    assert "discard" == ask(running, body)
    assert [("U", "quarantine")] == [row[1:] for row in rows(running, body)]
    assert 1 == running.log().count("(!!)POISON: from <a@out.example>")


def test_a_milter_s_message_that_only_kills_in_company_goes_on(running: Service):
    body = "kills-workers, and a milter brings it again"
    assert "" == ask(running, body)
    until_known(running)

    assert "continue" == ask(running, body)
    assert [] == rows(running, body)
    assert "POISON" not in running.log()


def test_whoever_was_under_way_beside_a_poison_is_delivered(running: Service, hop: HopThread):
    """Twenty innocents wait for a slow next hop when the poison strikes; all are brought again."""
    hop.hop.pause = lambda message: asyncio.sleep(2.0)
    bodies = [f"innocent number {n}." for n in range(20)]
    replies: dict[str, str] = {}

    def deliver(body: str) -> None:
        for attempt in range(50):
            replies[body] = bring(running.smtp, body, queued=str(attempt))
            if replies[body].startswith("250"):
                return

    threads = [threading.Thread(target=deliver, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    assert "" == bring(running.smtp, "kills-any-process beside innocents")
    until_known(running)
    hop.hop.pause = lambda message: None
    assert bring(running.smtp, "kills-any-process beside innocents").startswith("250 2.7.0")
    for thread in threads:
        thread.join(60)

    assert [] == [reply for reply in replies.values() if not reply.startswith("250 2.0.0 from MTA(")]
    assert all(any(body.encode() in m.octets for m in hop.hop.received) for body in bodies)
    assert [("U", "quarantine")] == [row[1:] for row in rows(running, "kills-any-process beside innocents")]
    assert 1 == running.log().count("(!!)POISON")


def test_a_poison_is_released_octet_for_octet(running: Service, hop: HopThread):
    body = "kills-any-process but is wanted"
    assert "" == bring(running.smtp, body, queued="same")
    until_known(running)
    assert bring(running.smtp, body, queued="same").startswith("250")
    ((mail_id, *_),) = rows(running, body)
    release(running.folder / "lazaret.toml", mail_id)

    assert hop.hop.received[-1].octets.endswith(
        b"Received: from out.example by mx.home.example with ESMTP id same; today\r\n"
        b"Subject: test\r\n\r\n" + body.encode() + b"\r\n"
    )


def release(config: Path, mail_id: str) -> None:
    command = [sys.executable, "-m", "lazaret", "release", mail_id, "--config", str(config)]
    subprocess.run(command, check=True, capture_output=True)
