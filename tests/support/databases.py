"""MariaDB and PostgreSQL for the tests: private servers, one of each for a whole run, gone when it ends."""

import asyncio
import fcntl
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pymysql
import pytest
from tests.support.ports import free_port

REPOSITORY = Path(__file__).parents[2]
START_S = 60.0
MEMORY = 1 << 30
POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
MARIADB = shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
USER = "lazaret"
PASSWORD = "a p@ss/word"


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    kind: str
    port: int
    pid: int
    socket: str

    def url(self, database: str) -> str:
        scheme = "mysql" if self.kind == "mariadb" else "postgresql"
        return f"{scheme}://{USER}@127.0.0.1:{self.port}/{database}"


@contextmanager
def shared_server(kind: str, folder: Path) -> Iterator[Running]:
    """The server of this run in `folder`, started by whoever asks first.

    A guardian keeps it, and ends it when nobody holds the lock any more: also when the run is killed.
    """
    require(kind)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "starting", "w") as starting, open(folder / "users", "w") as users:
        fcntl.flock(starting, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        state = folder / "state"
        if not state.exists():
            start_guarded(kind, folder)
        running = Running(**json.loads(state.read_text()))
        fcntl.flock(starting, fcntl.LOCK_UN)
        yield running


def server_folder(run: Path) -> Path:
    """Where the servers of a run lie: in memory where there is room, because each table is a file or more."""
    memory = Path("/dev/shm")
    try:
        found = os.statvfs(memory)
    except OSError:
        return run
    if found.f_bavail * found.f_frsize < MEMORY or not os.access(memory, os.W_OK):
        return run
    # The name of the run is among the last three: another run, or what a killed one left, has another.
    return memory.joinpath(f"lazaret-tests-{os.getuid()}", *run.parts[-3:])


def require(kind: str) -> None:
    """Skips when the server is not installed."""
    if kind == "mariadb" and MARIADB is None:
        pytest.skip("there is no mariadbd: Debian package mariadb-server")
    if kind == "postgresql" and not POSTGRESQL:
        pytest.skip("there is no PostgreSQL: Debian package postgresql")


def start_guarded(kind: str, folder: Path) -> None:
    log = open(folder / "log", "wb")  # noqa: SIM115
    words = [sys.executable, "-m", "tests.support.databases", kind, str(folder)]
    guardian = subprocess.Popen(words, cwd=REPOSITORY, stdout=log, stderr=log, start_new_session=True)
    log.close()
    end = time.monotonic() + START_S
    while not (folder / "state").exists():
        if guardian.poll() is not None or time.monotonic() > end:
            pytest.fail(f"{kind} does not start: {(folder / 'log').read_text()[-2000:]}")
        time.sleep(0.02)
    # It outlives this process as likely as not.
    guardian.returncode = 0


class Servers:
    """The servers of this run as one of its workers uses them: databases to be had by kind."""

    def __init__(self, base: Path) -> None:
        # Each worker of xdist has a directory of its own below the one of the run.
        is_worker = base.name.startswith("popen-")
        self._worker = base.name if is_worker else "alone"
        self._folder = server_folder(base.parent if is_worker else base)
        self._held = ExitStack()
        self._running: dict[str, Running] = {}
        self._ours: dict[str, str] = {}
        self._made = 0

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()

    def running(self, kind: str) -> Running:
        if kind not in self._running:
            self._running[kind] = self._held.enter_context(shared_server(kind, self._folder / kind))
        return self._running[kind]

    def new(self, kind: str) -> str:
        """The URL of a new, empty database."""
        running = self.running(kind)
        self._made += 1
        name = f"t_{self._worker.replace('-', '_')}_{self._made}"
        if kind == "mariadb":
            with closing(
                pymysql.connect(host="127.0.0.1", port=running.port, user=USER, password=PASSWORD)
            ) as c:
                c.cursor().execute(f"CREATE DATABASE {name}")
        else:
            asyncio.run(make_database(running.port, name))
        return running.url(name)

    def as_administrator(self, kind: str, statement: str) -> None:
        """Runs a statement with all rights."""
        running = self.running(kind)
        Server(kind, Path(running.socket).parent, running.port).admin(statement)

    def ours(self, kind: str) -> tuple[str, bool]:
        """The URL of the database that this worker's tests share one after the other; whether it is new."""
        is_new = kind not in self._ours
        if is_new:
            self._ours[kind] = self.new(kind)
        return self._ours[kind], is_new


async def make_database(port: int, name: str) -> None:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user=USER, password=PASSWORD, database="postgres"
    )
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    await connection.close()


# What follows runs in the guardian's process, or in a test that wants a server of its own.


class Server:
    """A server in a folder of its own: made, started, killed, started again."""

    def __init__(self, kind: str, folder: Path, port: int) -> None:
        self.kind = kind
        self.folder = folder
        self.port = port
        self.socket = folder / ("mysql.sock" if kind == "mariadb" else f".s.PGSQL.{port}")
        self.process: subprocess.Popen[bytes] | None = None
        self._tls: list[str] = []
        self._account = account(kind)

    def make(self) -> None:
        """An empty server with the user `lazaret`, who may make databases."""
        os.chmod(self.folder, 0o755)
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if self._account:
            os.chown(data, *self._account)
            os.chown(self.folder, *self._account)
        if self.kind == "mariadb":
            options = [f"--datadir={data}", "--skip-test-db", "--auth-root-authentication-method=normal"]
            self._run("mariadb-install-db", "--no-defaults", *options)
        else:
            options = ["--auth=scram-sha-256", "--username=postgres", f"--pwfile={self._password_file()}"]
            options += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
            self._run(POSTGRESQL[-1] / "initdb", *options, data)

    def encrypt(self, certificate: Path, key: Path) -> None:
        """From the next start on it takes no connection over TCP without TLS."""
        if self._account:
            os.chown(key, *self._account)
        key.chmod(0o600)
        if self.kind == "mariadb":
            self._tls = [f"--ssl-cert={certificate}", f"--ssl-key={key}", "--require-secure-transport=ON"]
        else:
            pairs = ("ssl=on", f"ssl_cert_file={certificate}", f"ssl_key_file={key}")
            self._tls = [word for pair in pairs for word in ("-c", pair)]
            rules = "local all all scram-sha-256\nhostssl all all all scram-sha-256\n"
            (self.folder / "data" / "pg_hba.conf").write_text(rules)

    def start(self, *, careful: bool = False, durable: bool = False, memory: str = "64M") -> None:
        """Starts it, and waits until it answers. `careful`: what is committed survives `kill`.

        `durable`: it also survives a power cut, and all goes on as in service. `memory`: how much it keeps of
        its tables, as "1G".
        """
        data = self.folder / "data"
        if self.kind == "mariadb":
            log = "16M" if memory == "64M" else "256M"
            words = [
                *(str(MARIADB), "--no-defaults", f"--datadir={data}", f"--socket={self.socket}"),
                *("--bind-address=127.0.0.1", f"--port={self.port}", f"--pid-file={self.folder}/pid"),
                *(f"--innodb-buffer-pool-size={memory}", f"--innodb-log-file-size={log}"),
                *("--performance-schema=OFF", "--skip-name-resolve"),
                # A server that starts takes away what it finds of others' temporary tables.
                f"--tmpdir={self.folder}",
            ]
            if memory != "64M":
                # An index of words is made in runs of this size; one thread to a core.
                words += ["--innodb-sort-buffer-size=64M", "--innodb-ft-sort-pll-degree=2"]
            if not durable:
                words += [f"--innodb-flush-log-at-trx-commit={2 if careful else 0}"]
                words += ["--innodb-doublewrite=OFF", "--innodb-flush-method=nosync"]
        else:
            words = [
                *(str(POSTGRESQL[-1] / "postgres"), "-D", str(data), "-k", str(self.folder)),
                *("-h", "127.0.0.1", "-p", str(self.port)),
                *("-c", "max_connections=200", "-c", f"shared_buffers={memory}B"),
                # In its own folder: what a killed server leaves in /dev/shm nobody would take away.
                *("-c", "dynamic_shared_memory_type=mmap"),
            ]
            if not durable:
                words += ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off"]
        words += self._tls
        with open(self.folder / "server.log", "ab") as output:
            self.process = subprocess.Popen(words, stdout=output, stderr=output, preexec_fn=self._become)
        self._wait()

    def stop(self) -> None:
        """In good order."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT if self.kind == "postgresql" else signal.SIGTERM)
        self.process.wait(START_S)

    def kill(self) -> None:
        """As a crash does it: nothing is written any more."""
        if self.process is not None:
            if self.kind == "postgresql":
                self._kill_children(self.process.pid)
            self.process.kill()
            self.process.wait()

    def make_user(self) -> None:
        if self.kind == "mariadb":
            self.admin(
                f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO '{USER}'@'%'"
            )
        else:
            self.admin(f"CREATE ROLE {USER} LOGIN CREATEDB PASSWORD '{PASSWORD}'")

    def admin(self, statement: str) -> None:
        """Runs statements as the server's own administrator."""
        if self.kind == "mariadb":
            words = ["mariadb", "--no-defaults", "-u", "root", f"--socket={self.socket}", "-e", statement]
            subprocess.run(words, check=True, capture_output=True)
        else:
            words = [str(POSTGRESQL[-1] / "psql"), "-qh", str(self.folder), "-p", str(self.port)]
            words += ["-U", "postgres", "-d", "postgres", "-c", statement]
            environment = {**os.environ, "PGPASSWORD": PASSWORD}
            subprocess.run(words, check=True, capture_output=True, env=environment)

    def _wait(self) -> None:
        end = time.monotonic() + START_S
        while True:
            assert self.process is not None
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.folder / "server.log").read_text()[-2000:])
            try:
                self.admin("SELECT 1")
            except subprocess.CalledProcessError:
                time.sleep(0.02)
            else:
                return

    def _run(self, *words: object) -> None:
        done = subprocess.run(list(map(str, words)), preexec_fn=self._become, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def _become(self) -> None:
        os.chdir("/")
        if self._account:
            uid, gid = self._account
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)

    def _password_file(self) -> Path:
        file = self.folder / "password"
        file.write_text(PASSWORD)
        file.chmod(0o644)
        return file

    def _kill_children(self, pid: int) -> None:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            try:
                os.kill(int(child), 9)
            except ProcessLookupError:
                pass


def account(kind: str) -> tuple[int, int] | None:
    """Whom to become: neither server runs as root."""
    if os.geteuid() != 0:
        return None
    for name in ("mysql" if kind == "mariadb" else "postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    return None


def open_way(folder: Path) -> None:
    """Lets other users reach a folder below pytest's own, which are for their owner alone."""
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and "pytest" in str(parent):
            parent.chmod(parent.stat().st_mode | 0o011)


def remove(folder: Path) -> None:
    """What a server left behind."""
    shutil.rmtree(folder, ignore_errors=True)


def guard(kind: str, folder: Path) -> None:
    """Starts the server, says so, and ends it when nobody holds the lock on `users`."""
    place = folder / kind
    place.mkdir()
    open_way(place)
    server = Server(kind, place, free_port())
    server.make()
    server.start()
    server.make_user()
    assert server.process is not None
    running = {"kind": kind, "port": server.port, "pid": server.process.pid, "socket": str(server.socket)}
    half = folder / "state.half"
    half.write_text(json.dumps(running))
    half.rename(folder / "state")
    with open(folder / "users") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        (folder / "state").unlink()
        server.kill()
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    guard(sys.argv[1], Path(sys.argv[2]))
