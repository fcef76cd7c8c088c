"""`lazaret report`: what was quarantined, per recipient, for a timer to send."""

import time

import click

from lazaret import app
from lazaret.cli.context import SPAN, Command, Given, as_owner, pass_given, run_async
from lazaret.flow.report import render
from lazaret.model.address import normalise


@click.command(cls=Command)
@click.option("--since", type=SPAN, default="24h", show_default=True, help="How far back: 90m, 24h, 7d.")
@click.option("--mail", metavar="ADDR", help="Only this recipient.")
@pass_given
def report(given: Given, since: float, mail: str | None) -> None:
    """What was quarantined, per recipient, nearest to the level first, as plain text."""
    config = as_owner(given.load())
    store = app.open_store(config)
    try:
        items = run_async(store.stats.quarantined(since=time.time() - since))
    finally:
        store.close()
    text = render(items, only=normalise(mail) if mail else "", level=config.levels.quarantine)
    if text:
        click.echo(text)
