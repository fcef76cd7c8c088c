"""`lazaret config check | default | explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lazaret.cli.context import Command, Given, Group, as_owner, json_option, pass_given, run_async
from lazaret.cli.output import print_json, table
from lazaret.cli.policy import print_explanation
from lazaret.config.document import default_file
from lazaret.config.explain import explain as explain_config
from lazaret.config.options import Config
from lazaret.model.errors import StoreUnavailable, UserError

if TYPE_CHECKING:
    from lazaret.flow.policy_desk import Explanation

EX_NOINPUT = 66


@click.group(cls=Group)
def config() -> None:
    """Check, show and explain the configuration."""


@config.command(cls=Command)
@pass_given
def check(given: Given) -> None:
    """Read the configuration; name every error with file and line, and what to write instead."""
    loaded = given.load()
    click.echo(f"{loaded.file or 'no configuration file, defaults'}: good")


@config.command(cls=Command)
def default() -> None:
    """Print a configuration file with every option, its default and what it does."""
    click.echo(default_file(), nl=False)


@config.command(cls=Command)
@click.option("--rcpt", metavar="ADDR", help="What holds for this recipient.")
@json_option
@pass_given
def explain(given: Given, rcpt: str | None, as_json: bool) -> None:
    """Show what is in force and where it was set. Secrets are not shown."""
    loaded = given.load()
    if rcpt is not None:
        print_explanation(_holds_for(loaded, rcpt), as_json=as_json)
        return
    head = ("OPTION", "VALUE", "SET IN")
    rows = [(line.key, line.value, line.where) for line in explain_config(loaded)]
    if as_json:
        for key, value, where in rows:
            print_json({"key": key, "value": value, "where": where})
        return
    click.echo(table(head, rows))


def _holds_for(loaded: Config, recipient: str) -> Explanation:
    """As `policy explain` says; where there is no database, what the configuration says."""
    from lazaret import app
    from lazaret.flow.policy_desk import Explanation, lines

    try:
        store = app.open_store(as_owner(loaded))
    except UserError as e:
        if e.exit_code != EX_NOINPUT:
            raise
    except StoreUnavailable as e:
        click.echo(f"note: {e}; this is what the configuration alone says", err=True)
    else:
        try:
            return run_async(app.make_policy_desk(loaded, store).explain(recipient))
        finally:
            store.close()
    return Explanation(tuple(lines(app.lookup_of(loaded).policy_for(recipient), loaded.where)))
