"""Compiled rules on disk: written whole or not at all, and never trusted when a single octet is off."""

import hashlib
import importlib.metadata
import os
import platform
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import msgspec
import pcre2  # type: ignore[import-untyped]

from lazaret import __version__
from lazaret.rules.program import Program
from lazaret.rules.sources import Sources

_FORMAT = b"lazaret rules 1\n"
_DIGEST = 32
_KEEP = 4
"""Files kept besides the newest: other configurations on the same data directory."""


def key(sources: Sources, overrides: Mapping[str, float], choices: Iterable[str]) -> str:
    """A name for everything that the result depends on: texts, versions, processor, `choices`."""
    digest = hashlib.sha256(_FORMAT)
    engines = (importlib.metadata.version("hyperscan"), pcre2.__version__, pcre2.__libpcre2_version__)
    parts = [__version__, _compiler(), *engines, platform.machine(), _processor(), *choices]
    parts += [f"{name}={score!r}" for name, score in sorted(overrides.items())]
    parts += [f"{name}: {reason}" for name, reason in sources.unreadable]
    for part in parts:
        digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
    for file in sources.texts():
        digest.update(f"{file.name}\0{len(file.text)}\0".encode("utf-8", "surrogateescape") + file.text)
    return digest.hexdigest()[:40]


def load(directory: Path, name: str) -> Program | None:
    """The program stored under that key; None when there is none or it is damaged."""
    try:
        octets = (directory / f"{name}.rules").read_bytes()
    except OSError:
        return None
    body = octets[len(_FORMAT) + _DIGEST :]
    if octets[: len(_FORMAT)] != _FORMAT:
        return None
    if hashlib.sha256(body).digest() != octets[len(_FORMAT) : len(_FORMAT) + _DIGEST]:
        return None
    try:
        return msgspec.msgpack.decode(body, type=Program)
    except msgspec.MsgspecError:
        return None


def save(directory: Path, name: str, program: Program) -> None:
    """Stores it, readable for the owner alone, and removes the oldest files. OSError when it cannot."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    body = msgspec.msgpack.encode(program)
    descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=".", suffix=".new")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_FORMAT + hashlib.sha256(body).digest() + body)
        os.replace(temporary, directory / f"{name}.rules")
    except BaseException:
        os.unlink(temporary)
        raise
    _remove_old(directory)


def _remove_old(directory: Path) -> None:
    stored = sorted(directory.glob("*.rules"), key=lambda p: p.stat().st_mtime, reverse=True)
    for path in stored[_KEEP + 1 :]:
        path.unlink(missing_ok=True)


@cache
def _compiler() -> str:
    """A digest of this room's code: what it makes of the same rules may change with every line of it.

    Of the eval functions only the list of those that are not run has a say in it.
    """
    digest = hashlib.sha256()
    room = Path(__file__).parent
    for path in (*sorted(room.glob("*.py")), room / "evals" / "network.py"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def _processor() -> str:
    """The features of the processor: a database is compiled for them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")
