"""`lazaret serve`."""

import sys

import click

from lazaret.cli.context import Command, Given, pass_given
from lazaret.cli.output import rule_progress


@click.command(cls=Command)
@pass_given
def serve(given: Given) -> None:
    """Run the filter, the quarantine and the web page until SIGTERM.

    Prints one line `ready smtp=… ampdp=… http=…` when all listeners accept. SIGHUP reads the
    configuration and the rules again, all or nothing.
    """
    from lazaret.daemon import supervisor
    from lazaret.web.app import create_app

    task = supervisor.Task(
        config=given.load(),
        load_config=given.load,
        web=create_app,
        announce=_announce,
        progress=rule_progress(),
    )
    sys.exit(supervisor.run(task))


def _announce(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()
