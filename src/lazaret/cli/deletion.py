"""`lazaret delete` and `lazaret undelete`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lazaret.cli.context import Command, Given, pass_given, who
from lazaret.cli.desk import EX_NOINPUT, at_desk
from lazaret.model.errors import NoSuchMessage

if TYPE_CHECKING:
    from lazaret.flow.quarantine import QuarantineDesk


@click.command(cls=Command)
@click.argument("mail_ids", metavar="ID…", nargs=-1, required=True)
@pass_given
def delete(given: Given, mail_ids: Sequence[str]) -> None:
    """Mark messages deleted. `undelete` takes that back until retention removes them.

    Deleted messages are found with `lazaret find state:deleted`. Exit status 66: no such message.
    """
    _mark(given, mail_ids, deleted=True)


@click.command(cls=Command)
@click.argument("mail_ids", metavar="ID…", nargs=-1, required=True)
@pass_given
def undelete(given: Given, mail_ids: Sequence[str]) -> None:
    """Take the mark `deleted` back. Exit status 66: no such message."""
    _mark(given, mail_ids, deleted=False)


def _mark(given: Given, mail_ids: Sequence[str], *, deleted: bool) -> None:
    async def mark(desk: QuarantineDesk) -> int:
        status = 0
        for mail_id in mail_ids:
            try:
                if deleted:
                    await desk.delete(mail_id, who=who())
                else:
                    await desk.undelete(mail_id, who=who())
            except NoSuchMessage as e:
                click.echo(f"lazaret: {e}", err=True)
                status = EX_NOINPUT
        return status

    sys.exit(at_desk(given, mark))
