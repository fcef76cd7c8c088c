"""What a service can be hurt with for a while: each is begun, lasts, and is over."""

import asyncio
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from .conftest import Hurt
from .traffic import ANN, OUTSIDE, Traffic

Fault = Callable[[Hurt, Traffic], AbstractContextManager[None]]


@contextmanager
def supervisor_dies(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    hurt.service.process.kill()
    yield
    hurt.restart()


@contextmanager
def database_dies(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    assert hurt.server is not None
    hurt.server.kill()
    yield
    hurt.server.start(careful=True)


@contextmanager
def database_stops(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    """In good order, as for an upgrade; what is asked meanwhile finds nobody."""
    assert hurt.server is not None
    hurt.server.stop()
    yield
    hurt.server.start(careful=True)


@contextmanager
def database_answers_nothing(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    """As slow as can be: it takes questions, and answers them when the fault is over."""
    assert hurt.server is not None
    assert hurt.server.process is not None
    pids = [hurt.server.process.pid, *_children(hurt.server.process.pid)]
    for pid in pids:
        hurt.signal(pid, signal.SIGSTOP)
    yield
    for pid in pids:
        hurt.signal(pid, signal.SIGCONT)


@contextmanager
def database_is_read_only(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    assert hurt.server is not None
    if hurt.server.kind == "mariadb":
        hurt.server.admin("SET GLOBAL read_only = 1")
        yield
        hurt.server.admin("SET GLOBAL read_only = 0")
        return
    # As a standby that nobody has promoted.
    signal_file = hurt.server.folder / "data" / "standby.signal"
    hurt.server.stop()
    signal_file.touch()
    hurt.server.start(careful=True)
    yield
    hurt.server.stop()
    signal_file.unlink()
    hurt.server.start(careful=True)


@contextmanager
def database_is_locked(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    connection = hurt.open()
    connection.execute("BEGIN EXCLUSIVE")
    yield
    connection.execute("ROLLBACK")
    connection.close()


@contextmanager
def database_is_away(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    """Its files."""
    away = hurt.folder / "away"
    away.mkdir()
    for file in hurt.database.parent.glob("lazaret.db*"):
        shutil.move(file, away / file.name)
    yield
    for file in away.iterdir():
        shutil.move(file, hurt.database.parent / file.name)
    away.rmdir()


@contextmanager
def disk_is_full(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    """The small one of `small_disk`, of our data or of the database's server."""
    assert hurt.disk is not None
    ballast = hurt.disk / "ballast"
    with suppress(OSError), ballast.open("wb") as file:
        while True:
            file.write(b"\0" * 65_536)
            file.flush()
    yield
    ballast.unlink()
    server = hurt.server
    if server is not None and server.process is not None and server.process.poll() is not None:
        server.start(careful=True)  # PostgreSQL ends when it cannot write its journal


@contextmanager
def next_hop_is_gone(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    hurt.hop.shut()
    yield
    hurt.hop.open()


def next_hop_answers(reply: str, *, recipients: Sequence[str] = (), at_end: bool = False) -> Fault:
    @contextmanager
    def answers(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
        wanted = hurt.hop.hop.end if at_end else hurt.hop.hop.rcpt
        wanted.update(dict.fromkeys(recipients, reply))
        yield
        wanted.clear()

    return answers


next_hop_defers = next_hop_answers("450 4.2.0 later", recipients=(ANN, OUTSIDE))
next_hop_defers_one = next_hop_answers("450 4.2.0 later", recipients=(OUTSIDE,))
next_hop_defers_the_message = next_hop_answers("451 4.3.0 later", recipients=(ANN, OUTSIDE), at_end=True)
next_hop_refuses = next_hop_answers("550 5.7.1 no", recipients=(ANN, OUTSIDE))
next_hop_refuses_one = next_hop_answers("550 5.1.1 unknown", recipients=(OUTSIDE,))


@contextmanager
def next_hop_hangs(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    released = asyncio.Event()
    hurt.hop.hop.pause = lambda message: released.wait()
    yield
    hurt.hop.hop.pause = lambda message: None
    hurt.hop.loop.call_soon_threadsafe(released.set)


@contextmanager
def next_hop_closes_in_data(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    hurt.hop.hop.cuts_in_data = True
    yield
    hurt.hop.hop.cuts_in_data = False


@contextmanager
def next_hop_closes_after_the_dot(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    """It has taken the message, and says nothing."""
    hop = hurt.hop.hop

    async def swallow(message: object) -> None:
        hop.received.append(message)  # type: ignore[arg-type]
        for connection in list(hop.connections):
            connection.transport.abort()
        await asyncio.get_running_loop().create_future()

    hop.pause = swallow
    yield
    hop.pause = lambda message: None


@contextmanager
def clients_vanish(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    traffic.vanish()
    yield


@contextmanager
def clock_jumps(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
    """Two days ahead and back again; the service was started with `clock_of_its_own`."""
    (hurt.folder / "offset").write_text(str(2 * 86_400))
    yield
    (hurt.folder / "offset").write_text("0")


def _taken_away(what: int, value: int) -> Fault:
    @contextmanager
    def take_away(hurt: Hurt, traffic: Traffic) -> Iterator[None]:
        before = {}
        for pid in hurt.workers():
            with suppress(OSError):
                before[pid] = resource.prlimit(pid, what)
                resource.prlimit(pid, what, (value, before[pid][1]))
        yield
        for pid, limits in before.items():
            with suppress(OSError):
                resource.prlimit(pid, what, limits)

    return take_away


no_descriptors = _taken_away(resource.RLIMIT_NOFILE, 12)
no_memory = _taken_away(resource.RLIMIT_AS, 1 << 20)


CLOCK = """
import time
real = time.time

def jumping():
    with open({offset!r}) as file:
        return real() + float(file.read() or 0)

time.time = jumping
"""
"""Is imported before all else: a clock that is as far off as a file says."""


def clock_of_its_own(hurt: Hurt) -> None:
    """The service starts anew, with a clock that the file `offset` shifts."""
    (hurt.folder / "offset").write_text("0")
    (hurt.folder / "clock").mkdir()
    (hurt.folder / "clock" / "sitecustomize.py").write_text(CLOCK.format(offset=str(hurt.folder / "offset")))
    hurt.stop()
    hurt.wrap = ("env", f"PYTHONPATH={hurt.folder / 'clock'}:{os.environ.get('PYTHONPATH', '')}")
    hurt.start()


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
