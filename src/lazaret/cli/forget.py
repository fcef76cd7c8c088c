"""`lazaret forget`: takes lessons back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lazaret.cli.context import SPAN, Command, Given, json_option, pass_given
from lazaret.cli.mail_source import find
from lazaret.cli.output import print_json
from lazaret.cli.teaching import at_lesson

if TYPE_CHECKING:
    from lazaret.flow.learn import Teaching


@click.command(cls=Command)
@click.argument("paths", metavar="[PATH…|-]", nargs=-1)
@click.option("--who", "teacher", metavar="ADDR", help="What this user or operator has taught.")
@click.option("--since", type=SPAN, metavar="SPAN", help="Only lessons of the last 90m, 24h or 7d.")
@json_option
@pass_given
def forget(
    given: Given, paths: Sequence[str], teacher: str | None, since: float | None, as_json: bool
) -> None:
    """Take lessons back: those of a teacher, or those on some messages.

    For an account that somebody else has used: all that it taught is as if it had never been taught,
    and what it had overturned holds again. Of a message that is forgotten nothing holds any more, whoever
    had taught it. The model is made anew out of the other lessons.

    \b
    Examples:
      lazaret forget --who eve@example.org
      lazaret forget --who eve@example.org --since 7d
      lazaret forget message.eml
    """
    if bool(teacher) == bool(paths):
        raise click.UsageError("give --who or PATHs")
    if since is not None and not teacher:
        raise click.UsageError("--since goes with --who")
    mails = list(find(paths).messages())

    async def take_back(teaching: Teaching) -> int:
        if not teacher:
            return await teaching.forget_messages(mails)
        after = time.time() - since if since is not None else 0.0
        return await teaching.forget(who=_teacher(teacher), since=after)

    count = at_lesson(given, take_back)
    if as_json:
        print_json({"forgotten": count})
    else:
        click.echo(f"{count:,} lessons forgotten")


def _teacher(name: str) -> str:
    """As the journal has it: an address is a user's, and `cli:root`, `auto:example.org` say what they are."""
    return name if ":" in name or "@" not in name else f"user:{name.lower()}"
