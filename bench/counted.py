"""`lazaret`, with every bytecode counted. For bench/counts.py.

    python bench/counted.py FILE serve …

A process that gets SIGUSR2 counts what all its threads do from then on; at the next one it writes into FILE,
for each function: bytecodes, calls, file and line, and name.
"""

import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

bytecodes: Counter[CodeType] = Counter()
calls: Counter[CodeType] = Counter()
counting = False


def begin(frame: FrameType, _event: str, _: Any) -> Any:
    """Called for each new frame; what it gives is called for each step within."""
    if not counting:
        return None
    calls[frame.f_code] += 1
    frame.f_trace_opcodes, frame.f_trace_lines = True, False
    return step


def step(frame: FrameType, event: str, _: Any) -> Any:
    bytecodes[frame.f_code] += event == "opcode"
    return step


def main() -> None:
    path = Path(sys.argv.pop(1))
    from lazaret.cli.main import run

    def toggle(_: int, __: FrameType | None) -> None:
        global counting
        counting = not counting
        if not counting:
            lines = (
                f"{n}\t{calls[code]}\t{_place(code)}\t{code.co_qualname}\n" for code, n in bytecodes.items()
            )
            path.write_text("".join(lines))

    signal.signal(signal.SIGUSR2, toggle)
    threading.settrace(begin)
    sys.settrace(begin)
    run()


def _place(code: CodeType) -> str:
    return f"{code.co_filename.rpartition('/src/')[2]}:{code.co_firstlineno}"


if __name__ == "__main__":
    main()
