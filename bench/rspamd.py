"""Rspamd for a measurement: Debian's package, no network, a private Redis for Bayes, data in its own folder.

What would ask the DNS or another service is off, so that what remains is the work that SpamAssassin's local
tests and Lazaret do: rules, texts, addresses, links, Bayes. A name server that is not there proves it.
"""

import http.client
import re
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from processes import await_port, serving

SCAN_PORT, CONTROL_PORT, MILTER_PORT, REDIS_PORT = 12133, 12134, 12132, 12179

_OFF = re.findall(
    r"\w+",
    "ratelimit dmarc reputation rbl fuzzy_check arc replies url_redirector greylist dkim_signing dkim neural"
    " history_redis rspamd_update spf mx_check asn once_received",
)
_LOCAL = {
    "hfilter.conf": "helo_enabled = false; hostname_enabled = false; from_enabled = false;"
    " rcpt_enabled = false; mid_enabled = false;",
    "phishing.conf": "openphish_enabled = false; phishtank_enabled = false;",
    "logging.inc": 'level = "warning";',
    "options.inc": 'dns { nameserver = ["127.0.0.1:1:1"]; timeout = 0.1s; retransmits = 1; }'
    " local_addrs = [];",
}
_BAYES = f'backend = "redis"; servers = "127.0.0.1:{REDIS_PORT}";'
_OVERRIDE = {
    "worker-normal.inc": f'bind_socket = "127.0.0.1:{SCAN_PORT}"; count = %d;',
    "worker-controller.inc": f'bind_socket = "127.0.0.1:{CONTROL_PORT}"; secure_ip = "127.0.0.1";',
    "worker-proxy.inc": f'bind_socket = "127.0.0.1:{MILTER_PORT}"; milter = yes; timeout = 120s;'
    ' upstream "local" { default = yes; self_scan = yes; } count = %d;',
}
_PROTOCOL = struct.Struct("!III")
_ACTIONS = 0x1FF
_NO_REPLY = {
    b"L": 0x80,
    b"C": 0x1000,
    b"H": 0x2000,
    b"M": 0x4000,
    b"R": 0x8000,
    b"T": 0x10000,
    b"N": 0x40000,
    b"B": 0x80000,
}
"""The flag of each step that the filter sends no answer to."""
_STEPS = sum(_NO_REPLY.values())
"""We can do without any of those answers."""
_ANSWERS = b"acdrty"

Label = tuple[bool, bytes]


def missing(bayes: bool) -> str:
    """The program that is needed and not installed."""
    needed = ["rspamd", "redis-server"] if bayes else ["rspamd"]
    return next((name for name in needed if shutil.which(name) is None), "")


@contextmanager
def running(
    folder: Path, workers: int, lessons: Sequence[Label] = (), lua: str = ""
) -> Iterator[Sequence[int]]:
    """Started, its expressions compiled; with lessons also taught. Gives its pid, and that of its Redis.

    `lua`: rules of one's own.
    """
    configuration = _configuration(folder, workers, bool(lessons), lua)
    pids = []
    with ExitStack() as stack:
        if lessons:
            redis = ["redis-server", "--port", str(REDIS_PORT), "--bind", "127.0.0.1", "--save", ""]
            redis += ["--dir", str(folder), "--appendonly", "no"]
            pids.append(stack.enter_context(serving(redis, REDIS_PORT, folder / "redis.log")))
        variables = {"LOCAL_CONFDIR": configuration, "DBDIR": folder, "RUNDIR": folder, "LOGDIR": folder}
        command = ["rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", "/etc/rspamd/rspamd.conf"]
        for name, value in variables.items():
            command += ["--var", f"{name}={value}"]
        pids.append(stack.enter_context(serving(command, SCAN_PORT, folder / "log")))
        await_port(CONTROL_PORT, "rspamd's controller", folder / "log")
        _await_expressions(folder)
        for spam, octets in lessons:
            _post(CONTROL_PORT, "/learnspam" if spam else "/learnham", octets)
        yield pids


def scan(messages: Sequence[bytes], connections: int) -> list[float]:
    """Each over HTTP, as `rspamc` and Rspamd's own milter do."""
    return _timed(messages, connections, lambda octets: _post(SCAN_PORT, "/checkv2", octets))


def over_milter(messages: Sequence[bytes], connections: int) -> list[float]:
    """Each as an MTA sends it."""
    return _timed(messages, connections, _milter)


def _configuration(folder: Path, workers: int, bayes: bool, lua: str) -> Path:
    configuration = folder / "conf"
    local, override = configuration / "local.d", configuration / "override.d"
    local.mkdir(parents=True)
    override.mkdir()
    for name in _OFF:
        (local / f"{name}.conf").write_text("enabled = false;\n")
    for name, text in _LOCAL.items():
        (local / name).write_text(text + "\n")
    if bayes:
        (local / "redis.conf").write_text(f'servers = "127.0.0.1:{REDIS_PORT}";\n')
        (local / "classifier-bayes.conf").write_text(_BAYES + "\n")
    (configuration / "rspamd.local.lua").write_text(lua)
    for name, text in _OVERRIDE.items():
        (override / name).write_text((text % workers if "%d" in text else text) + "\n")
    folder.chmod(0o755)
    subprocess.run(["chown", "-R", "_rspamd:", str(folder)], check=True)
    return configuration


def _await_expressions(folder: Path) -> None:
    """Its helper compiles them behind the service; until then PCRE does their work, and more slowly."""
    seen, still = -1, 0
    for _ in range(60):
        time.sleep(1)
        now = len(list(folder.glob("*.hs*")))
        still = still + 1 if now == seen and now else 0
        if still == 4:
            break
        seen = now


def _timed(messages: Sequence[bytes], connections: int, send: Callable[[bytes], object]) -> list[float]:
    def one(octets: bytes) -> float:
        began = time.perf_counter()
        send(octets)
        return time.perf_counter() - began

    with ThreadPoolExecutor(connections) as pool:
        return list(pool.map(one, messages))


def _post(port: int, path: str, octets: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", path, octets)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    # 208: learned already.
    if answer.status not in (200, 204, 208):
        raise RuntimeError(f"Rspamd answers {answer.status} to {path}")


def _milter(octets: bytes) -> None:
    """One message over one connection, protocol version 6."""
    head, _, body = octets.partition(b"\r\n\r\n")
    with socket.create_connection(("127.0.0.1", MILTER_PORT), 20) as stream, stream.makefile("rwb") as file:

        def put(command: bytes, data: bytes = b"") -> None:
            file.write(struct.pack("!I", len(data) + 1) + command + data)

        def answer() -> tuple[bytes, bytes]:
            file.flush()
            (size,) = struct.unpack("!I", file.read(4))
            packet = file.read(size)
            return packet[:1], packet[1:]

        put(b"O", _PROTOCOL.pack(6, _ACTIONS, _STEPS))
        unanswered = _PROTOCOL.unpack(answer()[1][: _PROTOCOL.size])[2]
        steps = [
            (b"C", b"client.example\x004" + struct.pack("!H", 25) + b"192.0.2.7\0"),
            (b"H", b"client.example\0"),
            (b"M", b"<a@example.org>\0"),
            (b"R", b"<b@example.net>\0"),
            (b"T", b""),
        ]
        for field in _fields(head):
            name, _, value = field.partition(b":")
            steps.append((b"L", name + b"\0" + value.strip().replace(b"\r\n", b"\n") + b"\0"))
        steps.append((b"N", b""))
        steps += [(b"B", body[start : start + 65_535]) for start in range(0, len(body), 65_535)]
        for command, data in steps:
            put(command, data)
            if not unanswered & _NO_REPLY[command]:
                answer()
        put(b"E")
        while answer()[0] not in _ANSWERS:
            pass
        put(b"Q")


def _fields(head: bytes) -> list[bytes]:
    fields: list[bytes] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] += b"\r\n" + line
        elif b":" in line:
            fields.append(line)
    return fields
