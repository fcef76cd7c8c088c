"""`lazaret stats`: figures of the history."""

import time

import click

from lazaret import app
from lazaret.cli.context import SPAN, Command, Given, as_owner, json_option, pass_given, run_async
from lazaret.cli.output import print_json, table
from lazaret.flow.explain import category_word
from lazaret.store.stats import Overview

BAR = 40
"""Width of the longest bar of the histogram."""


@click.command(cls=Command)
@click.option("--since", type=SPAN, default="24h", show_default=True, help="How far back: 90m, 24h, 7d.")
@json_option
@pass_given
def stats(given: Given, since: float, as_json: bool) -> None:
    """Figures of the history: messages by category and fate, scores, the most frequent symbols."""
    config = as_owner(given.load())

    async def read() -> tuple[Overview, list[str]]:
        store = app.open_store(config)
        try:
            overview = await store.stats.overview(since=time.time() - since)
            return overview, await app.late_digests(config, store)
        finally:
            store.close()

    overview, late = run_async(read())
    if as_json:
        print_json(_facts(overview) | {"digests_late": len(late)})
        return
    paragraphs = _paragraphs(overview)
    if late:
        paragraphs.append(
            f"digest not sent for over an hour to {len(late)} recipients; see lazaret digest status"
        )
    click.echo("\n\n".join(paragraphs))


def _facts(overview: Overview) -> dict[str, object]:
    return {
        "messages": overview.messages,
        "octets": overview.octets,
        "mean_ms": round(overview.mean_ms, 3),
        "categories": {category_word(c): n for c, n in overview.categories.items()},
        "actions": overview.actions,
        "scores": {str(points): n for points, n in overview.scores.items()},
        "symbols": [
            {"symbol": s.name, "messages": s.messages, "mean_score": round(s.mean_score, 3)}
            for s in overview.symbols
        ],
    }


def _paragraphs(overview: Overview) -> list[str]:
    total = f"{overview.messages} messages, {overview.octets / 1e6:.1f} MB"
    if not overview.messages:
        return [total]
    categories = [(category_word(c), str(n)) for c, n in overview.categories.items()]
    actions = [(a, str(n)) for a, n in overview.actions.items()]
    symbols = [(s.name, str(s.messages), f"{s.mean_score:.2f}") for s in overview.symbols]
    return [
        f"{total}, {overview.mean_ms:.1f} ms each",
        table(("CATEGORY", "MESSAGES"), categories, right=(1,)),
        table(("FATE", "RECIPIENTS"), actions, right=(1,)),
        _histogram(overview.scores),
        table(("SYMBOL", "MESSAGES", "MEAN"), symbols, right=(1, 2)),
    ]


def _histogram(scores: dict[int, int]) -> str:
    most = max(scores.values())
    rows = [(str(points), str(n), "#" * max(1, n * BAR // most)) for points, n in scores.items()]
    return table(("SCORE", "MESSAGES", ""), rows, right=(0, 1))
