"""Fuzzes one target with the compiled kernels under AddressSanitizer; their branches guide the fuzzer too.

    CC=clang .venv/bin/python fuzz/sanitized.py TARGET [--seconds N] [--corpus FOLDER]

Needs clang with its sanitizers (Debian: clang, libclang-rt-dev), and what `make fuzz` installs. The ordinary
kernels are built again at the end.
"""

import os
import subprocess
import sys
from pathlib import Path

import atheris

from lazaret.rules import build_kernel

FLAGS = ("-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=address,fuzzer-no-link")


def main() -> None:
    compiler = os.environ.pop("CC", "clang")
    try:
        os.environ["CC"] = compiler
        for source in build_kernel.sources():
            build_kernel.build(source.parent, *FLAGS, source=source)
        del os.environ["CC"]
        environment = {
            "LD_PRELOAD": str(Path(atheris.path()) / "asan_with_fuzzer.so"),
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",  # Python never frees all it has
            "PYTHONMALLOC": "malloc",  # so that octets beyond the end of an object are seen
        }
        run = [sys.executable, str(Path(__file__).with_name("run.py")), *sys.argv[1:]]
        sys.exit(subprocess.run(run, env={**os.environ, **environment}).returncode)
    finally:
        os.environ.pop("CC", None)
        build_kernel.main()


if __name__ == "__main__":
    main()
