"""Commands without the second that each needs to load its modules: a process that has loaded them all forks.

Each command still runs in a process of its own, with its own environment, folder, input and output. What a
test proves of loading itself, or of Python's own settings, it proves with a process that is started anew.
"""

import array
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

TIMEOUT_S = 120.0
_HERE = Path(__file__)


@cache
def _brood() -> socket.socket:
    """The way to the process that forks; it ends when this one does, or closes the way."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    words = [sys.executable, str(_HERE), str(its.fileno())]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LAZARET_")}
    process = subprocess.Popen(words, pass_fds=[its.fileno()], env=environment)
    its.close()
    ours.settimeout(TIMEOUT_S)
    atexit.register(lambda: (ours.close(), process.wait()))
    return ours


def run(
    words: Sequence[str | bytes | Path], *, stdin: bytes, environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[bytes]:
    """`lazaret WORDS`, to its end."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.flush()
        given.seek(0)
        arguments = [os.fsdecode(word) for word in words]
        wish = json.dumps([arguments, dict(environment), str(folder)], ensure_ascii=True)
        way = _brood()
        with tempfile.TemporaryFile() as wished:
            wished.write(wish.encode())
            wished.flush()
            socket.send_fds(way, [b"!"], [f.fileno() for f in (wished, given, out, err)])
            pid = int(way.recv(32))
            try:
                status = int(way.recv(32))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                way.recv(32)
                raise subprocess.TimeoutExpired(arguments, TIMEOUT_S) from None
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(["lazaret", *arguments], status, out.read(), err.read())


# What follows runs in the process that forks.


def _load_all() -> None:
    from lazaret import app
    from lazaret.cli.main import COMMANDS

    for module in {module for module, _ in COMMANDS.values()}:
        import_module(module)
    app.preload()


def _serve(way: socket.socket) -> None:
    while True:
        octets, ancillary, _, _ = way.recvmsg(1, socket.CMSG_SPACE(4 * array.array("i").itemsize))
        if not octets:
            return
        descriptors = array.array("i", ancillary[0][2])
        pid = os.fork()
        if not pid:
            way.close()
            _become(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        way.send(str(pid).encode())
        way.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _become(wished: int, given: int, out: int, err: int) -> None:
    """The command, in this process; it never returns."""
    import time

    status = 70
    try:
        for number, descriptor in enumerate((given, out, err)):
            os.dup2(descriptor, number)
        words, environment, folder = json.loads(os.pread(wished, 1 << 24, 0))
        for descriptor in (wished, given, out, err):
            os.close(descriptor)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        sys.argv = ["lazaret", *words]
        from lazaret.cli.main import run as command

        command()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:
        import traceback

        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _load_all()
    _serve(socket.socket(fileno=int(sys.argv[1])))
