"""`lazaret release`: sends quarantined messages to their recipients after all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lazaret.cli.context import Command, Given, json_option, pass_given, who
from lazaret.cli.desk import EX_NOINPUT, at_desk
from lazaret.cli.output import plain, print_json
from lazaret.cli.senders import at_list_desk, print_entries
from lazaret.flow.quarantine import QuarantineDesk, Released
from lazaret.model.errors import NoSuchMessage, UserError
from lazaret.model.quarantine import Item, State

if TYPE_CHECKING:
    from lazaret.flow.lists import ListDesk
    from lazaret.model.policies import ListEntry

EX_REFUSED = 69
EX_DEFERRED = 75


@click.command(cls=Command)
@click.argument("mail_ids", metavar="ID…", nargs=-1, required=True)
@click.option("--to", multiple=True, metavar="ADDR", help="To this address instead (repeatable).")
@click.option("--outside", is_flag=True, help="Allow --to outside local.domains.")
@click.option("--learn-ham", is_flag=True, help="And teach the learner that they are ham.")
@click.option("--again", is_flag=True, help="Also what was released before, or may have been.")
@click.option(
    "--allow-sender", is_flag=True, help="Also allow the sender for these recipients, for 180 days."
)
@json_option
@pass_given
def release(
    given: Given,
    mail_ids: Sequence[str],
    to: Sequence[str],
    outside: bool,
    learn_ham: bool,
    again: bool,
    allow_sender: bool,
    as_json: bool,
) -> None:
    """Send quarantined messages to the recipients they were kept from.

    Prints a line per recipient: ID, address, and what the next hop answered. What was released before
    is sent again only with --again, or after a yes on the terminal.

    With --allow-sender the author goes onto the allow list of whoever got the message; what that
    does and does not do is printed. One of our own is not put on a list.

    Exit status: 0 all accepted (now, or before), 75 some deferred or uncertain (they stay releasable),
    69 some refused, 66 no such message.

    \b
    Examples:
      lazaret release kP3v0TzYw8Qd
      lazaret release kP3v0TzYw8Qd --learn-ham
      lazaret release kP3v0TzYw8Qd --to helpdesk@example.org
      lazaret find from:partner.example --json | jq -r .id | xargs lazaret release
    """

    got: list[tuple[Item, list[str]]] = []

    async def let_go(desk: QuarantineDesk) -> int:
        status = 0
        for mail_id in dict.fromkeys(mail_ids):
            try:
                first = await desk.release(
                    mail_id, who=who(), to=to, again=again, outside=outside, learn_ham=learn_ham
                )
                released = await _asked(desk, mail_id, first)
            except (NoSuchMessage, UserError) as e:
                click.echo(f"lazaret: {e}", err=True)
                status = max(status, e.exit_code if isinstance(e, UserError) else EX_NOINPUT)
                continue
            for one in released:
                _print(one, as_json)
                status = max(status, _status(one))
            if allow_sender:
                recipients = [one.recipient for one in released if one.state is State.RELEASED]
                got.append(((await desk.show(mail_id)).item, recipients))
        return status

    status = at_desk(given, let_go)
    if allow_sender:
        _allow(given, got, as_json=as_json)
    sys.exit(status)


def _allow(given: Given, got: Sequence[tuple[Item, list[str]]], *, as_json: bool) -> None:
    async def allow(desk: ListDesk) -> list[ListEntry]:
        written: list[ListEntry] = []
        for item, recipients in got:
            try:
                written += await desk.allow_released(item, recipients, who=who())
            except UserError as e:
                click.echo(f"note: {e}", err=True)
        return written

    print_entries(at_list_desk(given, allow), as_json=as_json)


async def _asked(desk: QuarantineDesk, mail_id: str, released: Sequence[Released]) -> list[Released]:
    """The same, after asking a person on the terminal about each copy that was not sent."""
    answers: list[Released] = []
    for one in released:
        if _was_before(one) and _somebody_is_there() and _wanted(one):
            # The first attempt has accepted the address, so it need not be local.
            answers += await desk.release(mail_id, who=who(), to=[one.recipient], again=True, outside=True)
        else:
            answers.append(one)
    return answers


def _was_before(released: Released) -> bool:
    return not released.sent and released.reply.positive


def _wanted(released: Released) -> bool:
    fate = "was released before" if released.state is State.RELEASED else "may have been sent before"
    question = f"{released.mail_id} {plain(released.recipient)} {fate}. Send it once more?"
    return click.confirm(question, err=True)


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _print(released: Released, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "id": released.mail_id,
                "to": released.recipient,
                "state": str(released.state),
                "sent": released.sent,
                "response": str(released.reply),
            }
        )
        return
    click.echo(f"{released.mail_id} {plain(released.recipient)} {plain(str(released.reply))}")


def _status(released: Released) -> int:
    if released.reply.transient or released.state is State.UNCERTAIN:
        return EX_DEFERRED
    return EX_REFUSED if released.reply.permanent else 0
