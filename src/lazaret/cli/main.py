"""The command `lazaret`: its sub-commands, each imported only when it is called."""

import os
import re
import sys
from importlib import import_module
from io import TextIOWrapper
from keyword import iskeyword
from typing import NoReturn

import click

from lazaret import __version__
from lazaret.cli.context import Given, ReaderGone, global_options, user_name
from lazaret.model.errors import LazaretError, NoSuchMessage, StoreUnavailable, UserError

EX_USAGE = 64
EX_NOINPUT = 66
EX_SOFTWARE = 70
EX_IOERR = 74
EX_TEMPFAIL = 75
EX_NOPERM = 77
EX_INTERRUPTED = 130
EX_READER_GONE = 141
"""What the shell shows for a process that SIGPIPE ended."""

COMMANDS = {
    "serve": ("lazaret.cli.serve", "Run the filter, the quarantine and the web page."),
    "demo": ("lazaret.cli.demo", "Show the whole story in the terminal, in under a minute."),
    "scan": ("lazaret.cli.scan", "Score messages; changes nothing."),
    "find": ("lazaret.cli.find", "Search the quarantine, newest first."),
    "show": ("lazaret.cli.show", "Show one message: why it is here, who it is for, what it says."),
    "release": ("lazaret.cli.release", "Send quarantined messages to their recipients after all."),
    "delete": ("lazaret.cli.deletion", "Mark quarantined messages deleted."),
    "undelete": ("lazaret.cli.deletion", "Take that mark back."),
    "policy": ("lazaret.cli.policy", "Who gets which levels: list, set, unset, explain."),
    "allow": ("lazaret.cli.senders", "Senders whose mail is wanted: add, remove, list."),
    "block": ("lazaret.cli.senders", "Senders whose mail is not wanted: add, remove, list."),
    "simulate": ("lazaret.cli.simulate", "What would have become of the history at other levels."),
    "report": ("lazaret.cli.report", "What was quarantined, per recipient, as plain text."),
    "digest": ("lazaret.cli.digest", "Tell recipients by mail what was quarantined for them."),
    "stats": ("lazaret.cli.stats", "Figures of the history."),
    "selftest": (
        "lazaret.cli.selftest",
        "Send a spam and a clean message through the filter.",
    ),
    "compare": ("lazaret.cli.compare", "List what another filter judges differently."),
    "doctor": ("lazaret.cli.doctor", "Find what is wrong between Postfix and Lazaret."),
    "learn": ("lazaret.cli.learn", "Teach the learner, and see what it knows."),
    "forget": ("lazaret.cli.forget", "Take lessons of the learner back."),
    "rules": ("lazaret.cli.rules", "Check, list, explain and measure rules."),
    "user": ("lazaret.cli.user", "Let people come to the web page."),
    "config": ("lazaret.cli.config", "Check, show and explain the configuration."),
    "import": ("lazaret.cli.import_", "Take over what amavisd has: its quarantine, its configuration."),
    "db": ("lazaret.cli.db", "Make, check, back up, restore and tidy up the database."),
}
"""Name -> the module that has the command under this name, and what it does."""


class _Commands(click.Group):
    """Imports a command when it is called, and for its own --help; the list of commands needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


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
    if "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        ctx.color = False


def run() -> None:
    """The entry point."""
    finish(main, "lazaret")


def finish(command: click.Command, name: str) -> NoReturn:
    """Runs a command line to its end, and the process with it: the status is honest (sysexits.h)."""
    # What a message says must not fail for a terminal that lacks its characters.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        status = command.main(prog_name=name, standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as e:
        _say_usage(e, name)
        sys.exit(EX_USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EX_INTERRUPTED)
    except (ReaderGone, BrokenPipeError):
        # Python would complain of what is left in its buffer at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EX_READER_GONE)
    except LazaretError as e:
        click.echo(f"{name}: {e}", err=True)
        sys.exit(_status(e))
    except PermissionError as e:
        # Root has become the owner of the data directory, and may wonder what is closed to him.
        click.echo(f"{name}: {e.filename}: {e.strerror} (as user {user_name()})", err=True)
        sys.exit(EX_NOPERM)
    except OSError as e:
        click.echo(f"{name}: {e.filename}: {e.strerror}" if e.filename else f"{name}: {e}", err=True)
        sys.exit(EX_IOERR)
    sys.exit(status if isinstance(status, int) else 0)


def _say_usage(error: click.UsageError, name: str) -> None:
    """One line; a command without its sub-command gets its help, which is what was missing."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    path = error.ctx.command_path if error.ctx else name
    text = _in_plain_words(error.format_message())
    stop = "" if text.endswith((".", "?")) else "."
    click.echo(f"{path}: {text[:1].lower()}{text[1:]}{stop} Try {path} --help", err=True)


def _in_plain_words(text: str) -> str:
    """Without click's names of types: "is not a valid float", "is not in the range x>=1"."""
    text = re.sub(r"is not a valid (?:float|integer)", "is no number", text)
    return re.sub(r"is not in the range x>=(\S+?)\.?$", r"is less than \1", text)


def _status(error: LazaretError) -> int:
    if isinstance(error, UserError):
        return error.exit_code
    if isinstance(error, NoSuchMessage):
        return EX_NOINPUT
    return EX_TEMPFAIL if isinstance(error, StoreUnavailable) else EX_SOFTWARE
