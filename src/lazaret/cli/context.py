"""What all commands share: --config and --set in any place, and how a command begins and ends."""

from __future__ import annotations

import os
import pwd
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click

if TYPE_CHECKING:
    from lazaret.config.options import Config

T = TypeVar("T")


class ReaderGone(Exception):
    """Whoever read our output (head, less) has seen enough and closed the pipe."""


@dataclass(slots=True)
class Given:
    """What was given on the command line besides the command's own arguments."""

    file: str | None = None
    settings: list[str] = field(default_factory=list)

    def load(self) -> Config:
        """The configuration. ConfigError (78) names every problem."""
        from lazaret.config.load import load  # `--help` need not wait for all options

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

    def invoke(self, ctx: click.Context) -> Any:
        """ReaderGone instead of BrokenPipeError, which click would turn into a failure of ours."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as e:
            raise ReaderGone from e


class Group(click.Group):
    """A group whose commands take --config and --set as well."""

    command_class = Command

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.params.extend(global_options())

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The first sentence of each command's help, in full: click cuts it to the line."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(c)) for name, c in found if c is not None])


def _first_sentence(command: click.Command) -> str:
    paragraph = " ".join((command.help or "").partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].rstrip(".") + "."


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
    name = os.environ.get("SUDO_USER") or os.environ.get("LOGNAME") or user_name()
    return f"cli:{name}"


def user_name() -> str:
    """Whose rights we have."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run us under a number without a name
        return str(os.getuid())


class _Span(click.ParamType[float]):
    """A span of time in seconds, written as 90m, 24h, 7d or 2w."""

    name = "span"
    _units: ClassVar[dict[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        number, unit = value[:-1], value[-1:]
        if not number.isascii() or not number.isdigit() or len(number) > 9 or unit not in self._units:
            self.fail(f"{value!r} is no span of time; write 90m, 24h or 7d", param, ctx)
        return float(number) * self._units[unit]


SPAN = _Span()
