"""`lazaret compare`: where our verdict and that of another filter differ."""

import sys
from collections.abc import Iterable, Sequence

import click

from lazaret.cli.context import SPAN, Command, Given, as_owner, json_option, pass_given, run_async
from lazaret.cli.output import print_json, table
from lazaret.cli.ruleset import load_rules
from lazaret.cli.scan import EX_NOINPUT, read_message, written_names
from lazaret.flow.comparison import QUERY, Compared, Summary, of_history

SYMBOLS = 5
"""That are shown of a message."""


@click.command(cls=Command)
@click.argument("files", metavar="[FILE…|-]", nargs=-1)
@click.option("--files-from", "listing", metavar="LIST", help="Take the paths from this file, one a line.")
@click.option("--since", type=SPAN, default="7d", show_default=True, help="How far back in the history.")
@json_option
@pass_given
def compare(given: Given, files: Sequence[str], listing: str | None, since: float, as_json: bool) -> None:
    """List the messages that we and another filter judge differently, then how often both agree.

    Without a FILE it takes the history of `mode = "observe"`, in which Lazaret notes what amavisd,
    SpamAssassin or Rspamd have written into the header section of what passes. With FILEs it scores those,
    and reads the same fields in them. Spam is what a filter marks, or worse.

    Exit status: 0 all was compared, however often the two differ; 66 a file could not be read.

    \b
    Examples:
      lazaret compare --since 24h
      find Maildir/cur -type f | lazaret compare --files-from - --json
    """
    if files and listing is not None:
        raise click.UsageError("give FILEs or --files-from, not both")
    shown = _Shown(as_json)
    if files or listing is not None:
        status = _compare_files(given, written_names(files, listing), shown)
    else:
        _compare_history(given, since, shown)
        status = 0
    shown.finish()
    sys.exit(status)


class _Shown:
    """Prints what differs: JSON at once, a table at the end."""

    def __init__(self, as_json: bool) -> None:
        self.summary = Summary()
        self._as_json = as_json
        self._rows: list[tuple[str, ...]] = []

    def add(self, one: Compared) -> None:
        self.summary.add(one)
        if not one.differs:
            return
        if self._as_json:
            print_json(_facts(one))
        else:
            ours = f"{'spam' if one.spam else 'clean'} {one.score:.1f}"
            theirs = f"{'spam' if one.other_spam else 'clean'} ({one.other})"
            self._rows.append((one.name, ours, theirs, " ".join(one.symbols[:SYMBOLS])))

    def finish(self) -> None:
        facts = self.summary.facts()
        if self._as_json:
            print_json({"summary": facts})
            return
        if self._rows:
            click.echo(table(("MESSAGE", "LAZARET", "OTHER", "OUR SYMBOLS"), self._rows))
        click.echo(
            "{judged_by_both} judged by both: {both_spam} spam for both, {both_clean} clean for both, "
            "{only_lazaret_spam} spam for Lazaret alone, {only_other_spam} spam for the other alone; "
            "{unjudged} without another verdict".format(**facts)
        )


def _facts(one: Compared) -> dict[str, object]:
    return {
        "message": one.name,
        "score": one.score,
        "spam": one.spam,
        "other": one.other,
        "other_spam": one.other_spam,
        "symbols": list(one.symbols),
    }


def _compare_history(given: Given, since: float, shown: _Shown) -> None:
    from lazaret import app

    config = as_owner(given.load())

    async def run() -> None:
        async with app.open_desk(config) as desk:
            query = f"{QUERY} since:{int(since)}s"
            found = [item.mail_id async for item in desk.find(query, everything=True)]
            for mail_id in found:
                for one in of_history(await desk.show(mail_id)):
                    shown.add(one)
            everything = await desk.count(f"since:{int(since)}s", everything=True)
            shown.summary.unjudged = everything - len(found)

    run_async(run())


def _compare_files(given: Given, names: Iterable[str], shown: _Shown) -> int:
    from lazaret import app
    from lazaret.cli.scanner import Scanner
    from lazaret.mime import filter_verdict
    from lazaret.mime import message as mime

    config, ruleset = load_rules(given)
    networks = app.trusted_networks(config, ruleset)
    scanner = Scanner(config, app.checks(config, ruleset), None, "", "", None, networks, ruleset.sites)

    async def run() -> int:
        status = 0
        for name in names:
            try:
                octets = read_message(name)
            except (OSError, ValueError) as e:  # ValueError: a NUL in the name
                click.echo(f"{name}: {getattr(e, 'strerror', None) or e}", err=True)
                status = EX_NOINPUT
                continue
            others = filter_verdict.of(mime.parse(octets))
            if not others:
                shown.summary.unjudged += 1
                continue
            ours = await scanner.scan(octets)
            symbols = tuple(hit["symbol"] for hit in ours["hits"])
            for other in others:
                spam = ours["category"] in ("spam", "spammy")
                shown.add(Compared(name, ours["score"], spam, str(other), other.spam, symbols))
        return status

    return run_async(run())
