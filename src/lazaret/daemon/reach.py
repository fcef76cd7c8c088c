"""Whether the user that root is about to become can read the program that runs.

A Python below /root is closed to everybody else: what it imports late, a codec for a letter's charset
for example, would be missing then. So all of that is loaded while we are still root.
"""

import importlib
import os
import pkgutil
import stat
from collections.abc import Iterator
from pathlib import Path

import lazaret
from lazaret.config.account import Account
from lazaret.model.errors import UserError

EX_NOPERM = 77

_LIBRARY = Path(os.__file__).parent
_PROGRAM = Path(lazaret.__file__).parent
_LATE = (
    *("difflib", "email.mime.text", "email.parser", "importlib.readers", "multiprocessing.connection"),
    *("uvicorn.lifespan.off", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto"),
)
"""What the modules that we import will import by themselves, when it comes to it."""


def load_what_is_closed(account: Account) -> None:
    """Imports now what the account could not import later. UserError when he cannot read Lazaret itself."""
    if not can_read(account, _PROGRAM):
        raise UserError(
            f"user {account.uid} cannot read {_PROGRAM}: install Lazaret where all users can", EX_NOPERM
        )
    if not can_read(account, _LIBRARY):
        for name in _everything():
            importlib.import_module(name)


def can_read(account: Account, directory: Path) -> bool:
    """Whether the account may look into the directory; groups besides its primary one do not count."""
    allowed = (_rights(account, place) & stat.S_IXOTH for place in directory.resolve().parents)
    return all(allowed) and _rights(account, directory) & 0o5 == 0o5


def _rights(account: Account, place: Path) -> int:
    """The three bits that hold for the account."""
    found = place.stat()
    if found.st_uid == account.uid:
        return found.st_mode >> 6 & 0o7
    return (found.st_mode >> 3 if found.st_gid == account.gid else found.st_mode) & 0o7


def _everything() -> Iterator[str]:
    import encodings

    for package in (lazaret, encodings):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.rpartition(".")[2] not in _ELSEWHERE:
                yield module.name
    yield from _LATE


_ELSEWHERE = ("__main__", "mbcs", "oem")
"""A command in itself, and codecs of Windows."""
