"""`lazaret simulate`: what would have become of the history at other levels."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from lazaret.cli.context import SPAN, Command, Given, as_owner, json_option, pass_given, run_async
from lazaret.cli.desk import local_time
from lazaret.cli.output import print_json, table

if TYPE_CHECKING:
    from lazaret.flow.simulate import Outcome, WhatIf
    from lazaret.model.simulation import Border


@click.command(cls=Command)
@click.option("--mark", type=float, metavar="POINTS", help="Instead of levels.mark.")
@click.option("--quarantine", type=float, metavar="POINTS", help="Instead of levels.quarantine.")
@click.option("--kill", type=float, metavar="POINTS", help="Instead of levels.kill.")
@click.option("--rcpt", default="", metavar="ADDR", help="Only copies for this address.")
@click.option("--domain", default="", metavar="DOMAIN", help="Only copies for this domain and all below it.")
@click.option("--since", type=SPAN, default="30d", show_default=True, help="How far back: 24h, 7d, 12w.")
@click.option(
    "--border",
    type=click.IntRange(0, 1000),
    default=5,
    show_default=True,
    help="Messages to show on each side of the quarantine level.",
)
@json_option
@pass_given
def simulate(
    given: Given,
    mark: float | None,
    quarantine: float | None,
    kill: float | None,
    rcpt: str,
    domain: str,
    since: float,
    border: int,
    as_json: bool,
) -> None:
    """What would have become of the history at other levels; changes nothing.

    Counts copies: one per recipient. What was released or taught as ham since, and would be kept from its
    reader, is a false positive at least; what was taught as spam and would get through, a miss at
    least. What a list, a virus or the next hop decided stays as it was, and so does mail of our own
    users. Who has levels of his own in the database is judged by those.

    \b
    Examples:
      lazaret simulate --quarantine 4.5
      lazaret simulate --quarantine 6 --kill 12 --domain example.org --since 12w
    """
    from lazaret import app
    from lazaret.flow.simulate import WhatIf, judge

    if rcpt and domain:
        raise click.UsageError("write --rcpt or --domain, not both")
    config = as_owner(given.load())
    store = app.open_store(config)
    try:
        site = app.policy_of(config, foreign=store.foreign).levels
        levels = WhatIf(
            site.mark if mark is None else mark,
            site.quarantine if quarantine is None else quarantine,
            site.kill if kill is None else kill,
        )
        simulator = app.make_simulator(config, store)
        begin = time.time() - since

        async def ask() -> tuple[Outcome, list[Border]]:
            past = await simulator.copies(since=begin, recipient=rcpt, domain=domain)
            near = []
            if border:
                near = await simulator.border(
                    levels.quarantine, since=begin, recipient=rcpt, domain=domain, limit=border
                )
            return judge(past, levels), near

        outcome, near = run_async(ask())
    finally:
        store.close()
    if as_json:
        print_json(_facts(levels, outcome, near))
    else:
        click.echo("\n\n".join(_paragraphs(levels, outcome, near)))


def _facts(levels: WhatIf, outcome: Outcome, near: list[Border]) -> dict[str, object]:
    from lazaret.flow.explain import rfc3339

    return {
        "levels": {"mark": levels.mark, "quarantine": levels.quarantine, "kill": levels.kill},
        "fates": {
            fate: {"was": c.was, "would_be": c.would_be, "said_ham": c.ham, "said_spam": c.spam}
            for fate, c in outcome.fates.items()
        },
        "changed": outcome.changed,
        "not_judged_by_score": outcome.unjudged,
        "false_positives": outcome.false_positives,
        "misses": outcome.misses,
        "border": [
            {
                "id": b.mail_id,
                "time": rfc3339(b.time),
                "score": b.score,
                "to": b.recipient,
                "from": b.from_header,
                "subject": b.subject,
                "action": b.action,
                "said": b.said,
            }
            for b in near
        ],
    }


def _paragraphs(levels: WhatIf, outcome: Outcome, near: list[Border]) -> list[str]:
    kill = "never" if levels.kill is None else f"{levels.kill:g}"
    head = f"mark {levels.mark:g}, quarantine {levels.quarantine:g}, kill {kill}"
    total = sum(c.was for c in outcome.fates.values())
    if not total:
        return [f"{head}: no message in this time"]
    rows = [
        (fate, str(c.was), str(c.would_be), f"{c.would_be - c.was:+d}", str(c.ham), str(c.spam))
        for fate, c in outcome.fates.items()
    ]
    found = [
        f"{head}: {outcome.changed} of {total} copies would have had another fate"
        + (f" ({outcome.unjudged} were not judged by their score)" if outcome.unjudged else ""),
        table(("FATE", "WAS", "WOULD BE", "CHANGE", "SAID HAM", "SAID SPAM"), rows, right=(1, 2, 3, 4, 5)),
        f"False positives, at least: {outcome.false_positives} kept back that somebody released or taught "
        f"as ham.\nMisses, at least: {outcome.misses} let through that somebody taught as spam.",
    ]
    if near:
        messages = [
            (
                f"{b.score:.1f}",
                local_time(b.time),
                b.mail_id,
                b.action,
                b.said or "-",
                b.recipient,
                f"{b.from_header}: {b.subject}",
            )
            for b in near
        ]
        lines = table(("SCORE", "TIME", "ID", "WAS", "SAID", "TO", "FROM AND SUBJECT"), messages, right=(0,))
        found.append(f"Nearest to the quarantine level\n{lines}")
    return found
