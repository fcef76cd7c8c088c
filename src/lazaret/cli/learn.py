"""`lazaret learn`: what the learner knows, and how good it would be on your mail."""

import click

from lazaret.cli.context import Group
from lazaret.cli.learn_eval import evaluate


@click.group(cls=Group)
def learn() -> None:
    """Try the learner on labelled mail.

    \b
    Examples:
      lazaret learn eval --index corpus/INDEX.tsv
      lazaret learn eval --index corpus/INDEX.tsv --shuffle 1 --noise 5% --json
    """


learn.add_command(evaluate)
