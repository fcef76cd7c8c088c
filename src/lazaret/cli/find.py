"""`lazaret find`: searches the quarantine, or the whole history."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lazaret.cli.context import Command, Given, json_option, pass_given
from lazaret.cli.desk import at_desk, local_time
from lazaret.cli.output import print_json, table
from lazaret.flow.explain import item_facts

if TYPE_CHECKING:
    from lazaret.flow.quarantine import QuarantineDesk
    from lazaret.model.quarantine import Item

QUERY_HELP = """
\b
Free words search subject, addresses and text; all terms must hold. Fields:
  from:spam.com        that domain and all below it (envelope sender, From, Reply-To)
  from:a@spam.com      that address
  from:anna            part of a name or local part
  envelope-from:  header-from:  to:  subject:  body:  attachment:
  rule:SYMBOL          a rule that hit; rule:PHISH* all that begin so
  score:>6  size:>1M   also < <= >= and plain numbers
  category:spam        clean, spammy, spam, virus, banned, unchecked …
  action:quarantine    deliver, mark, quarantine, discard, reject, defer
  state:quarantined    released, deleted, uncertain; with --all also delivered …
  since:7d  before:2026-01-31
  client:192.0.2.7  id:  message-id:  queue-id:  campaign:
A - before a term negates it; "quotes" keep words together.
\b
Examples (the shell wants ' ' around < > and "):
  lazaret find from:spam.com since:7d
  lazaret find invoice 'score:<6' -to:anna@example.org
  lazaret find 'subject:"your invoice"' --json
  lazaret find --all to:anna@example.org since:2h
"""
_CURSOR = re.compile(r"[0-9]{6,}-[0-9]+-.+")


def _words(ctx: click.Context, parameter: click.Parameter, value: Sequence[str]) -> str:
    """The query as one text. An option that is not ours is a typing error, not a negated word."""
    for word in value:
        if word.startswith("--"):
            known = [name for option in ctx.command.params for name in option.opts]
            raise click.NoSuchOption(
                word, possibilities=sorted(o for o in known if o[:4] == word[:4]), ctx=ctx
            )
    return " ".join(value)


@click.command(cls=Command, epilog=QUERY_HELP, context_settings={"ignore_unknown_options": True})
@click.argument("query", nargs=-1, callback=_words)
@click.option("--all", "everything", is_flag=True, help="Search the whole history, delivered mail too.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@click.option("--after", default="", metavar="ID", help="Go on after this message, as the last of a page.")
@click.option("--count", is_flag=True, help="Print only how many there are.")
@json_option
@pass_given
def find(
    given: Given, query: str, everything: bool, limit: int | None, after: str, count: bool, as_json: bool
) -> None:
    """Search the quarantine, newest first.

    Without a QUERY it lists all that is in the quarantine. Nothing found is no error: exit status 0.
    """

    async def search(desk: QuarantineDesk) -> None:
        if count:
            click.echo(await desk.count(query, everything=everything))
            return
        cursor = await _cursor(desk, after)
        items = desk.find(query, everything=everything, limit=limit or 0, after=cursor, told=_say_since)
        if as_json:
            async for item in items:
                print_json(item_facts(item))
            return
        rows = [_row(item) async for item in items]
        if rows:
            head = ("ID", "TIME", "SCORE", "STATE", "FROM", "TO", "SUBJECT")
            click.echo(table(head, rows, right=(2,)))
        elif sys.stdout.isatty():
            wider = "" if everything else "; --all searches the whole history, delivered mail too"
            click.echo(f"nothing found{wider}", err=True)

    at_desk(given, search)


def _say_since(since: float) -> None:
    click.echo(
        f"too many messages have these words: only the newest were searched, those since {local_time(since)};"
        " add before: for older ones",
        err=True,
    )


async def _cursor(desk: QuarantineDesk, after: str) -> str:
    """Where the page begins. People give the ID that they see, programs the cursor of the API."""
    if not after or _CURSOR.fullmatch(after):
        return after
    return (await desk.show(after)).item.cursor


def _row(item: Item) -> tuple[str, ...]:
    recipients = [c.address for c in item.copies]
    more = f" +{len(recipients) - 1}" if len(recipients) > 1 else ""
    return (
        item.mail_id,
        local_time(item.time),
        f"{item.score:.1f}",
        str(item.state),
        item.sender or "<>",
        f"{recipients[0]}{more}" if recipients else "",
        item.subject,
    )
