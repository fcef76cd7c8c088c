"""A running service, asked by the real spamc, and by clients that are no spamc."""

import asyncio
import shutil
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.next_hop import HopThread
from tests.support.service import Service, service, until

from lazaret.daemon import spamd
from lazaret.daemon.board import Board
from lazaret.daemon.memory import Memory
from lazaret.wire.spamd import SpamdRequest

from .test_poison import DEADLY, until_known

MAIL = (
    b"From: a@out.example\nTo: ann@home.example\nSubject: test\nDate: Sun, 29 Nov 2026 00:00:00 +0000\n"
    b"Message-ID: <x@out.example>\n\n%b\n"
)
HAM = MAIL % b"see you at noon"
SPAM = MAIL % b"wonder pills"
SCORED = 1
"""Exit status of `spamc -c` for spam."""


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, hop: HopThread, free_port: Callable[[], int]
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("spamd")
    (folder / "rules").mkdir()
    (folder / "rules" / "report.cf").write_text("report _SCORE_ points\nreport _SUMMARY_\n")
    with service(
        folder,
        smtp=free_port(),
        hop=hop.port,
        stuck_s=3.0,
        prelude=DEADLY,
        listen='spamd = ["unix:spamd.sock"]',
        more='[site]\nhostname = "mx.home.example"\n',
    ) as lasting:
        yield lasting


@pytest.fixture(autouse=True)
def _fresh(running: Service) -> None:
    until(lambda: b"PONG" in ask(running, b"PING SPAMC/1.5\r\n"), 60)
    running.forget_log()


def path_of(running: Service) -> Path:
    return running.folder / "data" / "spamd.sock"


def spamc(running: Service, *options: str, mail: bytes) -> tuple[int, bytes]:
    """Exit status, and what spamc prints; without its habit to pass on what nobody has looked at."""
    if shutil.which("spamc") is None:
        pytest.skip("spamc is not installed (Debian: spamc)")
    done = subprocess.run(
        ["spamc", "-x", "-U", str(path_of(running)), *options], input=mail, capture_output=True, timeout=60
    )
    return done.returncode, done.stdout


def ask(running: Service, octets: bytes) -> bytes:
    """The answer to these octets, the client having ended writing; "" when there is none."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(path_of(running)))
        client.sendall(octets)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(65_536):
            answer += piece
    return answer


def test_spamc_hears_score_and_level(running: Service):
    assert (SCORED, b"6.0/3.0\n") == spamc(running, "-c", mail=SPAM)
    assert (0, b"0.0/3.0\n") == spamc(running, "-c", mail=HAM)
    assert "spamd: CHECK for nobody in particular: spam, score 6.0 of 3.0, tests=[SPAM_WORD]" in running.log()


def test_the_level_is_that_of_the_user_whom_spamc_names(running: Service):
    command = [sys.executable, "-m", "lazaret", "policy", "set", "ben@home.example", "mark=7"]
    config = ["quarantine=8", "kill=9", "--config", str(running.folder / "lazaret.toml")]
    subprocess.run([*command, *config], check=True, capture_output=True)

    until(lambda: (0, b"6.0/7.0\n") == spamc(running, "-c", "-u", "ben@home.example", mail=SPAM), 10)
    assert (SCORED, b"6.0/3.0\n") == spamc(running, "-c", "-u", "ann@home.example", mail=SPAM)


def test_spamc_hears_the_tests(running: Service):
    status, octets = spamc(running, "-y", mail=SPAM)

    assert (0, b"SPAM_WORD") == (status, octets.strip())


@pytest.mark.parametrize("option", ["-R", "-r"])
def test_spamc_hears_a_report(running: Service, option: str):
    _, octets = spamc(running, option, mail=SPAM)

    assert b"6.0 points\n 6.0 SPAM_WORD              RAW: it speaks of wonder pills\n" in octets


def test_ham_has_no_report_where_only_that_of_spam_is_wanted(running: Service):
    assert (0, b"") == spamc(running, "-r", mail=HAM)


def test_spamc_gets_ham_back_with_fields_on_top(running: Service):
    status, octets = spamc(running, mail=HAM)

    assert 0 == status
    assert octets.startswith(b"X-Spam-Checker-Version: ")
    assert b"\nX-Spam-Status: No, score=0.0 required=3.0 tests=none " in octets
    assert octets.endswith(HAM)


def test_spamc_gets_spam_back_within_a_report(running: Service):
    status, octets = spamc(running, mail=SPAM)

    assert 0 == status
    assert b"\nX-Spam-Flag: YES\n" in octets
    assert SPAM in octets


def test_spamc_gets_header_fields_alone_and_puts_them_on_top_itself(running: Service):
    status, octets = spamc(running, "--headers", mail=HAM)

    assert 0 == status
    assert octets.startswith(b"X-Spam-Checker-Version: ")
    assert octets.endswith(HAM)


def test_a_packed_message_is_read(running: Service):
    octets = b"CHECK SPAMC/1.5\r\nCompress: zlib\r\n\r\n" + zlib.compress(SPAM)

    assert b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 6.0 / 3.0\r\n\r\n" == ask(running, octets)


def test_lessons_are_not_taken(running: Service):
    status, _ = spamc(running, "-L", "spam", mail=SPAM)

    assert status
    assert "spamd: TELL is not served; `lazaret learn` teaches" in running.log()


def test_who_speaks_something_else_is_told_so_and_let_go(running: Service):
    assert b"SPAMD/1.5 0 PONG\r\n" == ask(running, b"PING SPAMC/1.5\r\n")
    assert b"" == ask(running, b"SKIP SPAMC/1.5\r\n\r\n")
    assert ask(running, b"EHLO x\r\n").startswith(b"SPAMD/1.0 76 Bad header line: (unknown command)")
    assert b"" == ask(running, b"")


def test_who_has_come_before_a_reload_is_answered_after_it(running: Service):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(path_of(running)))
        time.sleep(0.2)
        running.reload()
        running.wait_for_log("reload: done")
        client.sendall(b"CHECK SPAMC/1.5\r\nContent-length: %d\r\n\r\n%b" % (len(SPAM), SPAM))

        assert client.recv(100).startswith(b"SPAMD/1.1 0 EX_OK\r\n")


def test_a_message_counts_as_held_while_it_is_examined_though_its_client_has_ended_writing(tmp_path: Path):
    async def main() -> None:
        go_on = asyncio.Event()

        async def answer(request: SpamdRequest) -> bytes:
            await go_on.wait()
            return b"SPAMD/1.1 0 EX_OK\r\n\r\n"

        memory, connections = Memory(), set()
        service = spamd.Service(answer, Board().row(0), connections, memory)
        path = str(tmp_path / "a.sock")
        server = await asyncio.get_running_loop().create_unix_server(
            lambda: spamd.SpamdConnection(service), path
        )
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"CHECK SPAMC/1.5\r\nContent-length: %d\r\n\r\n%b" % (len(SPAM), SPAM))
        writer.write_eof()
        await asyncio.sleep(0.2)
        assert len(SPAM) == memory.held

        go_on.set()
        assert (await reader.read()).startswith(b"SPAMD/1.1 0 EX_OK")
        assert 0 == memory.held
        writer.close()
        server.close()

    asyncio.run(main())


def test_a_message_that_only_kills_in_company_is_scored_alone(running: Service):
    request = b"CHECK SPAMC/1.5\r\n\r\n" + MAIL % b"kills-workers, and wonder pills"
    assert b"" == ask(running, request)
    until_known(running)

    assert b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 6.0 / 3.0\r\n\r\n" == ask(running, request)


def test_of_a_poison_nothing_is_said_and_others_are_scored(running: Service):
    request = b"CHECK SPAMC/1.5\r\n\r\n" + MAIL % b"kills-any-process that spamc brings"
    assert b"" == ask(running, request)
    until_known(running)

    assert b"SPAMD/1.0 70 the message cannot be examined\r\n" == ask(running, request)
    assert "(!!)POISON: " in running.log()
    assert (SCORED, b"6.0/3.0\n") == spamc(running, "-c", mail=SPAM)
