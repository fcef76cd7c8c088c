"""`python -m lazaret.rules.build_kernel` compiles the kernels of rules and learner, given a compiler.

Without it everything runs in Python, with the same results: then it says why in one line, and ends with 0.
"""

import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

_FLAGS = ("-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wno-missing-field-initializers")
_HARDENED = ("-fstack-protector-strong", "-D_FORTIFY_SOURCE=2")


_HERE = Path(__file__).parent


class NotBuiltError(Exception):
    """Says why, in a few words."""


def build(directory: Path, *flags: str, room: Path = _HERE) -> Path:
    """Compiles that of a room into the directory; NotBuiltError when that cannot be done here."""
    headers = sysconfig.get_path("include")
    if not (Path(headers) / "Python.h").is_file():
        raise NotBuiltError("Python.h is missing (Debian: python3-dev)")
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    target = directory / f"_kernel{sysconfig.get_config_var('EXT_SUFFIX')}"
    source = room / "kernel.c"
    with tempfile.TemporaryDirectory(dir=directory, prefix=".kernel") as folder:
        made = Path(folder) / target.name
        command = [*compiler, *_FLAGS, *(flags or _HARDENED), f"-I{headers}", str(source), "-o", str(made)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise NotBuiltError(f"no C compiler: {compiler[0]}: {error.strerror} (Debian: gcc)") from error
        if done.returncode:
            raise NotBuiltError(f"{compiler[0]} failed: {done.stderr.strip().splitlines()[-1:]}")
        os.replace(made, target)
    return target


def main() -> None:
    for room, who in ((_HERE, "The rules run"), (_HERE.with_name("learn"), "The learner runs")):
        try:
            build(room, room=room)
        except (NotBuiltError, OSError) as error:
            for old in room.glob("_kernel.*.so"):
                old.unlink(missing_ok=True)  # It may be of another version.
            print(f"{who} without a compiled kernel, a quarter slower: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
