"""Says which part of its code each target has reached: the lines that its corpus runs, of those there are.

    .venv/bin/python fuzz/lines.py [TARGET …] [--missing]

Counted are the lines inside functions, of those modules of the room that the corpus reaches at all.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.rooms import ROOMS
from fuzz.targets import SEEDS, TARGETS

HERE = Path(__file__).parent


def codes(code: CodeType) -> Iterator[CodeType]:
    """All code inside a module's, however deep."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from codes(constant)


def lines_of(file: str) -> set[int]:
    """The lines of the functions of a file that do something."""
    module = compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)
    found = set()
    for code in codes(module):
        if code.co_flags & 0x2:  # CO_NEWLOCALS: a function, not the body of a class
            found |= {line for _, _, line in code.co_lines() if line and line != code.co_firstlineno}
    return found


def reached(target: str) -> dict[str, set[int]]:
    """The lines that the corpus of a target runs, by file."""
    room = str(Path(*ROOMS[target].split(".")))
    seen: dict[str, set[int]] = {}

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        file = frame.f_code.co_filename
        if f"/{room}" not in file:
            return None
        lines = seen.setdefault(file, set())

        def each(frame: FrameType, event: str, argument: object) -> Any:
            lines.add(frame.f_lineno)
            return each

        return each

    octets = [*SEEDS[target], *(file.read_bytes() for file in (HERE / "corpus" / target).glob("*"))]
    sys.settrace(trace)
    try:
        for one in octets:
            TARGETS[target](one)
    finally:
        sys.settrace(None)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", nargs="*", default=list(TARGETS))
    parser.add_argument("--missing", action="store_true", help="name the lines that are not reached")
    given = parser.parse_args()
    for target in given.target:
        seen = reached(target)
        there = {file: lines_of(file) for file in seen}
        run, of = sum(len(seen[f] & there[f]) for f in seen), sum(map(len, there.values()))
        print(
            f"{target}: {run} of {of} lines of {ROOMS[target]} ({100 * run / max(of, 1):.0f} %)", flush=True
        )
        if given.missing:
            for file in sorted(seen):
                print(f"  {Path(file).name}: {sorted(there[file] - seen[file])}")


if __name__ == "__main__":
    main()
