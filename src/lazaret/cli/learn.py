"""`lazaret learn`: teaches the learner, says what it knows, and how good it would be on your mail."""

import click

from lazaret.cli.context import Group
from lazaret.cli.forget import forget
from lazaret.cli.learn_eval import evaluate
from lazaret.cli.learn_status import status
from lazaret.cli.learn_teach import ham, spam


@click.group(cls=Group)
def learn() -> None:
    """Teach the learner which mail is spam and which is ham, and look at what it knows.

    It says nothing before it has seen 25 messages of each, and its full say from 200 of each on.

    \b
    Examples:
      lazaret learn spam ~/Maildir/.Junk
      lazaret learn ham ~/Maildir/cur archive.mbox
      lazaret learn status
      lazaret learn eval --index corpus/INDEX.tsv
    """


for command in (spam, ham, forget, status, evaluate):
    learn.add_command(command)
