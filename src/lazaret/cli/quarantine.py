"""`lazaret find, show, release, delete, undelete`: the quarantine on the command line."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

import click

from lazaret import app
from lazaret.cli.context import (
    Command,
    Given,
    as_owner,
    json_option,
    pass_given,
    plain,
    print_json,
    run_async,
    table,
    who,
)
from lazaret.flow import explain
from lazaret.flow.quarantine import QuarantineDesk, Released
from lazaret.mime import message as mime
from lazaret.model.errors import NoSuchMessage
from lazaret.model.quarantine import Detail, Item
from lazaret.model.verdict import ScoredHit

T = TypeVar("T")

EX_NOINPUT = 66
EX_REFUSED = 69
EX_DEFERRED = 75
PREVIEW_LINES = 30

QUERY_HELP = """
\b
Free words search subject, addresses and text. Fields:
  from:spam.com      that domain and all below it (envelope sender, From, Reply-To)
  from:a@spam.com    that address        from:anna   part of a name or local part
  envelope-from: header-from: to: subject: body: attachment:
  rule:SYMBOL  score:>6  size:>1M  category:spam  action:quarantine
  state:quarantined|released|deleted|uncertain
  since:7d  before:2026-01-31  client:192.0.2.7  id: message-id: queue-id:
A - before a term negates it; "quotes" keep words together.
"""


@click.command(cls=Command, epilog=QUERY_HELP, context_settings={"ignore_unknown_options": True})
@click.argument("query", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Search the whole history, delivered mail too.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.option("--after", default="", metavar="CURSOR", help="Continue after this cursor.")
@click.option("--count", is_flag=True, help="Print only how many there are.")
@json_option
@pass_given
def find(
    given: Given,
    query: Sequence[str],
    everything: bool,
    limit: int | None,
    after: str,
    count: bool,
    as_json: bool,
) -> None:
    """Search the quarantine, newest first.

    `lazaret find from:spam.com` lists what came from there; `lazaret find invoice score:\\<6 since:7d`
    what speaks of an invoice, scored below 6 and came in the last seven days.
    """

    async def search(desk: QuarantineDesk) -> None:
        words = " ".join(query)
        if count:
            click.echo(await desk.count(words, everything=everything))
            return
        items = desk.find(words, everything=everything, limit=limit or 0, after=after)
        if as_json:
            async for item in items:
                print_json(explain.item_facts(item))
            return
        rows = [_row(item) async for item in items]
        if rows:
            head = ("ID", "TIME", "SCORE", "STATE", "FROM", "TO", "SUBJECT")
            click.echo(table(head, rows, right=(2,)))

    _at_desk(given, search)


@click.command(cls=Command)
@click.argument("mail_id", metavar="ID")
@click.option("--raw", is_flag=True, help="Print the message, octet by octet as it came in.")
@click.option("--headers", is_flag=True, help="Print its header section.")
@json_option
@pass_given
def show(given: Given, mail_id: str, raw: bool, headers: bool, as_json: bool) -> None:
    """Show one message: why it is here, who it is for, what it says."""

    async def look(desk: QuarantineDesk) -> None:
        detail = await desk.show(mail_id)
        if as_json:
            print_json(explain.detail_facts(detail))
            return
        if raw or headers:
            text = await desk.text(mail_id, who=who())
            octets = text.message
            sys.stdout.buffer.write(octets if raw else _header_section(octets))
            return
        click.echo("\n".join(_lines(detail)))
        if detail.item.stored:
            text = await desk.text(mail_id, who=who())
            click.echo("\n" + _preview(text.message))

    _at_desk(given, look)


@click.command(cls=Command)
@click.argument("mail_ids", metavar="ID…", nargs=-1, required=True)
@click.option("--to", multiple=True, metavar="ADDR", help="To this address instead (repeatable).")
@click.option("--outside", is_flag=True, help="Allow --to outside local.domains.")
@click.option("--again", is_flag=True, help="Also what was released before, or may have been.")
@pass_given
def release(given: Given, mail_ids: Sequence[str], to: Sequence[str], outside: bool, again: bool) -> None:
    """Send quarantined messages to the recipients they were kept from.

    Prints a line per recipient: ID, address, and what the next hop answered. Exit status: 0 all
    accepted, 75 some deferred (they stay releasable), 69 some refused, 66 no such message.
    """

    async def let_go(desk: QuarantineDesk) -> int:
        status = 0
        for mail_id in mail_ids:
            try:
                released = await desk.release(mail_id, who=who(), to=to, again=again, outside=outside)
            except NoSuchMessage as e:
                click.echo(f"lazaret: {e}", err=True)
                status = max(status, EX_NOINPUT)
                continue
            for one in released:
                click.echo(f"{mail_id} {plain(one.recipient)} {plain(str(one.reply))}")
                status = max(status, _status(one))
        return status

    sys.exit(_at_desk(given, let_go))


def _status(released: Released) -> int:
    if not released.sent and not released.reply.positive:
        return EX_DEFERRED
    if released.reply.transient:
        return EX_DEFERRED
    return EX_REFUSED if released.reply.permanent else 0


@click.command(cls=Command)
@click.argument("mail_ids", metavar="ID…", nargs=-1, required=True)
@pass_given
def delete(given: Given, mail_ids: Sequence[str]) -> None:
    """Mark messages deleted. `undelete` takes that back until retention removes them."""
    _mark(given, mail_ids, deleted=True)


@click.command(cls=Command)
@click.argument("mail_ids", metavar="ID…", nargs=-1, required=True)
@pass_given
def undelete(given: Given, mail_ids: Sequence[str]) -> None:
    """Take the mark `deleted` back."""
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

    sys.exit(_at_desk(given, mark))


def _at_desk(given: Given, act: Callable[[QuarantineDesk], Awaitable[T]]) -> T:
    """Opens the database, does it, closes: with nothing left half-written."""

    async def visit() -> T:
        async with app.open_desk(as_owner(given.load())) as desk:
            return await act(desk)

    return run_async(visit())


def _row(item: Item) -> tuple[str, ...]:
    recipients = [c.address for c in item.copies]
    more = f" +{len(recipients) - 1}" if len(recipients) > 1 else ""
    return (
        item.mail_id,
        _local_time(item.time),
        f"{item.score:.1f}",
        str(item.state),
        item.sender or "<>",
        f"{recipients[0]}{more}" if recipients else "",
        item.subject,
    )


def _local_time(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


def _lines(detail: Detail) -> list[str]:
    item = detail.item
    lines = [
        f"{item.mail_id}  {_local_time(item.time)}  {item.state}",
        f"Subject:  {plain(item.subject) or '(none)'}",
        f"From:     {plain(item.from_header)}  (envelope <{plain(item.sender)}>)",
    ]
    if item.client_ip:
        lines.append(f"Client:   {plain(item.client_ip)}")
    lines += ["", "Why it is here", *(f"  {plain(line)}" for line in explain.why(detail))]
    lines += [f"  {h.score:+7.3f}  {h.symbol}  {plain(_with_detail(h))}" for h in _by_weight(detail)]
    lines += ["", "Recipients"]
    lines += [f"  {plain(c.address)}: {c.state}  {plain(c.response)}".rstrip() for c in item.copies]
    if detail.releases:
        lines += ["", "Releases"]
        lines += [
            f"  {_local_time(r.time)}  {r.state}  {plain(r.recipient)}  by {r.who}  {plain(r.response)}"
            for r in detail.releases
        ]
    if detail.attachments:
        lines += ["", "Attachments", *(f"  {plain(name)}" for name in detail.attachments)]
    return lines


def _by_weight(detail: Detail) -> list[ScoredHit]:
    return sorted(detail.hits, key=lambda h: -abs(h.score))


def _with_detail(hit: ScoredHit) -> str:
    return f"{hit.description}: {hit.detail}" if hit.detail else hit.description


def _header_section(octets: bytes) -> bytes:
    return octets[: mime.parse(octets).header.body_start]


def _preview(octets: bytes) -> str:
    """The visible text, a screen of it."""
    lines = [plain(line) for line in mime.parse(octets).visible_text.splitlines()]
    shown = [line for line in lines if line.strip()][:PREVIEW_LINES]
    return "\n".join(["Text", *(f"  {line}" for line in shown)])
