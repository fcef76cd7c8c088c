"""Keys that lie as files in the data directory, each for one purpose, and in no backup of the database."""

import os
import secrets
from pathlib import Path

from lazaret.model.errors import UserError

KEY_OCTETS = 32
EX_IOERR = 74


def site_key(data_dir: Path, name: str) -> bytes:
    """The key in this file; made when there is none, and by one process when several want it."""
    path = data_dir / name
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", EX_IOERR) from error
    if len(key) != KEY_OCTETS:
        raise UserError(
            f"{path} is not a key of {KEY_OCTETS} octets; remove it, and a new one is made", EX_IOERR
        )
    return key


def _make(path: Path) -> None:
    """A file that is whole from the beginning, and that only we can read; the first one made stays."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_OCTETS))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first, and its key holds
    finally:
        draft.unlink()
