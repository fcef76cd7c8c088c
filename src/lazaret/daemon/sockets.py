"""The listening sockets: bound once by the supervisor, inherited by every process."""

import errno
import os
import resource
import socket
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lazaret.config.endpoint import Endpoint
from lazaret.config.options import Config
from lazaret.model.envelope import Role
from lazaret.model.errors import UserError

BACKLOG = 512
UNIX_MODE = 0o660
MOST_FILES = 65_536


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening socket, and what is spoken on it."""

    endpoint: Endpoint
    socket: socket.socket
    speaks: str
    """smtp | ampdp | spamd | http"""
    role: Role = Role.AFTER_QUEUE

    @property
    def port(self) -> int:
        """0 for a Unix socket."""
        return 0 if self.endpoint.path else int(self.socket.getsockname()[1])

    @property
    def address(self) -> str:
        """Where it really listens: port 0 has become a number."""
        if self.endpoint.path:
            return f"unix:{self.endpoint.path}"
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def wanted(config: Config) -> Iterator[tuple[Endpoint, str, Role]]:
    """What the configuration asks to listen on."""
    for endpoint in config.listen.smtp:
        yield endpoint, "smtp", Role.AFTER_QUEUE
    for endpoint in config.listen.before_queue:
        yield endpoint, "smtp", Role.BEFORE_QUEUE
    for endpoint in config.listen.originating:
        yield endpoint, "smtp", Role.ORIGINATING
    for endpoint in config.listen.ampdp:
        yield endpoint, "ampdp", Role.AFTER_QUEUE
    for endpoint in config.listen.spamd:
        yield endpoint, "spamd", Role.AFTER_QUEUE
    if config.listen.http:
        yield config.listen.http, "http", Role.AFTER_QUEUE


def bind_all(config: Config, old: Sequence[Listener] = ()) -> list[Listener]:
    """A listener for each, not yet listening; what `old` has at the same address is taken over.

    UserError (exit 71, EX_OSERR) names the address that cannot be bound; nothing new stays bound then.
    """
    have = {(item.endpoint, item.speaks, item.role): item for item in old}
    at = {item.endpoint: item.socket for item in old if item.endpoint.path or item.endpoint.port}
    listeners: list[Listener] = []
    try:
        for endpoint, speaks, role in wanted(config):
            known = have.get((endpoint, speaks, role))
            # The same address under another role keeps its socket: it cannot be bound a second time.
            listeners.append(known or Listener(endpoint, at.get(endpoint) or _bind(endpoint), speaks, role))
    except BaseException:
        close(listeners, but=old)
        raise
    return listeners


def allow_many() -> None:
    """As many file descriptors as we may have: the usual 1024 are too few for limits.connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(listeners: Iterable[Listener]) -> None:
    """From now on clients can connect. UserError (71) when another program was quicker."""
    for item in listeners:
        try:
            item.socket.listen(BACKLOG)
        except OSError as e:
            raise UserError(f"cannot listen on {item.endpoint}: {_cause(e, item.endpoint)}", 71) from e


def close(listeners: Iterable[Listener], *, but: Iterable[Listener] = ()) -> None:
    """Closes sockets and takes away the files of Unix ones, except those that `but` still uses."""
    for item in let_go(listeners, but=but):
        if item.endpoint.path:
            _remove(item.endpoint.path)


def let_go(listeners: Iterable[Listener], *, but: Iterable[Listener] = ()) -> list[Listener]:
    """Closes them for this process alone, except those whose socket `but` uses; which were closed."""
    used = {item.socket for item in but}
    closed = [item for item in listeners if item.socket not in used]
    for item in closed:
        item.socket.close()
    return closed


def _bind(endpoint: Endpoint) -> socket.socket:
    try:
        return _bind_unix(endpoint.path) if endpoint.path else _bind_tcp(endpoint)
    except OSError as e:
        raise UserError(f"cannot listen on {endpoint}: {_cause(e, endpoint)}", 71) from e


def _cause(error: OSError, endpoint: Endpoint) -> str:
    """What is wrong, and where it is known what to do about it."""
    remedy = {
        errno.EADDRINUSE: f"; `ss -lp{'x' if endpoint.path else 'tn'}` shows by whom",
        errno.EADDRNOTAVAIL: "; `ip address` shows those of this machine",
    }
    if not endpoint.path:
        remedy[errno.EACCES] = "; ports below 1024 are for root, or for who has CAP_NET_BIND_SERVICE"
    return f"{error.strerror or error}{remedy.get(error.errno or 0, '')}"


def _bind_tcp(endpoint: Endpoint) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        endpoint.host, endpoint.port, type=socket.SOCK_STREAM
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.setblocking(False)
        return sock
    except OSError:
        sock.close()
        raise


def _bind_unix(path: str) -> socket.socket:
    """A socket file that nobody answers on is left over from a crash, and goes."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_stale(path):
            _remove(path)
        before = os.umask(0o777 & ~UNIX_MODE)
        try:
            sock.bind(path)
        finally:
            os.umask(before)
        sock.setblocking(False)
        return sock
    except OSError:
        sock.close()
        raise


def _is_stale(path: str) -> bool:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return False
    except FileNotFoundError:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
    return False


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
