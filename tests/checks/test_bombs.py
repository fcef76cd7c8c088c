"""A bomb costs a bounded time and a bounded memory on the whole way through the checks, rules and all."""

import asyncio
import base64
import io
import json
import os
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.mime import test_hostile

from lazaret.checks import Scan
from lazaret.checks.examine import examine
from lazaret.checks.rules import RulesCheck
from lazaret.mime import message as mime
from lazaret.model.envelope import Envelope, Recipient, Session
from lazaret.rules import RuleSet, load

CPU_S = 1.5
MEMORY_MB = 200
MEGABYTE = 1 << 20


def packed(members: dict[str, bytes]) -> bytes:
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, octets in members.items():
                archive.writestr(name, octets)
        return file.getvalue()


def attached(octets: bytes, name: str, kind: str = "application/octet-stream") -> bytes:
    return (
        b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        + f'Content-Type: {kind}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'.encode()
        + f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'.encode()
        + base64.encodebytes(octets)
        + b"\r\n--b--\r\n"
    )


def nested_archives() -> bytes:
    octets = b"\0" * (50 * MEGABYTE)
    for depth in range(6):
        octets = packed({f"{depth}.zip": octets})
    return octets


def office_file_of(octets: bytes) -> bytes:
    return packed(
        {"[Content_Types].xml": b"<Types/>", "word/document.xml": octets, "word/vbaProject.bin": octets}
    )


def pdf_of(octets: bytes) -> bytes:
    stream = zlib.compress(octets, 9)
    return b"%%PDF-1.7\n1 0 obj\n<</Filter/FlateDecode/Length %d>>stream\n%b\nendstream\nendobj\n%%%%EOF" % (
        len(stream),
        stream,
    )


BOMBS: dict[str, Callable[[], bytes]] = {
    "a zip file that unpacks to 1000 times its size": lambda: attached(
        packed({"a.docm": b"\0" * (100 * MEGABYTE)}), "a.zip", "application/zip"
    ),
    "zip files in zip files": lambda: attached(nested_archives(), "a.zip", "application/zip"),
    "an office file of 200 MB": lambda: attached(
        office_file_of(b"<a>" + b" " * (100 * MEGABYTE)), "a.docm", "application/msword"
    ),
    "a PDF file of 100 MB": lambda: attached(pdf_of(b"\0" * (100 * MEGABYTE)), "a.pdf", "application/pdf"),
    "base64 of 20 MB": lambda: attached(os.urandom(14 * MEGABYTE), "a.bin"),
    "text in base64 of 20 MB": lambda: (
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(b"viagra http://a.example/ " * (14 * MEGABYTE // 25))
    ),
    "50,000 links": lambda: (
        b"Content-Type: text/html\r\n\r\n"
        + b"".join(b'<a href="http://h%d.example.com/%d">x</a>\r\n' % (n, n) for n in range(50_000))
    ),
    "50,000 links in plain text": lambda: (
        b"Subject: x\r\n\r\n" + b"".join(b"http://h%d.example.com/%d\r\n" % (n, n) for n in range(50_000))
    ),
    "100,000 header fields": lambda: b"".join(b"X-%d: y\r\n" % n for n in range(100_000)) + b"\r\nhello\r\n",
    "a header field of 10 MB": lambda: (
        b"Subject: " + b"buy now " * (10 * MEGABYTE // 8) + b"\r\n\r\nhello\r\n"
    ),
    "1,000,000 recipients in To": lambda: b"To: " + b"a@b.example, " * 800_000 + b"\r\n\r\nhello\r\n",
    "10,000 parts": lambda: (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n" * 10_000
    ),
    "5,000 Received fields": lambda: (
        b"Received: from a (b [192.0.2.1]) by c with SMTP id 1; Mon, 2 Feb 2026 10:00:00 +0000\r\n" * 5000
        + b"\r\nhello\r\n"
    ),
    "20 MB of one letter": lambda: b"Subject: x\r\n\r\n" + b"a" * (20 * MEGABYTE),
    "20 MB of short words": lambda: b"Subject: x\r\n\r\n" + b"free money now\r\n" * (20 * MEGABYTE // 16),
    **{f"hostile form: {name}": make for name, make in test_hostile.CASES.items()},
}


@pytest.fixture(scope="module")
def ruleset(rules_cache: Path) -> RuleSet:
    return load([], shipped=True, cache_dir=rules_cache)


@pytest.fixture(scope="module")
def in_child(ruleset: RuleSet) -> Callable[[bytes], dict[str, float]]:
    """Examines a message in a process of its own: CPU seconds, and MB beyond what it had before."""
    check = RulesCheck(ruleset)

    def measured(octets: bytes) -> dict[str, float]:
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                os.write(writing, json.dumps(_examined(octets, check)).encode())
            finally:
                os._exit(0)
        os.close(writing)
        with open(reading, "rb") as answer:
            found = answer.read()
        os.waitpid(pid, 0)
        assert found, "the process died of it"
        result: dict[str, float] = json.loads(found)
        return result

    return measured


def _examined(octets: bytes, check: RulesCheck) -> dict[str, float]:
    for text in (b"Subject: first\r\n\r\nhello http://a.example/\r\n", octets):
        # The first message loads what all need.
        Path("/proc/self/clear_refs").write_text("5")
        before, began = _memory_mb("VmRSS"), time.process_time()
        message = mime.parse(text)
        scan = Scan(message, Session(), Envelope("a@out.example", (Recipient("b@home.example"),)), 1.77e9)
        report = asyncio.run(examine(scan, [check], budget_s=20))
        _ = message.visible_text, message.attachments
        found = {
            "cpu_s": time.process_time() - began,
            "memory_mb": _memory_mb("VmHWM") - before,
            "hits": len(report.hits),
        }
    return found


def _memory_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_a_bounded_time_and_memory(
    name: str, in_child: Callable[[bytes], dict[str, float]]
) -> None:
    found = in_child(BOMBS[name]())
    print(f"{name}: {found}")

    assert found["cpu_s"] < CPU_S * test_hostile.BUSY
    assert found["memory_mb"] < MEMORY_MB
