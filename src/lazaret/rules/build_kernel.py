"""`python -m lazaret.rules.build_kernel` compiles the kernels of all rooms, given a compiler.

`x/some_kernel.c` becomes the module `x._some_kernel`. Without them everything runs in Python, with the same
results: then it says why in one line, and ends with 0.
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

SOURCE = Path(__file__).with_name("kernel.c")
_ROOMS = {
    "rules": "The rules run",
    "learn": "The learner runs",
    "mime": "Mail is read",
    "wire": "Mail is taken",
}


class NotBuiltError(Exception):
    """Says why, in a few words."""


def sources() -> list[Path]:
    """The kernels of all rooms."""
    rooms = SOURCE.parents[1]
    return [source for room in _ROOMS for source in sorted((rooms / room).glob("*kernel.c"))]


def build(directory: Path, *flags: str, source: Path = SOURCE) -> Path:
    """Compiles one into the directory; NotBuiltError when that cannot be done here."""
    headers = sysconfig.get_path("include")
    if not (Path(headers) / "Python.h").is_file():
        raise NotBuiltError("Python.h is missing (Debian: python3-dev)")
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    target = directory / f"_{source.stem}{sysconfig.get_config_var('EXT_SUFFIX')}"
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
    for source in sources():
        room = source.parent
        try:
            build(room, source=source)
        except (NotBuiltError, OSError) as error:
            for old in room.glob(f"_{source.stem}.*.so"):
                old.unlink(missing_ok=True)  # It may be of another version.
            print(f"{_ROOMS[room.name]} without a compiled kernel, slower: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
