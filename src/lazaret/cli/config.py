"""`lazaret config check | default | explain`."""

from collections.abc import Iterator

import click

from lazaret.cli.context import Command, Given, Group, json_option, pass_given
from lazaret.cli.output import print_json, table
from lazaret.config.document import default_file
from lazaret.config.explain import explain as explain_config
from lazaret.config.options import Config


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
    if rcpt is None:
        head = ("OPTION", "VALUE", "SET IN")
        rows = [(line.key, line.value, line.where) for line in explain_config(loaded)]
    else:
        head = ("FOR THIS RECIPIENT", "VALUE", "SET IN")
        rows = [(key, value, loaded.where.get(key, "default")) for key, value in _policy(loaded, rcpt)]
    if as_json:
        for key, value, where in rows:
            print_json({"key": key, "value": value, "where": where})
        return
    click.echo(table(head, rows))


def _policy(loaded: Config, recipient: str) -> Iterator[tuple[str, str]]:
    """(the option that decides, what it comes to for this recipient)."""
    from lazaret import app

    policy = app.lookup_of(loaded).policy_for(recipient)
    yield "local.domains", "local" if policy.local else "not local: never marked"
    yield "policy.always_deliver", "marked at most" if policy.always_deliver else "not in it"
    yield "levels.tag", str(policy.levels.tag)
    yield "levels.mark", str(policy.levels.mark)
    yield "levels.quarantine", str(policy.levels.quarantine)
    yield "levels.kill", str(policy.levels.kill)
    yield "levels.kill_action", policy.kill_action
    yield "levels.quarantine_reply", policy.quarantine_reply
    yield "levels.subject_tag", repr(policy.subject_tag)
