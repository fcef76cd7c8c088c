"""`lazaret show`: one message in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lazaret.cli.context import Command, Given, json_option, pass_given, who
from lazaret.cli.desk import EX_NOINPUT, at_desk, local_time
from lazaret.cli.output import plain, print_json, print_octets
from lazaret.flow import explain
from lazaret.mime import headers as header_section
from lazaret.model.errors import UserError

if TYPE_CHECKING:
    from lazaret.flow.quarantine import QuarantineDesk
    from lazaret.model.quarantine import Detail, StoredText
    from lazaret.model.verdict import ScoredHit

_TOWARDS = re.compile(r"; (?=towards ham: )")
PREVIEW_LINES = 30
PREVIEW_WIDTH = 200
"""Characters of a line of the text: spam likes to put a page into one."""


@click.command(cls=Command)
@click.argument("mail_id", metavar="ID")
@click.option("--raw", is_flag=True, help="Print the message, octet by octet as it came in.")
@click.option("--headers", is_flag=True, help="Print its header section, octet by octet.")
@json_option
@pass_given
def show(given: Given, mail_id: str, raw: bool, headers: bool, as_json: bool) -> None:
    """Show one message: why it is here, who it is for, what it says.

    The ID is the first column of `lazaret find`. A delivered message is in the history only, without
    its text. Who reads a text is written down. On a terminal control characters are shown as a mark; where
    stdout is a file or a pipe, --raw and --headers give every octet as it came in.
    """
    if raw + headers + as_json > 1:
        raise click.UsageError("only one of --raw, --headers and --json can be printed")

    async def look(desk: QuarantineDesk) -> None:
        detail = await desk.show(mail_id)
        if as_json:
            print_json(explain.detail_facts(detail))
        elif raw or headers:
            octets = (await _text(desk, detail)).message
            end = None if raw else header_section.parse(octets).body_start
            print_octets(octets[:end])
        else:
            await _tell(desk, detail)

    at_desk(given, look)


async def _text(desk: QuarantineDesk, detail: Detail) -> StoredText:
    if not detail.item.stored:
        raise UserError(
            f"{detail.item.mail_id}: its text is not in the quarantine, only its history", EX_NOINPUT
        )
    return await desk.text(detail.item.mail_id, who=who())


async def _tell(desk: QuarantineDesk, detail: Detail) -> None:
    lines = [*_head(detail), *_reasons(detail), *_recipients(detail), *_attachments(detail)]
    if detail.item.stored:
        lines += _preview((await _text(desk, detail)).message)
    click.echo("\n".join(lines))


def _head(detail: Detail) -> Iterator[str]:
    item = detail.item
    yield f"{item.mail_id}  {local_time(item.time)}  {item.state}"
    yield f"Subject:  {plain(item.subject) or '(none)'}"
    yield f"From:     {plain(item.from_header)}  (envelope <{plain(item.sender)}>)"
    if item.client_ip:
        yield f"Client:   {plain(item.client_ip)}"
    if item.message_id:
        yield f"Message:  {plain(item.message_id)}, {item.size:,} octets"
    if item.queue_id:
        yield f"Queue:    {plain(item.queue_id)}"


def _reasons(detail: Detail) -> Iterator[str]:
    yield "\nWhy it is here"
    yield from (f"  {plain(line)}" for line in explain.why(detail))
    for hit in sorted(detail.hits, key=lambda h: -abs(h.score)):
        first, *more = _described(hit)
        yield f"  {hit.score:+7.3f}  {hit.symbol}  {plain(first)}".rstrip()
        yield from (f"{' ' * 13}{plain(line)}" for line in more)


def _described(hit: ScoredHit) -> list[str]:
    """What a hit means; the learner's words have lines of their own, one each way."""
    if not hit.detail:
        return [hit.description]
    if hit.detail.startswith("towards "):
        return [hit.description, *_TOWARDS.split(hit.detail)]
    return [f"{hit.description}: {hit.detail}"]


def _recipients(detail: Detail) -> Iterator[str]:
    yield "\nRecipients"
    for copy in detail.item.copies:
        yield f"  {plain(copy.address)}: {copy.state}  {plain(copy.response)}".rstrip()
    if detail.releases:
        yield "\nReleases"
    for r in detail.releases:
        fate = f"{r.state}  {r.recipient}  by {r.who}  {r.response}"
        yield f"  {local_time(r.time)}  {plain(fate)}".rstrip()


def _attachments(detail: Detail) -> Iterator[str]:
    if detail.attachments:
        yield "\nAttachments"
        yield from (f"  {plain(name)}" for name in detail.attachments)


def _preview(octets: bytes) -> Iterator[str]:
    """The visible text, a screen of it."""
    from lazaret.mime import message  # the whole reader of mail, which --json and --raw need not load

    lines = [plain(line) for line in message.parse(octets).visible_text.splitlines() if line.strip()]
    yield "\nText"
    yield from (f"  {line[:PREVIEW_WIDTH]}" for line in lines[:PREVIEW_LINES])
    if len(lines) > PREVIEW_LINES:
        yield f"  … {len(lines) - PREVIEW_LINES} more lines; --raw prints all"
