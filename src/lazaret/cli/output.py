"""How commands print: tables and JSON that no message can spoil, and progress on stderr."""

import json
import os
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence

import click

SILENT_S = 1.0
_DRIVES_A_TERMINAL = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What JSON leaves as it is: among others U+009B, which begins an escape sequence as ESC [ does."""


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def print_json(row: object) -> None:
    """One JSON object on a line of its own; a file name keeps its octets, whatever they are."""
    line = _DRIVES_A_TERMINAL.sub(_escaped, json.dumps(row, ensure_ascii=False)) + "\n"
    try:
        octets = line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, out of a message
        octets = (json.dumps(row) + "\n").encode("ascii")
    sys.stdout.buffer.write(octets)


def print_octets(octets: bytes) -> None:
    """As they are; on a terminal without what would drive it."""
    if sys.stdout.isatty():
        text = octets.decode("utf-8", "replace").replace("\r\n", "\n")
        octets = "\n".join(plain(line.replace("\t", "    ")) for line in text.split("\n")).encode("utf-8")
    sys.stdout.buffer.write(octets)


def plain(text: str) -> str:
    """Text of a message, safe for a terminal: no control or escape sequences, no turned direction."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Columns side by side; cut to the terminal's width only when there is one."""
    lines = [list(head), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(_width(line[i]) for line in lines) for i in range(len(head))]
    columns = _terminal_columns()
    return "\n".join(_cut(_row(line, widths, right).rstrip(), columns) for line in lines)


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = []
    for i, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (width - _width(cell))
        padded.append(space + cell if i in right else cell + space)
    return "  ".join(padded)


def _cut(line: str, columns: int | None) -> str:
    """The beginning of the line that fits."""
    if columns is None or _width(line) <= columns:
        return line
    end = min(len(line), columns)
    while _width(line[:end]) > columns:
        end -= 1
    return line[:end]


def _width(text: str) -> int:
    """Columns on a terminal: Chinese, Japanese and Korean characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def _terminal_columns() -> int | None:
    return os.get_terminal_size().columns if sys.stdout.isatty() else None


def rule_progress() -> Callable[[int, int], None]:
    """Says how far the rules are compiled."""
    return progress_of("compiling rules", lambda done, total: f"{done} of {total}")


def progress_of(work: str, told: Callable[[int, int], str]) -> Callable[[int, int], None]:
    """Says on stderr how far long work is: in place on a terminal, otherwise every tenth.

    Nothing is said in the first second: what is quick is done before anyone wonders.
    """
    began = time.monotonic()
    said = -1

    def progress(done: int, total: int) -> None:
        nonlocal said
        tenth = done * 10 // max(total, 1)
        if said < 0 and time.monotonic() - began < SILENT_S:
            return
        if sys.stderr.isatty():
            click.echo(f"\r{work}: {told(done, total)}", err=True, nl=done >= total)
        elif tenth != said:
            click.echo(f"{work}: {told(done, total)}", err=True)
        said = tenth

    return progress
