"""What becomes of mail when amavisd-new, or Rspamd as a milter, is hurt as tests/faults hurts us?

    .venv/bin/python bench/peer_faults.py [--only amavisd|rspamd] [--fault NAME …] [--messages N]

The traffic, the next hop and the account are those of our own suite. amavisd-new stands after the queue, with
two children, SpamAssassin with one rule, and a quarantine in PostgreSQL; Rspamd is asked by a private Postfix
before the queue, and its spam is refused. It needs root and Debian's packages; nothing of the system's own
services is touched.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import amavisd
import rspamd
from processes import answers, tree
from tests.e2e.postfix import MASTER
from tests.faults.traffic import ANN, OUTSIDE, Account, Traffic
from tests.support import databases
from tests.support.databases import PASSWORD, USER, Server
from tests.support.next_hop import HopThread
from tests.support.ports import free_port
from tests.support.service import Client, until

from lazaret.store.database import Database
from lazaret.store.locating import locate

PAUSE_S = 1.5
"""So long does a fault last that comes and goes, as in tests/faults."""
PATIENCE_S = 240.0
"""So long is a message brought again: Rspamd compiles for a minute when it starts in a new place."""
WORKERS = 2
RULE = "rawbody SPAM_WORD /wonder pills/\nscore SPAM_WORD 9\n"
_QUARANTINE = """
$sa_configpath = $sa_siteconfigpath = '@RULES@';
$final_spam_destiny = D_DISCARD; $spam_quarantine_method = 'sql:'; $spam_quarantine_to = 'spam-quarantine';
@bypass_header_checks_maps = (1); @decoders = (); $sql_allow_8bit_address = 1; $timestamp_fmt_mysql = 0;
@local_domains_maps = (['.home.example']);
@storage_sql_dsn = ( ['DBI:Pg:database=mail;host=127.0.0.1;port=@PORT@', '@USER@', '@PASSWORD@'] );
"""
_LUA = "config['regexp']['SPAM_WORD'] = { re = '/wonder pills/{body}', score = 20.0 }\n"
_MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/maillog
maillog_file_prefixes = {home}
myhostname = mx.home.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
smtpd_peername_lookup = no
smtpd_authorized_xforward_hosts = 127.0.0.0/8
smtpd_milters = inet:127.0.0.1:{milter}
milter_default_action = tempfail
default_transport = smtp:[127.0.0.1]:{next_hop}
relay_transport = smtp:[127.0.0.1]:{next_hop}
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
smtp_line_length_limit = 0
smtp_data_done_timeout = 20s
"""


@dataclass
class Peer:
    """A filter that runs, and what it can be hurt with."""

    name: str
    port: int
    hop: HopThread
    pids: Callable[[], list[int]]
    """Its processes that handle messages."""
    restart: Callable[[], None] = lambda: None
    """kill -9 of all of it; it is started again."""
    kill_database: Callable[[], None] = lambda: None
    folder: Path = Path()
    """Where its files lie while it works on a message: a small disk."""
    database: Database | None = None
    settled: Callable[[], bool] = lambda: True
    """Nothing is under way behind it."""
    said: Callable[[], str] = lambda: ""
    stack: ExitStack = field(default_factory=ExitStack)


Fault = Callable[[Peer, Traffic], None]
Start = Callable[[Path], "contextmanager[Peer]"]  # type: ignore[type-arg]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=PEERS)
    parser.add_argument("--fault", nargs="*", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--messages", type=int, default=48)
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, help="seconds that a message is brought"
    )
    given = parser.parse_args()
    for name, start in PEERS.items():
        if given.only in (None, name):
            measure(name, start, given)


def measure(name: str, start: Start, given: argparse.Namespace) -> None:
    """One that keeps mail begins anew for each fault; the other, which starts slowly, serves for all."""
    left = list(given.fault)
    while left:
        with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as peer:
            while left:
                fault = left.pop(0)
                peer.hop.hop.received.clear()
                print(f"{name}: {fault}: {hurt(peer, fault, given).row()}", flush=True)
                if peer.database:
                    break


def hurt(peer: Peer, fault: str, given: argparse.Namespace) -> Account:
    recipients = (ANN, OUTSIDE) if "one of two" in fault else (ANN,)
    impatient = (lambda number: number % 4 == 0) if fault.startswith("client") else (lambda number: False)
    traffic = Traffic(
        peer.port,
        given.messages,
        recipients=recipients,
        pause_s=0.05,
        patience_s=given.patience,
        impatient=impatient,
        intact=intact,
    )
    traffic.start()
    try:
        until(lambda: len(traffic.taken) >= 5 or not traffic.running, 120)
        FAULTS[fault](peer, traffic)
    finally:
        traffic.finish()
    peer.hop.hop.pause = lambda message: None
    until(peer.settled, PATIENCE_S)
    return traffic.account(peer.hop.hop, peer.database)


def intact(arrived: bytes, message: bytes) -> bool:
    """A milter adds its fields behind those that were there."""
    fields, _, body = message.partition(b"\r\n\r\n")
    return fields in arrived.partition(b"\r\n\r\n")[0] and arrived.endswith(b"\r\n\r\n" + body)


# The faults, as in tests/faults/test_faults.py


def _nothing(peer: Peer, traffic: Traffic) -> None:
    traffic.finish()


def _workers_die(peer: Peer, traffic: Traffic) -> None:
    for _ in range(4):
        for pid in peer.pids():
            _signal(pid, signal.SIGKILL)
        time.sleep(0.4)


def _all_dies(peer: Peer, traffic: Traffic) -> None:
    peer.restart()


def _stand_still(peer: Peer, traffic: Traffic) -> None:
    stopped = peer.pids()
    for pid in stopped:
        _signal(pid, signal.SIGSTOP)
    time.sleep(PAUSE_S)
    for pid in stopped:
        _signal(pid, signal.SIGCONT)


def _database_dies(peer: Peer, traffic: Traffic) -> None:
    peer.kill_database()


def _disk_is_full(peer: Peer, traffic: Traffic) -> None:
    ballast = peer.folder / "ballast"
    with suppress(OSError), ballast.open("wb") as file:
        while True:
            file.write(b"\0" * 65_536)
            file.flush()
    time.sleep(PAUSE_S)
    ballast.unlink()


def _while(peer: Peer, begin: Callable[[], object], end: Callable[[], object]) -> None:
    peer.hop.loop.call_soon_threadsafe(begin)
    time.sleep(PAUSE_S)
    peer.hop.loop.call_soon_threadsafe(end)


def _hop_defers(peer: Peer, traffic: Traffic) -> None:
    rcpt = peer.hop.hop.rcpt
    _while(peer, lambda: rcpt.update({ANN: "450 4.2.0 later"}), rcpt.clear)


def _hop_defers_message(peer: Peer, traffic: Traffic) -> None:
    end = peer.hop.hop.end
    _while(peer, lambda: end.update({ANN: "451 4.3.0 later"}), end.clear)


def _hop_defers_one(peer: Peer, traffic: Traffic) -> None:
    rcpt = peer.hop.hop.rcpt
    _while(peer, lambda: rcpt.update({OUTSIDE: "450 4.2.0 later"}), rcpt.clear)


def _hop_hangs(peer: Peer, traffic: Traffic) -> None:
    hop, released = peer.hop.hop, asyncio.Event()
    hop.pause = lambda message: released.wait()
    time.sleep(PAUSE_S)
    hop.pause = lambda message: None
    peer.hop.loop.call_soon_threadsafe(released.set)


def _hop_closes(peer: Peer, traffic: Traffic) -> None:
    def abort() -> None:
        for connection in list(peer.hop.hop.connections):
            connection.transport.abort()

    for _ in range(10):
        peer.hop.loop.call_soon_threadsafe(abort)
        time.sleep(PAUSE_S / 10)


def _hop_swallows(peer: Peer, traffic: Traffic) -> None:
    hop, swallowed = peer.hop.hop, []

    async def swallow(message: object) -> None:
        if len(swallowed) < 3:
            swallowed.append(message)
            hop.received.append(message)  # type: ignore[arg-type]
            for connection in list(hop.connections):
                connection.transport.abort()
            await asyncio.get_running_loop().create_future()

    hop.pause = swallow
    until(lambda: len(swallowed) == 3 or not traffic.running, 60)


FAULTS: dict[str, Fault] = {
    "nothing": _nothing,
    "processes die": _workers_die,
    "all of it dies": _all_dies,
    "processes stand still": _stand_still,
    "database dies": _database_dies,
    "disk is full": _disk_is_full,
    "next hop answers 4xx to the recipient": _hop_defers,
    "next hop answers 4xx to the message": _hop_defers_message,
    "next hop answers 4xx for one of two recipients": _hop_defers_one,
    "next hop hangs": _hop_hangs,
    "next hop closes in the midst": _hop_closes,
    "next hop takes it and closes without a word": _hop_swallows,
    "client vanishes after the final dot": _nothing,
}


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


# The peers


@contextmanager
def _next_hop() -> Iterator[HopThread]:
    hop = HopThread()
    hop.start()
    try:
        yield hop
    finally:
        hop.end()


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def _amavisd(folder: Path) -> Iterator[Peer]:
    folder.chmod(0o755)
    (folder / "rules").mkdir()
    (folder / "rules" / "a.cf").write_text(RULE)
    (folder / "rules" / "v320.pre").write_text("loadplugin Mail::SpamAssassin::Plugin::Check\n")
    with ExitStack() as stack:
        hop = stack.enter_context(_next_hop())
        disk = stack.enter_context(_small_disk(folder / "disk"))
        (folder / "db").mkdir()
        databases.open_way(folder / "db")
        server = Server("postgresql", folder / "db", free_port())
        server.make()
        server.start(careful=True)
        stack.callback(server.kill)
        server.make_user()
        server.admin(f"CREATE DATABASE mail OWNER {USER}")
        url = f"postgresql://{USER}@127.0.0.1:{server.port}/mail"
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o600)
        settings = [
            f"store.url={url}",
            f"store.password_file={folder / 'password'}",
            f"store.data_dir={folder}",
        ]
        command = [sys.executable, "-m", "lazaret", "db", "init"]
        subprocess.run(
            command + [word for one in settings for word in ("--set", one)], check=True, capture_output=True
        )
        more = _QUARANTINE
        for name, value in {"RULES": folder / "rules", "PORT": server.port, "USER": USER}.items():
            more = more.replace(f"@{name}@", str(value))
        more = more.replace("@PASSWORD@", PASSWORD)
        homes = (disk / str(number) for number in range(9))
        running = ExitStack()
        stack.callback(lambda: running.close())
        pids: list[int] = []

        def start() -> None:
            home = next(homes)
            home.mkdir()
            pids[:] = running.enter_context(amavisd.running(home, WORKERS, hop.port, more))

        def restart() -> None:
            for pid in tree(pids[0]):
                _signal(pid, signal.SIGKILL)
            running.close()
            start()

        def kill_database() -> None:
            server.kill()
            time.sleep(0.5)
            server.start(careful=True)

        start()
        yield Peer(
            "amavisd-new",
            amavisd.PORT,
            hop,
            lambda: tree(pids[0])[1:],
            restart=restart,
            kill_database=kill_database,
            folder=disk,
            database=locate(url, folder, PASSWORD),
            said=lambda: "",
        )


def _refuses_spam(port: int) -> bool:
    try:
        with Client(port) as client:
            return client.mail("wonder pills").startswith("554")
    except AssertionError:
        return False  # 4xx to MAIL or RCPT: the milter is not there yet


@contextmanager
def _rspamd(folder: Path) -> Iterator[Peer]:
    folder.chmod(0o755)
    with ExitStack() as stack:
        hop = stack.enter_context(_next_hop())
        disk = stack.enter_context(_small_disk(folder / "disk"))
        homes = (disk / str(number) for number in range(9))
        running = ExitStack()
        stack.callback(lambda: running.close())
        pids: list[int] = []
        lesson = b"Subject: lesson\r\n\r\nSome words of a lesson that nobody will ever read.\r\n"

        def start() -> None:
            home = next(homes)
            home.mkdir()
            pids[:] = running.enter_context(rspamd.running(home, WORKERS, [(True, lesson)], _LUA))

        def restart() -> None:
            for pid in tree(pids[-1]):
                _signal(pid, signal.SIGKILL)
            running.close()
            start()

        def kill_database() -> None:
            _signal(pids[0], signal.SIGKILL)

        start()
        port = free_port()
        home = folder / "postfix"
        for name in ("etc", "queue", "data"):
            (home / name).mkdir(parents=True)
        subprocess.run(["chown", "postfix", home / "data"], check=True)
        main = _MAIN.format(home=home, milter=rspamd.MILTER_PORT, next_hop=hop.port)
        (home / "etc" / "main.cf").write_text(main)
        (home / "etc" / "master.cf").write_text(f"127.0.0.1:{port} inet n - n - - smtpd\n{MASTER}")
        postfix = ["postfix", "-c", home / "etc"]
        subprocess.run([*postfix, "start"], check=True, stderr=subprocess.DEVNULL)
        stack.callback(lambda: subprocess.run([*postfix, "stop"], stderr=subprocess.DEVNULL))
        until(lambda: answers(port))

        # Its expressions are compiled behind the service, and for a while after the start no rule may hit.
        until(lambda: _refuses_spam(port), 120)

        def queue() -> str:
            done = subprocess.run(["postqueue", "-c", home / "etc", "-j"], capture_output=True, text=True)
            return done.stdout

        yield Peer(
            "Rspamd",
            port,
            hop,
            lambda: tree(pids[-1])[1:],
            restart=restart,
            kill_database=kill_database,
            folder=disk,
            settled=lambda: not queue(),
            said=lambda: (home / "maillog").read_text(errors="replace"),
        )


PEERS: dict[str, Start] = {
    "amavisd": _amavisd,
    "rspamd": _rspamd,
}

if __name__ == "__main__":
    main()
