"""`lazaret learn spam` and `lazaret learn ham`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from lazaret.cli.context import Command, Given, json_option, pass_given, who
from lazaret.cli.mail_source import Source, find
from lazaret.cli.output import print_json, progress_of
from lazaret.cli.teaching import at_lesson

if TYPE_CHECKING:
    from lazaret.flow.learn import Tally, Teaching

_WORDS = {
    "new": "new",
    "moved": "taught the other way before",
    "known": "known already",
    "kept": "left as an operator has taught them",
    "enough": "beyond the day's limit",
}


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.argument("paths", metavar="[PATH…|-]", nargs=-1),
            click.option("--id", "mail_ids", multiple=True, metavar="ID", help="One of the quarantine."),
            click.option("--user", metavar="ADDR", help="In the name of this user, out of his mailbox."),
            json_option,
            pass_given,
        )
    ):
        command = option(command)
    return command


@click.command(cls=Command)
@_options
def spam(
    given: Given, paths: Sequence[str], mail_ids: Sequence[str], user: str | None, as_json: bool
) -> None:
    """Teach that these messages are spam.

    A PATH is a message, an mbox, a Maildir, or a directory with any of them; `-` is stdin. A message
    counts once, however often it is taught; taught the other way, it moves.

    With --user a lesson counts only for mail that was examined here for that user, and only so many a
    day (learn.user_daily): that is for mailboxes, where moving a message to Junk teaches.

    \b
    Examples:
      lazaret learn spam ~/Maildir/.Junk
      lazaret learn spam --id kP3v0TzYw8Qd
      lazaret learn spam --user anna@example.org - < message
    """
    _teach(given, paths, mail_ids, user, as_json, spam=True)


@click.command(cls=Command)
@_options
def ham(given: Given, paths: Sequence[str], mail_ids: Sequence[str], user: str | None, as_json: bool) -> None:
    """Teach that these messages are ham.

    As `lazaret learn spam`, for mail that is wanted.

    \b
    Examples:
      lazaret learn ham ~/Maildir/cur archive.mbox
      lazaret learn ham --id kP3v0TzYw8Qd
    """
    _teach(given, paths, mail_ids, user, as_json, spam=False)


def _teach(
    given: Given,
    paths: Sequence[str],
    mail_ids: Sequence[str],
    user: str | None,
    as_json: bool,
    *,
    spam: bool,
) -> None:
    if not (paths or mail_ids):
        raise click.UsageError("give PATHs, - for stdin, or --id")
    if user and mail_ids:
        raise click.UsageError("give --user or --id, not both")
    source = find(paths)

    async def teach(teaching: Teaching) -> Tally:
        from lazaret.flow.learn import Tally

        tally = Tally()
        for mail_id in mail_ids:
            tally.fates[await teaching.teach_stored(mail_id, spam=spam, who=who())] += 1
        if user:
            for octets in source.messages():
                tally.fates[await teaching.teach_for_user(octets, spam=spam, user=user)] += 1
        elif paths:
            tally.fates += (await teaching.teach(_shown(source), spam=spam, who=who())).fates
        return tally

    # A mailbox does not wait until the model follows.
    tally = at_lesson(given, teach, follow=not user)
    _tell("spam" if spam else "ham", tally, source, as_json)


def _shown(source: Source) -> Iterator[bytes]:
    """The messages, with progress on stderr."""
    progress = progress_of("learning", lambda done, total: f"{100 * done // max(total, 1)} %")
    for octets in source.messages():
        yield octets
        if source.octets:
            progress(min(source.read, source.octets), source.octets)


def _tell(label: str, tally: Tally, source: Source, as_json: bool) -> None:
    counts = {fate.value: number for fate, number in tally.fates.items()}
    if as_json:
        known = {name: counts.get(name, 0) for name in _WORDS}
        print_json({"label": label, "messages": tally.messages, **known, "no_mail": source.passed_over})
        return
    said = ", ".join(f"{counts[name]:,} {words}" for name, words in _WORDS.items() if name in counts)
    click.echo(f"{tally.messages:,} messages taught as {label}{f': {said}' if said else ''}")
    if source.passed_over:
        click.echo(f"lazaret: {source.passed_over:,} files were passed over: they are no mail", err=True)
