"""Where the configuration file lies, and the directory that relative paths are taken from."""

import os
from collections.abc import Mapping
from pathlib import Path

SYSTEM_FILE = Path("/etc/lazaret/lazaret.toml")
SYSTEM_STATE = Path("/var/lib/lazaret")


def config_file(
    given: str | None, environment: Mapping[str, str], *, system_file: Path = SYSTEM_FILE
) -> tuple[Path | None, str]:
    """The file to read, if any, and who named it: `--config`, $LAZARET_CONFIG, or "" for the system's."""
    if given is not None:
        return Path(given), "--config"
    if environment.get("LAZARET_CONFIG"):
        return Path(environment["LAZARET_CONFIG"]), "$LAZARET_CONFIG"
    return (system_file if os.path.lexists(system_file) else None), ""


def base_directory(
    file: Path | None, environment: Mapping[str, str], *, euid: int, system_state: Path = SYSTEM_STATE
) -> Path:
    """What relative paths are relative to, absolute: the directory of the file, else that of our state."""
    if file is not None:
        return file.absolute().parent
    if environment.get("STATE_DIRECTORY"):
        # systemd lists several directories with colons between them; ours is the first.
        return Path(environment["STATE_DIRECTORY"].split(":")[0]).absolute()
    if _is_ours(system_state, euid):
        return system_state
    state = environment.get("XDG_STATE_HOME", "")
    # The XDG specification: a relative path here is invalid and to be ignored.
    return (Path(state) if os.path.isabs(state) else _home(environment) / ".local" / "state") / "lazaret"


def _is_ours(directory: Path, euid: int) -> bool:
    """Whether we may work there: root becomes the owner first, whoever that is."""
    try:
        return directory.is_dir() and euid in (0, directory.stat().st_uid)
    except OSError:
        return False


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or os.path.expanduser("~"))
