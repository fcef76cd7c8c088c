"""The command `lazaret`: its sub-commands, each imported only when it is called."""

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from lazaret import __version__
from lazaret.cli.context import Given, global_options
from lazaret.model.errors import LazaretError, NoSuchMessage, StoreUnavailable, UserError

EX_USAGE = 64
EX_NOINPUT = 66
EX_UNAVAILABLE = 69
EX_INTERRUPTED = 130

_COMMANDS = {
    "serve": ("lazaret.cli.serve", "serve"),
    "demo": ("lazaret.cli.demo", "demo"),
    "scan": ("lazaret.cli.scan", "scan"),
    "find": ("lazaret.cli.quarantine", "find"),
    "show": ("lazaret.cli.quarantine", "show"),
    "release": ("lazaret.cli.quarantine", "release"),
    "delete": ("lazaret.cli.quarantine", "delete"),
    "undelete": ("lazaret.cli.quarantine", "undelete"),
    "report": ("lazaret.cli.report", "report"),
    "stats": ("lazaret.cli.stats", "stats"),
    "selftest": ("lazaret.cli.selftest", "selftest"),
    "rules": ("lazaret.cli.rules", "rules"),
    "config": ("lazaret.cli.config", "config"),
    "db": ("lazaret.cli.db", "db"),
}
_SUMMARIES = {
    "serve": "Run the filter, the quarantine and the web page.",
    "demo": "Show the whole story in the terminal, in under a minute.",
    "scan": "Score messages; changes nothing.",
    "find": "Search the quarantine, newest first.",
    "show": "Show one message: why it is here, who it is for, what it says.",
    "release": "Send quarantined messages to their recipients after all.",
    "delete": "Mark quarantined messages deleted.",
    "undelete": "Take that mark back.",
    "report": "What was quarantined, per recipient, as plain text.",
    "stats": "Figures of the history.",
    "selftest": "Send a spam and a clean message through the filter, and see both fates.",
    "rules": "Check, list and explain rules.",
    "config": "Check, show and explain the configuration.",
    "db": "Make, check, back up, restore and tidy up the database.",
}


class _Commands(click.Group):
    """Imports a command when it is called, and for its own --help; the list of commands needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_SUMMARIES.items()))


@click.command(
    cls=_Commands,
    params=list(global_options()),
    context_settings={"max_content_width": 100},
    epilog="`lazaret COMMAND --help` tells more. Exit codes are those of sysexits.h: "
    "0 done, 64 usage, 66 no such message or file, 69 refused, 75 try again, 78 configuration.",
)
@click.version_option(__version__, prog_name="lazaret")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Lazaret scores mail, keeps what is bad, finds it again, says why, and lets it go."""
    ctx.ensure_object(Given)


def run() -> None:
    """The entry point."""
    finish(main, "lazaret")


def finish(command: click.Command, name: str) -> NoReturn:
    """Runs a command line to its end, and the process with it: the status is honest (sysexits.h)."""
    try:
        command.main(prog_name=name, standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as e:
        sys.exit(e.exit_code)
    except click.ClickException as e:
        e.show()
        sys.exit(EX_USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EX_INTERRUPTED)
    except BrokenPipeError:
        # Whoever reads us (head, less) has seen enough; Python must not complain of it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except LazaretError as e:
        click.echo(f"{name}: {e}", err=True)
        sys.exit(_status(e))
    sys.exit(0)


def _status(error: LazaretError) -> int:
    if isinstance(error, UserError):
        return error.exit_code
    if isinstance(error, NoSuchMessage):
        return EX_NOINPUT
    if isinstance(error, StoreUnavailable):
        return EX_UNAVAILABLE
    return 70
