"""What all commands share: --config and --set in any place, the parts they need, and how they print."""

import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import click

from lazaret.config.load import load
from lazaret.config.options import Config

T = TypeVar("T")


@dataclass(slots=True)
class Given:
    """What was given on the command line besides the command's own arguments."""

    file: str | None = None
    settings: list[str] = field(default_factory=list)

    def load(self) -> Config:
        """The configuration. ConfigError (78) names every problem."""
        return load(self.file, self.settings)


def _take_file(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Given).file = value


def _take_settings(ctx: click.Context, parameter: click.Parameter, value: Sequence[str]) -> None:
    ctx.ensure_object(Given).settings.extend(value)


def global_options() -> Iterable[click.Option]:
    """Options that every command takes, before or after its name and its arguments."""
    yield click.Option(
        ["--config"],
        metavar="FILE",
        expose_value=False,
        callback=_take_file,
        help="Configuration file; else $LAZARET_CONFIG, /etc/lazaret/lazaret.toml, or defaults.",
    )
    yield click.Option(
        ["--set"],
        metavar="KEY=VALUE",
        multiple=True,
        expose_value=False,
        callback=_take_settings,
        help="One setting, as levels.mark=4 (repeatable).",
    )


class Command(click.Command):
    """A command that takes --config and --set as well."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.params.extend(global_options())


class Group(click.Group):
    """A group whose commands take --config and --set as well."""

    command_class = Command

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.params.extend(global_options())


pass_given = click.make_pass_decorator(Given, ensure=True)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a command's coroutine to its end."""
    import asyncio  # costs 40 ms, which `--help` need not pay

    return asyncio.run(coroutine)


def as_owner(config: Config) -> Config:
    """Becomes the owner of the data directory when we are root, so that no file of root's is left there."""
    from lazaret.daemon.privileges import become_owner

    become_owner(config)
    return config


def who() -> str:
    """Under which name acts on the command line are written down."""
    import getpass

    name = os.environ.get("SUDO_USER") or getpass.getuser()
    return f"cli:{name}"


def print_json(row: object) -> None:
    """One JSON object on a line of its own; a file name keeps its octets, whatever they are."""
    line = json.dumps(row, ensure_ascii=False) + "\n"
    try:
        octets = line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, out of a message
        octets = (json.dumps(row) + "\n").encode("ascii")
    sys.stdout.buffer.write(octets)


def plain(text: str) -> str:
    """Text of a message, safe for a terminal: no control or escape sequences."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Columns side by side; cut to the terminal's width only when there is one."""
    lines = [list(head), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    limit = _terminal_width()
    return "\n".join(_row(line, widths, right)[:limit].rstrip() for line in lines)


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    return "  ".join(
        cell.rjust(width) if i in right else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )


def _terminal_width() -> int | None:
    return os.get_terminal_size().columns if sys.stdout.isatty() else None


Progress = Callable[[int, int], None]


def rule_progress() -> Progress:
    """Says on stderr how far the rules are compiled: in place on a terminal, otherwise every tenth."""
    said = -1

    def progress(done: int, total: int) -> None:
        nonlocal said
        tenth = done * 10 // max(total, 1)
        if sys.stderr.isatty():
            click.echo(f"\rcompiling rules: {done} of {total}", err=True, nl=done >= total)
        elif tenth != said:
            said = tenth
            click.echo(f"compiling rules: {done} of {total}", err=True)

    return progress


class _Span(click.ParamType[float]):
    """A span of time in seconds, written as 90m, 24h, 7d or 2w."""

    name = "span"
    _units: ClassVar[dict[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        number, unit = value[:-1], value[-1:]
        if not number.isascii() or not number.isdigit() or unit not in self._units:
            self.fail(f"{value!r} is no span of time; write 90m, 24h or 7d", param, ctx)
        return float(number) * self._units[unit]


SPAN = _Span()
